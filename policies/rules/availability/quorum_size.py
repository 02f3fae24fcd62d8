"""Voters are odd and as many as the cluster needs to lose one and still be safe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from components.plan.compliance import protected
from policies.concepts.clusters import (
    BOUNDARY,
    CONSUL,
    LEAST_VOTERS,
    PRODUCTS,
    RAFT,
    VAULT,
    declared,
    raft_cluster,
)
from policies.concepts.workloads import WORKLOAD_READS, voters
from policies.conditions import NOT_FALSE
from policies.context import Context
from policies.resource import Resource, World
from policies.rule import Check, Finding, Rule, about, across, advice, need, on
from policies.values import ABSENT, as_bool, as_int

_SIZES: Mapping[str, tuple[str, ...]] = {
    "aws:autoscaling/group:Group": ("minSize", "maxSize", "desiredCapacity"),
    "azure-native:compute:VirtualMachineScaleSet": ("sku.capacity",),
    "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager": ("targetSize",),
}
"""How many machines a group has, by its type; all of the paths say the same."""
_STATEFUL = "kubernetes:apps/v1:StatefulSet"
_AUTOPILOT = "vault:index/raftAutopilot:RaftAutopilot"
_LOCAL = "process"
"""Where a cluster runs when it is a stack on somebody's machine."""
_LOCAL_VOTERS = (1, 3)
_CONTROLLERS, _WORKERS = 2, 3


def _enough(product: str) -> str:
    return f"must be odd and at least {LEAST_VOTERS[product]}"


def _local(cluster: Resource) -> bool:
    """Whether the cluster is nobody's but its developers': the one place for fewer voters."""
    environment = cluster.get("environment")
    return cluster.get("runsOn") == _LOCAL or (isinstance(environment, str) and not protected(environment))


def _fits(product: str, voters: int | None) -> bool:
    return voters is not None and voters % 2 == 1 and voters >= LEAST_VOTERS[product]


def _cluster(cluster: Resource, _: Context) -> Iterator[Finding]:
    product, local = PRODUCTS[cluster.kind], _local(cluster)
    nodes = as_int(cluster.get("nodes"))
    if not _fits(product, nodes) and not (local and nodes in _LOCAL_VOTERS):
        yield Finding("nodes", _enough(product), exemptible=local)
    voting = [as_int(node.known()) for node in cluster.each("zones[].voters")]
    if None in voting or sum(each or 0 for each in voting) != nodes:
        yield Finding("zones", "must hold as many voters as the cluster has nodes", exemptible=local)


def _least_alive(consul: Resource, _: Context) -> Iterator[Finding]:
    nodes, least = as_int(consul.get("nodes")), as_int(consul.get("autopilot.minQuorum"))
    local = _local(consul)
    if nodes is None:
        return  # said by another check
    majority = nodes // 2 + 1
    if least is None or not majority <= least <= nodes:
        problem = "must be at least a majority of the nodes and no more than all"
        yield Finding("autopilot.minQuorum", problem, exemptible=local)
    elif majority < least == nodes:
        yield advice("autopilot.minQuorum", "is all nodes: no dead server is removed before its successor has joined")


def _boundary(boundary: Resource, _: Context) -> Iterator[Finding]:
    local = _local(boundary)
    said = boundary.get("nodes")
    controllers, workers = as_int(said), as_int(boundary.get("workers.nodes"))
    if said is ABSENT or controllers == 0:
        yield advice("nodes", "declares no controllers: only the workers are judged")
    elif controllers is None or controllers < (1 if local else _CONTROLLERS):
        yield Finding("nodes", f"must be at least {_CONTROLLERS}", exemptible=local)
    if workers is None or workers < (1 if local else _WORKERS):
        yield Finding("workers.nodes", f"must be at least {_WORKERS}", exemptible=local)


def _size(group: Resource, paths: Sequence[str]) -> int | None:
    """The one number that all paths say."""
    sizes = {as_int(group.get(path)) for path in paths}
    return sizes.pop() if len(sizes) == 1 else None


def _group(group: Resource, _: Context) -> Iterator[Finding]:
    cluster, paths = raft_cluster(group), _SIZES[group.kind]
    if cluster is not None:
        size = _size(group, paths)
        if size != 1 and not _fits(PRODUCTS[cluster], size):
            yield Finding(" = ".join(paths), f"{_enough(PRODUCTS[cluster])}, or 1 for a group a server")


