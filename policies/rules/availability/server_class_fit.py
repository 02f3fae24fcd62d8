"""Servers are neither lent by the minute nor by the credit, and large enough."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.clusters import CLUSTERS, serving
from policies.concepts.machines import unfit
from policies.conditions import FALSE, NOT_TRUE, at_least, none_of
from policies.context import Context
from policies.resource import Node, Resource
from policies.rule import Check, Finding, Need, Rule, need, on

_NODES = "aws:eks/nodeGroup:NodeGroup"
_ASG = "aws:autoscaling/group:Group"
_ALL = at_least(100, " percent")
_NOT_SPOT = none_of("spot")
_REGULAR = none_of("Spot", "Low")
_MARKET = "instanceMarketOptions?.marketType?"
_MIXED = "mixedInstancesPolicy?"


def _fit(token: str, path: str, *needs: Need) -> tuple[Check, Check]:
    """Checks of the machines below a product: their type at a path, and how they are bought."""

    def judge(resource: Resource, _: Context) -> Iterator[Finding]:
        if serving(resource):
            for node in resource.each(path):
                yield from _typed(node)

    return Check((token,), judge, (path,), unknown="fail"), on(token, *needs, when=serving, unknown="fail")


def _typed(node: Node) -> Iterator[Finding]:
    problem = unfit(node.known())
    if problem:
        yield Finding(node.path, problem)


def _cluster(cluster: Resource, _: Context) -> Iterator[Finding]:
    yield from _typed(cluster.at("server.instanceType"))


def _kubernetes(group: Resource, _: Context) -> Iterator[Finding]:
    """AWS takes a burstable type where none is named, unless a launch template names one."""
    types = list(group.each("instanceTypes[]"))
    for node in types:
        yield from _typed(node)
    if not types and group.at("launchTemplate").absent:
        yield Finding("instanceTypes", "must be set, or a launch template that does")


_GOOGLE = (need("scheduling?.preemptible?", NOT_TRUE), need("scheduling?.provisioningModel?", none_of("SPOT")))

RULE = Rule(
    "server-class-fit",
    (
        Check(CLUSTERS, _cluster, ("server.instanceType",), unknown="fail"),
        on(CLUSTERS, need("server.spot", FALSE), unknown="fail"),
        *_fit("aws:ec2/instance:Instance", "instanceType", need(_MARKET, _NOT_SPOT)),
        *_fit("aws:ec2/launchTemplate:LaunchTemplate", "instanceType", need(_MARKET, _NOT_SPOT)),
        *_fit(
            _ASG,
            f"{_MIXED}.launchTemplate?.overrides[].instanceType?",
            need(f"{_MIXED}.instancesDistribution?.onDemandPercentageAboveBaseCapacity?", _ALL),
        ),
        on(_NODES, need("capacityType", none_of("SPOT")), unknown="fail"),
        Check((_NODES,), _kubernetes, ("instanceTypes[]",), unknown="fail"),
        *_fit(
            "azure-native:compute:VirtualMachineScaleSet",
            "sku.name",
            need("virtualMachineProfile?.priority?", _REGULAR),
        ),
        *_fit("azure-native:compute:VirtualMachine", "hardwareProfile.vmSize", need("priority", _REGULAR)),
        *_fit("gcp:compute/instance:Instance", "machineType", *_GOOGLE),
        *_fit("gcp:compute/regionInstanceTemplate:RegionInstanceTemplate", "machineType", *_GOOGLE),
    ),
)
