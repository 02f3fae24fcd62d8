"""Security rules: the flow table as rows, and the rows in Azure's words.

Owns which rules there are and their order; rows are data, without Pulumi. Who wears them is decided elsewhere: the
network puts its guard on subnets, the firewall its own on network interfaces.

Rules are tried by priority, and the last one of ours denies what Azure's own would let through after it: 65000 admits
all of `VirtualNetwork`, which is every prefix that a VPN has learned, 65001 health probes, outwards everything.
The host's DNS, DHCP and metadata addresses are subject to none.

Dangerous edge: a rule names a side by application groups or by prefixes, never both. Application groups know only
machines of this network; peers come over the VPN and are named by prefix.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_azure_native import network

from components.plan import addressing
from components.plan.flows import EGRESS, FLOWS, SSH, Flow
from components.plan.spec import ROLES, Role, Stack

from .relay import aliases_of

Direction = Literal["Inbound", "Outbound"]

"""From the bastion's subnet alone; no machine and no other network can send it."""
_FIRST, _STEP, _LAST = 100, 10, 4096
_ANY = ("*",)
_PROBES = ("AzureLoadBalancer",)


@dataclass(frozen=True)
class Rule:
    """One kind of traffic that is allowed. The far side is `roles` or `prefixes`; the near one `targets`."""

    name: str
    direction: Direction
    protocol: str
    ports: tuple[str, ...]
    why: str
    roles: tuple[Role, ...] = ()
    prefixes: tuple[str, ...] = ()
    targets: tuple[Role, ...] = ()
    """Empty: every machine that wears the rule."""


def guard(stack: Stack) -> Iterator[Rule]:
    """Which networks may speak to a subnet at all."""
    why = "the platform's regions; the firewall decides further"
    yield Rule("mesh", "Inbound", "*", _ANY, why, prefixes=_mesh(stack))
    yield Rule("probes", "Inbound", "*", _ANY, "health probes of balancers", prefixes=_PROBES)


def inbound(stack: Stack) -> Iterator[Rule]:
    """The flow table for this region, in its order, and the operators' way in."""
    for flow in FLOWS:
        networks = _networks(stack, flow)
        for protocol in flow.protocols:
            name = f"{flow.name}-{protocol}"
            ports = _ANY if protocol == "icmp" else (str(flow.port), *map(str, aliases_of(flow.port)))
            row = ("Inbound", protocol.capitalize(), ports, flow.why)
            if flow.roles:
                yield Rule(f"{name}-roles", *row, roles=flow.roles, targets=flow.targets)
            if networks:
                yield Rule(f"{name}-networks", *row, prefixes=networks, targets=flow.targets)
            if "probes" in flow.sources:
                yield Rule(f"{name}-probes", *row, prefixes=_PROBES, targets=flow.targets)
    bastion = (addressing.edge_subnets(stack.region)["bastion"],)
    yield Rule("ssh-bastion", "Inbound", "Tcp", (str(SSH),), "operators", prefixes=bastion, targets=ROLES)


def outbound(stack: Stack) -> Iterator[Rule]:
    """The egress table, which holds for every machine."""
    for egress in EGRESS:
        protocol, ports = ("Tcp", (str(egress.port),)) if egress.port else ("*", _ANY)
        to = _ANY if egress.destination == "anywhere" else _mesh(stack)
        yield Rule(f"{egress.name}-out", "Outbound", protocol, ports, egress.why, prefixes=to)


def _mesh(stack: Stack) -> tuple[str, ...]:
    return tuple(stack.platform.regions[cloud].cidr for cloud in stack.platform.clouds)


def _networks(stack: Stack, flow: Flow) -> tuple[str, ...]:
    if "mesh" in flow.sources:
        return _mesh(stack)
    return tuple(peer.cidr for peer in stack.platform.peers(stack.cloud)) if "peers" in flow.sources else ()


def rendered(
    rules: Iterable[Rule], groups: Mapping[Role, pulumi.Output[str]] | None = None
) -> list[network.SecurityRuleArgs]:
    """The rules by falling priority, then a denial of the rest for each direction that they speak of.

    Args:
        rules: in the order in which they are tried.
        groups: application group of each role that the rules name.
    """
    count: Counter[Direction] = Counter()
    made: list[network.SecurityRuleArgs] = []
    for rule in rules:
        made.append(_allow(rule, _FIRST + count[rule.direction] * _STEP, groups or {}))
        count[rule.direction] += 1
    return [*made, *(_deny(direction) for direction in count)]


def _allow(rule: Rule, priority: int, groups: Mapping[Role, pulumi.Output[str]]) -> network.SecurityRuleArgs:
    def members(roles: tuple[Role, ...]) -> list[network.ApplicationSecurityGroupArgs] | None:
        return [network.ApplicationSecurityGroupArgs(id=groups[role]) for role in roles] or None

    comes_in = rule.direction == "Inbound"
    sources, destinations = (rule.prefixes, () if rule.targets else _ANY) if comes_in else (_ANY, rule.prefixes)
    return network.SecurityRuleArgs(
        name=rule.name,
        description=rule.why,
        priority=priority,
        direction=rule.direction,
        access="Allow",
        protocol=rule.protocol,
        source_application_security_groups=members(rule.roles),
        source_address_prefix=_single(sources),
        source_address_prefixes=_several(sources),
        source_port_range="*",
        destination_application_security_groups=members(rule.targets),
        destination_address_prefix=_single(destinations),
        destination_address_prefixes=_several(destinations),
        destination_port_range=_single(rule.ports),
        destination_port_ranges=_several(rule.ports),
    )


def _deny(direction: Direction) -> network.SecurityRuleArgs:
    return network.SecurityRuleArgs(
        name=f"rest-{direction.lower()}",
        description="everything that no rule before names",
        priority=_LAST,
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