def _pods(workload: Resource, _: Context) -> Iterator[Finding]:
    replicas = as_int(workload.get("spec.replicas"))
    for product in voters(workload):
        if not _fits(product, replicas):
            yield Finding("spec.replicas", _enough(product))


def _autopilot(autopilot: Resource, _: Context) -> Iterator[Finding]:
    least = as_int(autopilot.get("minQuorum"))
    if not as_bool(autopilot.get("cleanupDeadServers")):
        return
    if least is None or least < LEAST_VOTERS["vault"]:
        yield Finding("minQuorum", f"must be at least {LEAST_VOTERS['vault']} where dead servers are removed")
    if autopilot.get("deadServerLastContactThreshold") is ABSENT:
        yield advice("deadServerLastContactThreshold", "should say after which time a server counts as dead")


# What a group and a cluster say of each other.


def _as_declared(world: World, _: Context) -> Iterator[Finding]:
    for cluster in declared(world, *RAFT):
        nodes = as_int(cluster.spec.get("nodes"))
        groups = [group for group in world.of(*_SIZES) if raft_cluster(group) == cluster.component.kind]
        sizes = [_size(group, _SIZES[group.kind]) for group in groups]
        if groups and (not {1, nodes}.issuperset(sizes) or sum(each or 0 for each in sizes) != nodes):
            yield about(groups[0], Finding("", "must have as many machines as its cluster has nodes"))
        if cluster.spec.get("runsOn") == "kubernetes":
            for workload in world.of(_STATEFUL):
                if cluster.product in voters(workload) and as_int(workload.get("spec.replicas")) != nodes:
                    yield about(workload, Finding("spec.replicas", "must be as many as its cluster has nodes"))


def _autopilot_as_declared(world: World, _: Context) -> Iterator[Finding]:
    nodes = [as_int(cluster.spec.get("nodes")) for cluster in declared(world, VAULT)]
    for autopilot in world.of(_AUTOPILOT):
        least = as_int(autopilot.get("minQuorum"))
        if as_bool(autopilot.get("cleanupDeadServers")) and any((least or 0) > (each or 0) for each in nodes):
            yield about(autopilot, Finding("minQuorum", "must not be more than the cluster has nodes"))


_Judge = Callable[..., Iterable[Finding]]


def _firm(judge: _Judge) -> _Judge:
    """The judge, with findings that no exemption suppresses: these things exist in no local stack."""
    return lambda judged, context: (replace(each, exemptible=False) for each in judge(judged, context))


_CLEANED = on("consul:index/autopilotConfig:AutopilotConfig", need("cleanupDeadServers", NOT_FALSE), unknown="fail")
_NODES = tuple((token, ("spec.nodes", "spec.runsOn")) for token in RAFT)
_AUTOPILOT_READS = ("minQuorum", "cleanupDeadServers")

RULE = Rule(
    "quorum-size",
    (
        Check(RAFT, _cluster, ("runsOn", "environment", "nodes", "zones[].voters"), unknown="fail"),
        Check((CONSUL,), _least_alive, ("nodes", "autopilot.minQuorum", "runsOn", "environment"), unknown="fail"),
        Check((BOUNDARY,), _boundary, ("runsOn", "environment", "nodes", "workers.nodes"), unknown="fail"),
        *(Check((token,), _firm(_group), paths, unknown="fail") for token, paths in _SIZES.items()),
        Check((_STATEFUL,), _firm(_pods), ("spec.replicas", *WORKLOAD_READS), unknown="fail"),
        Check(
            (_AUTOPILOT,),
            _firm(_autopilot),
            (*_AUTOPILOT_READS, "deadServerLastContactThreshold"),
            unknown="fail",
        ),
        replace(_CLEANED, judge=_firm(_CLEANED.judge)),
        across(
            _firm(_as_declared),
            *_NODES,
            *_SIZES.items(),
            (_STATEFUL, ("spec.replicas", *WORKLOAD_READS)),
            unknown="fail",
        ),
        across(_firm(_autopilot_as_declared), *_NODES, (_AUTOPILOT, _AUTOPILOT_READS), unknown="fail"),
    ),
)
