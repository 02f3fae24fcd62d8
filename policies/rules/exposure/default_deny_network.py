"""Default groups let nothing through, and namespaces start from deny."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies.concepts.charts import RELEASE
from policies.concepts.containers import POD_KINDS
from policies.concepts.emptiness import NO_ITEM
from policies.concepts.ingress import DEFAULT_GROUP
from policies.conditions import FALSE, UNSET
from policies.context import Context
from policies.resource import Resource, Undecided, World
from policies.rule import Finding, Rule, about, across, deferred, need, on
from policies.values import ABSENT

_VPC = "aws:ec2/vpc:Vpc"
_NAMESPACE = "kubernetes:core/v1:Namespace"
_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
_OWN, _RELEASED = "metadata.namespace", "namespace"
_PLACES: Mapping[str, str] = {
    **{kind: f"items[].{_OWN}" if kind.endswith("List") else _OWN for kind in POD_KINDS},
    RELEASE: _RELEASED,
}
"""Where each kind that runs pods says its namespace."""
_OPEN = "has pods, and no NetworkPolicy denies all traffic of its namespace"
_CLOUDS_OWN = "kube-system"
"""Its pods are the cloud's, which nobody here may cut off."""


def _every_vpc(world: World, _: Context) -> Iterator[Finding]:
    for vpc in world.of(_VPC):
        if not list(world.depending(vpc, "vpcId", DEFAULT_GROUP)):
            yield about(vpc, Finding("", "has no emptied default security group of this stack"))


def _every_namespace(world: World, _: Context) -> Iterator[Finding]:
    denied: set[str] = set()
    for policy in world.of(_POLICY):
        try:
            if _denies_all(policy):
                denied.update(_namespaces(world, policy, _OWN))
        except Undecided as undecided:
            yield about(policy, deferred(undecided.path))
    seen = {*denied, _CLOUDS_OWN}
    for workload in world.of(*_PLACES):
        try:
            open_ones = _namespaces(world, workload, _PLACES[workload.kind]) - seen
        except Undecided as undecided:
            yield about(workload, deferred(undecided.path))
            continue
        seen |= open_ones
        for namespace in sorted(open_ones):
            yield about(world.by_urn.get(namespace, workload), Finding("", _OPEN))


def _denies_all(policy: Resource) -> bool:
    types = {node.known() for node in policy.each("spec.policyTypes[]")}
    return (
        UNSET.holds(policy.get("spec.podSelector"))
        and types >= {"Ingress", "Egress"}
        and not [rule.known() for rule in policy.each("spec.ingress[]")]
    )


def _namespaces(world: World, resource: Resource, path: str) -> set[str]:
    """Namespaces, by the URN of their resource, or by name where the stack does not make them.

    Raises:
        Undecided: neither is known yet.
    """
    made = {namespace.urn: namespace.at("metadata.name").value for namespace in world.of(_NAMESPACE)}
    depended = resource.dependencies.get(path.partition(".")[0].removesuffix("[]"), ())
    found = {urn for urn in depended if urn in made}
    for node in resource.each(path):
        if not (node.unknown and found):
            name = "default" if node.known() is ABSENT else node.value
            found.add(next((urn for urn, known in made.items() if known == name), str(name)))
    return found


RULE = Rule(
    "default-deny-network",
    (
        on(DEFAULT_GROUP, need("ingress[]", NO_ITEM), need("egress[]", NO_ITEM)),
        on("gcp:compute/network:Network", need("autoCreateSubnetworks", FALSE)),
        across(_every_vpc, (_VPC, ()), (DEFAULT_GROUP, ("vpcId",))),
        across(
            _every_namespace,
            (_POLICY, ("metadata.namespace", "spec.podSelector", "spec.policyTypes[]", "spec.ingress[]")),
            (_NAMESPACE, ("metadata.name",)),
            *((kind, (path,)) for kind, path in _PLACES.items()),
        ),
    ),
)
