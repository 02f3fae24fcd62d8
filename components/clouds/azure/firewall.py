"""The flow table in Azure's words: one security group on every network interface, one application group a role.

Owns rules by role and port. Which networks may reach a subnet at all is the network's guard.

One group holds all rules, inline: rules name roles by application groups, so every machine can have the same list,
and the whole list changes in one request. Rules are tried by priority; the last one of ours denies what Azure's
defaults would let through, which is the whole of `VirtualNetwork` with every prefix that a VPN has learned.

Azure's own: the host's DNS, DHCP and metadata addresses are not subject to rules, so none allows them.

Dangerous edge: a rule names its sources by application groups or by prefixes, never both. Application groups know
only machines of this network; peers come over the VPN and are named by prefix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network

from components.clouds.contract import FirewallArgs
from components.plan import addressing
from components.plan.flows import EGRESS, FLOWS, Flow, Port
from components.plan.spec import ROLES, Role, Stack

from .component import Component
from .network import LOWEST_PRIORITY
from .place import Place, own
from .relay import aliases_of

_SSH = Port.of(22)
"""From the bastion's subnet alone; no machine and no other network can send it."""
_FIRST, _STEP = 100, 10
_ANY = ("*",)


@dataclass(frozen=True)
class Rule:
    """One allowed kind of traffic, before Azure's classes. Sources are roles or prefixes, not both."""

    name: str
    protocol: str
    ports: tuple[str, ...]
    why: str
    roles: tuple[Role, ...] = ()
    prefixes: tuple[str, ...] = ()
    targets: tuple[Role, ...] = ()
    """Roles that receive; empty for traffic out, which `prefixes` name the destinations of."""


def inbound(stack: Stack) -> Iterator[Rule]:
    """Rules of the flow table for this region, in the order of the table, and the operators' way in."""
    for flow in FLOWS:
        prefixes = _networks(stack, flow)
        for protocol in flow.protocols:
            name = f"{flow.name}-{protocol}"
            row = (protocol.capitalize(), _ports(flow.port, protocol), flow.why)
            if flow.roles:
                yield Rule(f"{name}-roles", *row, roles=flow.roles, targets=flow.targets)
            if prefixes:
                yield Rule(f"{name}-networks", *row, prefixes=prefixes, targets=flow.targets)
            if "probes" in flow.sources:
                yield Rule(f"{name}-probes", *row, prefixes=("AzureLoadBalancer",), targets=flow.targets)
    bastion = addressing.edge_subnets(stack.region)["bastion"]
    yield Rule("ssh-bastion", "Tcp", (str(_SSH),), "operators, by the bastion", prefixes=(bastion,), targets=ROLES)


def outbound(stack: Stack) -> Iterator[Rule]:
    """Rules of the egress table; they hold for every machine."""
    for egress in EGRESS:
        to = _ANY if egress.destination == "anywhere" else _mesh(stack)
        ports = (str(egress.port),) if egress.port else _ANY
        yield Rule(egress.name, "Tcp" if egress.port else "*", ports, egress.why, prefixes=to)


def _ports(port: Port, protocol: str) -> tuple[str, ...]:
    if protocol == "icmp":
        return _ANY
    return (str(port), *(str(alias) for alias in aliases_of(port)))


def _mesh(stack: Stack) -> tuple[str, ...]:
    return tuple(stack.platform.regions[cloud].cidr for cloud in stack.platform.clouds)


def _networks(stack: Stack, flow: Flow) -> tuple[str, ...]:
    if "mesh" in flow.sources:
        return _mesh(stack)
    peers = tuple(peer.cidr for peer in stack.platform.peers(stack.cloud)) if "peers" in flow.sources else ()
    own_region = (stack.region.cidr,) if "region" in flow.sources else ()
    return peers + own_region


class Firewall(Component):
    """Default deny, and the flow table."""

    groups: Mapping[Role, pulumi.Output[str]]
    balancers: pulumi.Output[str] | None
    """None: Azure's internal balancers have no firewall of their own."""
    rules: pulumi.Output[str]
    """The security group that every network interface is put under."""

    def __init__(self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = own(Place, args.site)
        spec = {"cloud": place.stack.cloud, "flows": [flow.name for flow in FLOWS]}
        super().__init__("Firewall", name, spec, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.balancers = None
        self.groups = {
            role: network.ApplicationSecurityGroup(
                f"{name}-{role}",
                resource_group_name=place.group,
                application_security_group_name=place.names.thing(role),
                location=place.location,
                opts=child,
            ).id
            for role in ROLES
        }
        self.rules = network.NetworkSecurityGroup(
            name,
            resource_group_name=place.group,
            network_security_group_name=place.names.thing("firewall"),
            location=place.location,
            security_rules=[
                *(self._allow_in(index, rule) for index, rule in enumerate(inbound(place.stack))),
                _deny("Inbound"),
                *(_allow_out(index, rule) for index, rule in enumerate(outbound(place.stack))),
                _deny("Outbound"),
            ],
            opts=child,
        ).id
        self.register_outputs({"spec": spec, "groups": dict(self.groups)})

    def _members(self, roles: tuple[Role, ...]) -> list[network.ApplicationSecurityGroupArgs]:
        return [network.ApplicationSecurityGroupArgs(id=self.groups[role]) for role in roles]

    def _allow_in(self, index: int, rule: Rule) -> network.SecurityRuleArgs:
        return network.SecurityRuleArgs(
            name=rule.name,
            description=rule.why,
            priority=_FIRST + index * _STEP,
            direction="Inbound",
            access="Allow",
            protocol=rule.protocol,
            source_application_security_groups=self._members(rule.roles) or None,
            source_address_prefix=_single(rule.prefixes),
            source_address_prefixes=_several(rule.prefixes),
            source_port_range="*",
            destination_application_security_groups=self._members(rule.targets),
            destination_port_range=_single(rule.ports),
            destination_port_ranges=_several(rule.ports),
        )


def _allow_out(index: int, rule: Rule) -> network.SecurityRuleArgs:
    return network.SecurityRuleArgs(
        name=f"{rule.name}-out",
        description=rule.why,
        priority=_FIRST + index * _STEP,
        direction="Outbound",
        access="Allow",
        protocol=rule.protocol,
        source_address_prefix="*",
        source_port_range="*",
        destination_address_prefix=_single(rule.prefixes),
        destination_address_prefixes=_several(rule.prefixes),
        destination_port_range=_single(rule.ports),
        destination_port_ranges=_several(rule.ports),
    )


def _deny(direction: str) -> network.SecurityRuleArgs:
    return network.SecurityRuleArgs(
        name=f"rest-{direction.lower()}",
        description="everything that no flow names",
        priority=LOWEST_PRIORITY,
        direction=direction,
        access="Deny",
        protocol="*",
        source_address_prefix="*",
        source_port_range="*",
        destination_address_prefix="*",
        destination_port_range="*",
    )


# Azure knows each of these twice: `*` and service tags go into the singular, lists into the plural, never both.
def _single(values: tuple[str, ...]) -> str | None:
    return values[0] if len(values) == 1 else None


def _several(values: tuple[str, ...]) -> list[str] | None:
    return list(values) if len(values) > 1 else None
