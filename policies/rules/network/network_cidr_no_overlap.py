"""No network overlaps one of another cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies.concepts.apart import apart
from policies.concepts.counts import filled
from policies.concepts.facts import peers, unheard
from policies.concepts.prefixes import Named, inside, meet, network, overlaps
from policies.context import Context
from policies.resource import Node, Resource, World
from policies.rule import Check, Finding, Rule, about, across, deferred, each
from policies.values import ABSENT

_NETWORK = "hashicorp:clouds:Network"
_VNET = "azure-native:network:VirtualNetwork"
_BLOCKS: Mapping[str, tuple[str, ...]] = {
    "aws:ec2/vpc:Vpc": ("cidrBlock",),
    "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation": ("cidrBlock",),
    _VNET: ("addressSpace.addressPrefixes[]",),
    "gcp:compute/subnetwork:Subnetwork": ("ipCidrRange", "secondaryIpRanges[].ipCidrRange"),
}
_GKE = "gcp:container/cluster:Cluster"
_SERVICES: Mapping[str, tuple[str, ...]] = {
    "aws:eks/cluster:Cluster": ("kubernetesNetworkConfig.serviceIpv4Cidr",),
    "azure-native:containerservice:ManagedCluster": ("networkProfile.podCidr", "networkProfile.serviceCidr"),
    _GKE: ("ipAllocationPolicy.clusterIpv4CidrBlock", "ipAllocationPolicy.servicesIpv4CidrBlock"),
}
"""Ranges of pods and services, by kind of cluster."""
_OWN = "this stack"


def _planned(node: Node, _: Resource, context: Context) -> Iterator[Finding]:
    if not inside(node.known(), context.settings.mesh_cidrs):
        yield Finding(node.path, "must lie in a block of the platform's plan")


def _subnets(net: Resource, _: Context) -> Iterator[Finding]:
    whole = net.get("cidr")
    if network(whole) is None:
        yield Finding("cidr", "must be an address range")
        return
    subnets = [(node.path, str(node.known())) for node in net.each("subnets[].cidr")]
    for path, text in subnets:
        if not inside(text, (str(whole),)):
            yield Finding(path, "must lie in the network's range")
    for one, other in overlaps(subnets):
        yield Finding(other[0], f"overlaps {one[0]}")


def _own(world: World) -> list[Named]:
    return [(_OWN, str(spec.get("cidr"))) for _, spec in world.specs(_NETWORK)]


def _others(world: World) -> list[Named]:
    return [(cloud, str(node.known())) for cloud, said in peers(world).items() for node in said.each("networks[].cidr")]


def _apart(world: World, _: Context) -> Iterator[Finding]:
    yield from unheard(world, peers(world), "its networks cannot be compared")
    for one, other in overlaps([*_own(world), *_others(world)]):
        if one[0] != other[0] or one[0] == _OWN:
            yield Finding(
                "", f"has networks that overlap: {network(one[1])} of {one[0]}, {network(other[1])} of {other[0]}"
            )


def _in_own_block(world: World, _: Context) -> Iterator[Finding]:
    """Nothing takes addresses of another cloud's block, which the platform's plan holds too."""
    blocks = [str(node.known()) for node in world.facts.each("networks[].cidr")] + [text for _, text in _own(world)]
    # Without a word of its own the stack has nothing but the plan to be held to.
    for kind, paths in _BLOCKS.items() if blocks else ():
        for resource in world.of(kind):
            for node in (found for path in paths for found in resource.each(path)):
                if node.unknown:
                    yield about(resource, deferred(node.path))
                elif not inside(node.value, blocks):
                    yield about(resource, Finding(node.path, "must lie in this cloud's block"))


def _clusters(world: World, _: Context) -> Iterator[Finding]:
    for kind, paths in _SERVICES.items():
        # Google's clusters take ranges of their subnetwork, which lie in the network.
        ranges = [*(_own(world) if kind != _GKE else ()), *_others(world)]
        for cluster in world.of(kind):
            for path in paths:
                yield from apart(cluster, _service(cluster.at(path), ranges))
            given = [(path, str(cluster.at(path).value)) for path in paths]
            yield from (about(cluster, Finding(two[0], f"overlaps {one[0]}")) for one, two in overlaps(given))


def _service(node: Node, ranges: list[Named]) -> Iterator[Finding]:
    text = node.known()
    if text in (ABSENT, ""):
        return
    if str(text).startswith("/"):
        # A size: the cloud chooses.
        yield deferred(node.path)
    elif network(text) is None:
        yield Finding(node.path, "must be an address range")
    for whose, taken in ranges:
        if meet(text, taken):
            yield Finding(node.path, f"overlaps {network(taken)} of {whose}")


RULE = Rule(
    "network-cidr-no-overlap",
    (
        *(each(kind, path, _planned, ("",)) for kind, paths in _BLOCKS.items() for path in paths),
        filled((_VNET,), "addressSpace.addressPrefixes"),
        Check((_NETWORK,), _subnets, ("cidr", "subnets[].cidr"), "fail"),
        across(_apart, (_NETWORK, ("spec.cidr",))),
        across(_in_own_block, (_NETWORK, ("spec.cidr",)), *_BLOCKS.items()),
        across(_clusters, (_NETWORK, ("spec.cidr",)), *_SERVICES.items()),
    ),
)
