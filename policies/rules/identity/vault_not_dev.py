"""No product runs in development mode; Vault keeps its data in raft, behind TLS, and nobody reads its raw storage."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.concepts.charts import RELEASE, chart
from policies.concepts.clusters import BOUNDARY, VAULT
from policies.concepts.containers import containers, in_pods
from policies.concepts.images import image
from policies.concepts.jobspecs import JOB, READS, Block, jobs
from policies.conditions import FALSE, NOT_TRUE, one_of
from policies.context import Context
from policies.resource import Node, Resource
from policies.rule import Check, Finding, Rule, demand, each, need, on

_PRODUCTS = frozenset({"vault", "openbao", "bao", "boundary", "consul", "nomad"})
_DEVELOPMENT = re.compile(r"""(?<![\w./=-])(?:-{1,2}dev(?:-[\w-]+)?|dev)(?![\w./-])""")
_OPERATIONS = "ops"
_SAYS = "starts a product in development mode"


def _listener(listener: Node, _: Resource, __: Context) -> Iterator[Finding]:
    # The port for health and metrics, which only the machine itself and its balancer reach.
    if listener.get("purpose") != _OPERATIONS:
        yield from demand(listener.at("tlsDisable"), FALSE)


def _release(release: Resource, _: Context) -> Iterator[Finding]:
    if chart(release) == "vault":
        yield from demand(release.at("values.server.dev.enabled"), NOT_TRUE)
        yield from demand(release.at("values.global.tlsDisable"), FALSE)


def _pod(pod: Node, _: Resource, __: Context) -> Iterator[Finding]:
    for container in containers(pod):
        asked = container.get("image")
        if isinstance(asked, str) and _of_platform(image(container.path, asked).product):
            for path in ("command[]", "args[]"):
                for word in container.each(path):
                    if _DEVELOPMENT.search(str(word.known())):
                        yield Finding(word.path, _SAYS)


def _of_platform(name: str) -> bool:
    return name.removesuffix("-enterprise") in _PRODUCTS


def _job(job: Resource, _: Context) -> Iterator[Finding]:
    for root in jobs(job):
        for task in root.every("task"):
            if any(_starts(config) for config in task.within("config")):
                yield Finding("jobspec", f"task {task.name} {_SAYS}")


def _starts(config: Block) -> bool:
    program, asked = config.get("command"), image(config.type, config.get("image"))
    if not (_of_platform(program.rpartition("/")[2]) or _of_platform(asked.product)):
        return False
    return any(_DEVELOPMENT.search(text) for text in (program, config.get("args")))


RULE = Rule(
    "vault-not-dev",
    (
        on(
            VAULT,
            need("devMode", FALSE),
            need("listener.tlsDisable", FALSE),
            need("rawStorageEndpoint", FALSE),
            need("storage", one_of("raft")),
            unknown="fail",
        ),
        on(BOUNDARY, need("devMode", FALSE), unknown="fail"),
        each(BOUNDARY, "listeners[]", _listener, ("purpose", "tlsDisable"), unknown="fail"),
        Check((RELEASE,), _release, ("chart", "values")),
        *in_pods(_pod, of_containers=("image", "command[]", "args[]")),
        Check((JOB,), _job, READS),
    ),
)
