"""Flow logs are on for every network."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.conditions import PRESENT, TRUE, Condition, advised, none_of, one_of
from policies.context import Context
from policies.resource import Resource, World
from policies.rule import Check, Finding, Rule, about, across, need, on
from policies.values import as_bool, as_int

_FLOW_LOG = "aws:ec2/flowLog:FlowLog"
_VPC = "aws:ec2/vpc:Vpc"
_AZURE_FLOW_LOG = "azure-native:network:FlowLog"
_AZURE_NETWORK = "azure-native:network:VirtualNetwork"
_TRANSIT = ("transitGatewayId", "transitGatewayAttachmentId")
_MINUTE = Condition(lambda value: as_int(value) == 60, "must be 60 seconds")
_YEAR = 365
_PROXIES = ("REGIONAL_MANAGED_PROXY", "GLOBAL_MANAGED_PROXY", "INTERNAL_HTTPS_LOAD_BALANCER")
"""Purposes of subnets that hold a balancer's proxies: Google keeps no flow logs of them."""
_NETWORK_ID = re.compile(r"/virtualnetworks/[^/]+$", re.IGNORECASE)
# Known by dependency before its id is.
_NETWORK = Condition(
    lambda value: isinstance(value, str) and _NETWORK_ID.search(value) is not None,
    "must be a virtual network",
    accepts_unknown=True,
)
_HALF = Condition(
    lambda value: isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0.5,
    "must be at least 0.5",
)
_OFTEN = one_of("INTERVAL_5_SEC", "INTERVAL_30_SEC", "INTERVAL_1_MIN")


def _of_machines(log: Resource) -> bool:
    """A transit gateway's flows have no type: nothing is accepted or refused there."""
    return all(log.at(path).absent for path in _TRANSIT)


def _forgets(log: Resource, _: Context) -> Iterator[Finding]:
    if as_bool(log.get("retentionPolicy.enabled")):
        days = as_int(log.get("retentionPolicy.days"))
        if days is None or (days != 0 and days < _YEAR):
            yield Finding("retentionPolicy.days", f"must be at least {_YEAR} days, or 0 for ever")


def _shown(subnet: Resource) -> bool:
    return subnet.get("purpose") not in _PROXIES


def _every_network(world: World, _: Context) -> Iterator[Finding]:
    for kind, log, prop in ((_VPC, _FLOW_LOG, "vpcId"), (_AZURE_NETWORK, _AZURE_FLOW_LOG, "targetResourceId")):
        for network in world.of(kind):
            if not list(world.depending(network, prop, log)):
                yield about(network, Finding("", "has no flow log of this stack"))


RULE = Rule(
    "network-flow-logs",
    (
        on(_FLOW_LOG, need("maxAggregationInterval", _MINUTE), need("logDestination", PRESENT)),
        on(_FLOW_LOG, need("trafficType", one_of("ALL", "REJECT")), when=_of_machines, reads=_TRANSIT),
        on(_AZURE_FLOW_LOG, need("enabled", TRUE), need("targetResourceId", _NETWORK)),
        Check((_AZURE_FLOW_LOG,), _forgets, ("retentionPolicy.enabled", "retentionPolicy.days")),
        on(
            "gcp:compute/subnetwork:Subnetwork",
            need("logConfig", PRESENT),
            need("logConfig?.flowSampling?", _HALF),
            need("logConfig?.aggregationInterval?", advised(_OFTEN)),
            need("logConfig?.metadata?", advised(none_of("EXCLUDE_ALL_METADATA"))),
            when=_shown,
            reads=("purpose",),
        ),
        on("hashicorp:clouds:Network", need("flowLogs", TRUE), unknown="fail"),
        across(
            _every_network,
            (_VPC, ()),
            (_FLOW_LOG, ("vpcId",)),
            (_AZURE_NETWORK, ()),
            (_AZURE_FLOW_LOG, ("targetResourceId",)),
        ),
    ),
)
