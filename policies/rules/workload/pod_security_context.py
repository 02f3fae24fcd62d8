"""Pods run as non-root, without privileges, with a read-only root file system and with limits."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.containers import containers, in_pods
from policies.concepts.jobspecs import jobs
from policies.conditions import NOT_TRUE
from policies.context import Context
from policies.resource import Node, Resource
from policies.rule import Check, Finding, Rule, advice
from policies.values import as_bool

_SET = "securityContext?"
_HOST = ("hostNetwork", "hostPID", "hostIPC")
_LEVEL = "pod-security.kubernetes.io/enforce"
_LEVELS = ("restricted", "baseline")


def _pod(pod: Node, _: Resource, __: Context) -> Iterator[Finding]:
    for path in _HOST:
        if not NOT_TRUE.holds(pod.get(path)):
            yield Finding(f"{pod.path}.{path}", NOT_TRUE.says)
    if as_bool(pod.get("automountServiceAccountToken")) is not False:
        yield advice(f"{pod.path}.automountServiceAccountToken", "should be false unless the token is used")
    shared = as_bool(pod.get("securityContext.runAsNonRoot")) is True
    for container in containers(pod):
        yield from _container(container, shared=shared)


def _container(container: Node, *, shared: bool) -> Iterator[Finding]:
    def said(name: str) -> bool | None:
        return as_bool(container.get(f"securityContext.{name}"))

    own = said("runAsNonRoot")
    if own is False or not (own or shared):
        yield Finding(f"{container.path}.securityContext.runAsNonRoot", "must be true, here or on the pod")
    if said("privileged") is True:
        yield Finding(f"{container.path}.securityContext.privileged", "must not be true")
    if said("allowPrivilegeEscalation") is not False:
        yield Finding(f"{container.path}.securityContext.allowPrivilegeEscalation", "must be false")
    if said("readOnlyRootFilesystem") is not True:
        yield Finding(f"{container.path}.securityContext.readOnlyRootFilesystem", "must be true")
    dropped = [node.known() for node in container.each("securityContext?.capabilities?.drop[]")]
    if "ALL" not in dropped:
        yield Finding(f"{container.path}.securityContext.capabilities.drop", "must hold ALL")
    limit = container.get("resources.limits.memory")
    if not isinstance(limit, str) or container.get("resources.requests.memory") != limit:
        yield Finding(f"{container.path}.resources", "must request as much memory as it is limited to")


def _namespace(namespace: Resource, _: Context) -> Iterator[Finding]:
    labels = namespace.get("metadata.labels")
    if not isinstance(labels, dict) or labels.get(_LEVEL) not in _LEVELS:
        yield Finding("metadata.labels", f"must set {_LEVEL} to {' or '.join(_LEVELS)}")


def _job(job: Resource, _: Context) -> Iterator[Finding]:
    for root in jobs(job):
        for task in root.every("task"):
            if task.get("driver") == "raw_exec":
                yield Finding("jobspec", "has a task with the driver raw_exec")
            # An expression could become true.
            if any(config.get("privileged") not in ("", "false") for config in task.within("config")):
                yield Finding("jobspec", "has a privileged task")


RULE = Rule(
    "pod-security-context",
    (
        *in_pods(
            _pod,
            reads=(*_HOST, "automountServiceAccountToken", f"{_SET}.runAsNonRoot?"),
            of_containers=(
                f"{_SET}.runAsNonRoot?",
                f"{_SET}.privileged?",
                f"{_SET}.allowPrivilegeEscalation?",
                f"{_SET}.readOnlyRootFilesystem?",
                f"{_SET}.capabilities?.drop[]",
                "resources?.limits?.memory?",
                "resources?.requests?.memory?",
            ),
            unknown="fail",
        ),
        Check(("kubernetes:core/v1:Namespace",), _namespace, ("metadata.labels",), "fail"),
        Check(("nomad:index/job:Job",), _job, ("jobspec", "json"), "fail"),
    ),
)
