"""Pods and their containers, whatever Kubernetes object declares them.

Owns which kinds hold a pod spec and where: workloads and Jobs in a template, CronJobs one level deeper, Pods themselves,
PodTemplates, and the lists of all of these through `items[]`. Patches and older API versions are the same kinds
(`policies.kinds`).

How to use it in a resource rule: `in_pods` makes the checks, one a place, and hands each pod spec to the judge as a
`Node`; the judge reads on with `containers`, `serving` and `demand`, none of which raises on an unknown::

    def _judge(pod: Node, _resource: Resource, _context: Context) -> Iterator[Finding]:
        yield from demand(pod.at("hostNetwork"), NOT_TRUE)
        for container in containers(pod):
            yield from demand(container.at("image"), PINNED)

    RULE = Rule("...", (*in_pods(_judge, reads=("hostNetwork",), of_containers=("image",)),))

In a stack rule, `POD_KINDS` are the types for `world.of`, and `pods(resource)` yields the pod specs of one of them.
Paths of findings are those inside the resource (`spec.template.spec.containers[0].image`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from policies.context import Context
from policies.resource import Node, Resource
from policies.rule import Check, Finding, Unknown, each

_TEMPLATE = "spec?.template?.spec?"
_SINGLE: Mapping[str, tuple[str, ...]] = {
    _TEMPLATE: (
        "kubernetes:apps/v1:StatefulSet",
        "kubernetes:apps/v1:Deployment",
        "kubernetes:apps/v1:DaemonSet",
        "kubernetes:apps/v1:ReplicaSet",
        "kubernetes:core/v1:ReplicationController",
        "kubernetes:batch/v1:Job",
    ),
    f"spec?.jobTemplate?.{_TEMPLATE}": ("kubernetes:batch/v1:CronJob",),
    "spec?": ("kubernetes:core/v1:Pod",),
    "template?.spec?": ("kubernetes:core/v1:PodTemplate",),
}
PLACES: Mapping[str, tuple[str, ...]] = {
    **_SINGLE,
    **{f"items[].{path}": tuple(f"{kind}List" for kind in kinds) for path, kinds in _SINGLE.items()},
}
"""Where a pod spec lies, and the kinds that hold it there."""

POD_KINDS: tuple[str, ...] = tuple(kind for kinds in PLACES.values() for kind in kinds)
"""Every kind that declares pods."""

CONTAINER_LISTS: tuple[str, ...] = ("containers", "initContainers")
"""The lists of containers in a pod spec; ephemeral containers cannot be declared."""

PodJudge = Callable[[Node, Resource, Context], Iterable[Finding]]


def in_pods(
    judge: PodJudge,
    *,
    reads: tuple[str, ...] = (),
    of_containers: tuple[str, ...] = (),
    unknown: Unknown = "defer",
) -> tuple[Check, ...]:
    """Checks of every pod spec, one a place.

    Args:
        judge: gets a pod spec that is known as a whole.
        reads: paths below the pod spec.
        of_containers: paths below each container, init containers included.
    """
    below = (*reads, *(f"{held}[].{path}" for held in CONTAINER_LISTS for path in of_containers))
    return tuple(each(kinds, place, judge, below, unknown) for place, kinds in PLACES.items())


def pods(resource: Resource) -> Iterator[Node]:
    """The pod specs that a resource declares; none where it is no kind that does, unknown ones included."""
    for place, kinds in PLACES.items():
        if resource.kind in kinds:
            yield from resource.each(place)


def containers(pod: Node) -> Iterator[Node]:
    """All containers of a pod spec, those that run before the others included; an unknown list is one unknown."""
    for held in CONTAINER_LISTS:
        yield from pod.each(f"{held}[]")


def serving(pod: Node) -> Iterator[Node]:
    """The containers that run as long as the pod."""
    yield from pod.each("containers[]")
