"""Servers, clients and databases have no public address."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.clusters import BOUNDARY, RAFT
from policies.concepts.emptiness import NO_ITEM
from policies.concepts.facing import closed
from policies.conditions import FALSE, NOT_TRUE, UNSET
from policies.context import Context
from policies.resource import PRODUCT, Resource, World
from policies.rule import Finding, Rule, about, across, deferred, need, on
from policies.values import as_bool

_SUBNET = "aws:ec2/subnet:Subnet"
_NETWORK = "hashicorp:clouds:Network"
_AZURE_INTERFACES = "networkProfile.networkInterfaceConfigurations[].ipConfigurations[].publicIPAddressConfiguration"


def _subnets(world: World, _: Context) -> Iterator[Finding]:
    public = {
        subnet.at("cidr").value
        for _, spec in world.specs(_NETWORK)
        for subnet in spec.each("subnets[]")
        if as_bool(subnet.at("public").value) is True and not subnet.at("cidr").unknown
    }
    for subnet in world.of(_SUBNET):
        gives, cidr = subnet.at("mapPublicIpOnLaunch"), subnet.at("cidrBlock")
        if NOT_TRUE.holds(gives.value) or cidr.value in public:
            continue
        unknown = next((node for node in (gives, cidr) if node.unknown), None)
        found = Finding(gives.path, "must not be true where the network does not call the subnet public")
        yield about(subnet, deferred(unknown.path) if unknown else found)


def _below_product(resource: Resource) -> bool:
    return resource.below(PRODUCT) is not None


def _no_proxy(cluster: Resource) -> bool:
    return as_bool(cluster.get("workers.publicProxy")) is not True


RULE = Rule(
    "server-no-public-ip",
    (
        *closed(
            on(
                "aws:ec2/instance:Instance",
                need("associatePublicIpAddress", NOT_TRUE),
                unknown="fail",
                when=_below_product,
            ),
            on(
                "aws:ec2/launchTemplate:LaunchTemplate",
                need("networkInterfaces[].associatePublicIpAddress", NOT_TRUE),
                unknown="fail",
            ),
            on("aws:ec2/eip:Eip", need("instance", UNSET), need("networkInterface", UNSET), unknown="fail"),
            on(
                "aws:ec2/eipAssociation:EipAssociation",
                need("instanceId", UNSET),
                need("networkInterfaceId", UNSET),
                unknown="fail",
            ),
            on(
                "azure-native:network:NetworkInterface",
                need("ipConfigurations[].publicIPAddress", UNSET),
                unknown="fail",
            ),
            on("azure-native:compute:VirtualMachine", need(_AZURE_INTERFACES, UNSET), unknown="fail"),
            on(
                "azure-native:compute:VirtualMachineScaleSet",
                need(f"virtualMachineProfile.{_AZURE_INTERFACES}", UNSET),
                unknown="fail",
            ),
            on(
                ("gcp:compute/instance:Instance", "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate"),
                need("networkInterfaces[].accessConfigs[]", NO_ITEM),
                need("networkInterfaces[].ipv6AccessConfigs[]", NO_ITEM),
                unknown="fail",
            ),
        ),
        on(
            "azure-native:containerservice:ManagedCluster",
            need("agentPoolProfiles[].enableNodePublicIP", NOT_TRUE),
            unknown="fail",
        ),
        on("azure-native:containerservice:AgentPool", need("enableNodePublicIP", NOT_TRUE), unknown="fail"),
        on(RAFT, need("server.publicIp", FALSE), unknown="fail"),
        on(
            BOUNDARY,
            need("server.publicIp", FALSE),
            unknown="fail",
            when=_no_proxy,
            reads=("workers.publicProxy",),
        ),
        across(
            _subnets,
            (_SUBNET, ("mapPublicIpOnLaunch", "cidrBlock")),
            (_NETWORK, ("spec.subnets[].cidr", "spec.subnets[].public")),
        ),
    ),
)
