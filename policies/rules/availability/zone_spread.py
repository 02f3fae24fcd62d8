"""Servers lie in three zones, none of which holds a quorum."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.clusters import RAFT, serving, voting
from policies.concepts.workloads import WORKLOAD_READS, voters
from policies.conditions import TRUE, one_of, optional
from policies.context import Context
from policies.resource import Node, Resource, Undecided
from policies.rule import Check, Finding, Rule, demand, each
from policies.values import as_int

_ZONES = 3
_SPREAD = f"must name at least {_ZONES} different zones"
_ASG = "aws:autoscaling/group:Group"
_SCALE_SET = "azure-native:compute:VirtualMachineScaleSet"
_REGIONAL = "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager"
_CONSTRAINTS = "spec.template.spec.topologySpreadConstraints[]"
_CONSTRAINT = ("topology.kubernetes.io/zone", "DoNotSchedule")


def _places(node: Node, path: str) -> int:
    """How many different places a list names; what is not known yet is one of its own.

    Raises:
        Undecided: not even the list's length is known.
    """
    known: set[object] = set()
    unknown = 0
    for place in node.each(f"{path}[]"):
        if not place.unknown:
            known.add(place.value)
        elif place.path.endswith("]"):
            unknown += 1
        else:
            raise Undecided(place.path)
    return len(known) + unknown


def _cluster(cluster: Resource, _: Context) -> Iterator[Finding]:
    nodes = as_int(cluster.get("nodes"))
    voters_of: dict[object, int] = {}
    for zone in cluster.each("zones[]"):
        name = zone.get("name")
        voters_of[name] = voters_of.get(name, 0) + (as_int(zone.get("voters")) or 0)
    if sum(1 for held in voters_of.values() if held > 0) < _ZONES:
        yield Finding("zones", f"must be at least {_ZONES} with voters in each")
    if nodes is None or any(2 * held > nodes for held in voters_of.values()):
        yield Finding("zones", "must be such that none of them holds a quorum")


def _group(group: Resource, _: Context) -> Iterator[Finding]:
    # A group a server stands in that server's zone.
    if not voting(group) or as_int(group.get("maxSize")) == 1:
        return
    if max(_places(group.node, path) for path in ("vpcZoneIdentifiers", "availabilityZones")) < _ZONES:
        yield Finding("vpcZoneIdentifiers", _SPREAD)


def _scale_set(group: Resource, _: Context) -> Iterator[Finding]:
    if not voting(group) or as_int(group.get("sku.capacity")) == 1:
        return
    if _places(group.node, "zones") < _ZONES:
        yield Finding("zones", _SPREAD)
    yield from demand(group.at("zoneBalance"), TRUE)


def _regional(group: Resource, _: Context) -> Iterator[Finding]:
    if not voting(group) or as_int(group.get("targetSize")) == 1:
        return
    if _places(group.node, "distributionPolicyZones") < _ZONES:
        yield Finding("distributionPolicyZones", _SPREAD)
    yield from demand(group.at("distributionPolicyTargetShape"), optional(one_of("EVEN", "BALANCED")))


def _machine(machine: Resource, _: Context) -> Iterator[Finding]:
    if serving(machine) and _places(machine.node, "zones") != 1:
        yield Finding("zones", "must name one zone")


def _listing(token: str, path: str) -> Check:
    """A check that a list names enough places."""

    def judge(resource: Resource, _: Context) -> Iterator[Finding]:
        if _places(resource.node, path) < _ZONES:
            yield Finding(path, _SPREAD)

    return Check((token,), judge, (f"{path}[]",))


def _pool(pool: Node, _resource: Resource, _context: Context) -> Iterator[Finding]:
    if _places(pool, "availabilityZones") < _ZONES:
        yield Finding(pool.at("availabilityZones").path, _SPREAD)


def _pods(workload: Resource, _: Context) -> Iterator[Finding]:
    if voters(workload):
        said = [(way.get("topologyKey"), way.get("whenUnsatisfiable")) for way in workload.each(_CONSTRAINTS)]
        if _CONSTRAINT not in said:
            yield Finding(_CONSTRAINTS[:-2], "must spread servers over zones and schedule none that cannot be")


RULE = Rule(
    "zone-spread",
    (
        Check(RAFT, _cluster, ("nodes", "zones[].name", "zones[].voters")),
        Check((_ASG,), _group, ("maxSize", "vpcZoneIdentifiers[]", "availabilityZones[]")),
        Check((_SCALE_SET,), _scale_set, ("sku.capacity", "zones[]", "zoneBalance")),
        Check((_REGIONAL,), _regional, ("targetSize", "distributionPolicyZones[]", "distributionPolicyTargetShape")),
        Check(("azure-native:compute:VirtualMachine",), _machine, ("zones[]",)),
        each("azure-native:containerservice:ManagedCluster", "agentPoolProfiles[]", _pool, ("availabilityZones[]",)),
        _listing("azure-native:containerservice:AgentPool", "availabilityZones"),
        _listing("gcp:container/nodePool:NodePool", "nodeLocations"),
        _listing("aws:eks/nodeGroup:NodeGroup", "subnetIds"),
        Check(
            ("kubernetes:apps/v1:StatefulSet",),
            _pods,
            (*(f"{_CONSTRAINTS}.{path}" for path in ("topologyKey", "whenUnsatisfiable")), *WORKLOAD_READS),
        ),
    ),
)
