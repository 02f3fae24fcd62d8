"""Security groups from the flow table: default deny, one group a role, one for all machines, one for balancers.

Owns how a flow becomes rules; ports and senders stand in `plan.flows`. A machine is put into the group of its
role and into the group of all machines: flows between all roles then cost one rule instead of one for every
pair, and open exactly the same.

A flow from the whole mesh needs no rules for its roles: the region's own range holds them all.

Dangerous edges:
- A group's description cannot be edited: another text replaces the group.
- References to groups end at the VPC; peers are only ever CIDRs.
- Balancers hide the client's address, so a server admits them by group, and who may call is decided at their
  front ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.clouds.contract import FirewallArgs, type_token
from components.clouds.specs import firewall_spec
from components.plan.flows import BALANCERS, EGRESS, FLOWS, Flow, Port, Protocol
from components.plan.spec import ROLES, SERVER_ROLE, Product, Role, Stack

MACHINES, BALANCER_GROUP = "machines", "balancers"
Group = Role | Literal["machines", "balancers"]

_DESCRIPTIONS: dict[Group, str] = {
    MACHINES: "Every machine of the platform",
    BALANCER_GROUP: "Internal balancers of the platform",
    **{role: f"Machines of the role {role}" for role in ROLES},
}
_ECHO_REQUEST, _ECHO_CODE = 8, 0
_ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Rule:
    """One rule of one group. `peer` is a group or a CIDR: who may send (in), or whom one may reach (out)."""

    name: str
    direction: Literal["in", "out"]
    group: Group
    peer: Group | str
    protocol: Protocol | Literal["-1"]
    port: Port | None
    why: str

    @property
    def range(self) -> tuple[int | None, int | None]:
        """First and last port; type and code of ICMP."""
        if self.protocol == "icmp":
            return _ECHO_REQUEST, _ECHO_CODE
        return (self.port.first, self.port.last) if self.port else (None, None)

    @property
    def key(self) -> str:
        """Stable name of the rule among all."""
        return f"{self.group}-{self.name}-{self.protocol}-{self.direction}-{self.peer.replace('/', '-')}"


def _senders(flow: Flow, stack: Stack) -> list[Group | str]:
    mesh = {"own": stack.region.cidr, **{peer.cloud: peer.cidr for peer in stack.platform.peers(stack.cloud)}}
    senders: list[Group | str] = []
    if "mesh" in flow.sources:
        senders += mesh.values()
    elif set(flow.roles) == set(ROLES):
        senders.append(MACHINES)
    else:
        senders += flow.roles
    if "peers" in flow.sources:
        senders += [cidr for cloud, cidr in mesh.items() if cloud != "own"]
    return list(dict.fromkeys(senders))


def _machines_in(stack: Stack) -> Iterator[Rule]:
    for flow in FLOWS:
        targets: tuple[Group, ...] = (MACHINES,) if set(flow.targets) == set(ROLES) else flow.targets
        senders = _senders(flow, stack) + ([BALANCER_GROUP] if "probes" in flow.sources else [])
        for target in targets:
            for protocol in flow.protocols:
                for sender in senders:
                    yield Rule(flow.name, "in", target, sender, protocol, flow.port, flow.why)


def _machines_out(stack: Stack) -> Iterator[Rule]:
    mesh = [stack.region.cidr, *(peer.cidr for peer in stack.platform.peers(stack.cloud))]
    for egress in EGRESS:
        for destination in [_ANYWHERE] if egress.destination == "anywhere" else mesh:
            protocol = "tcp" if egress.port else "-1"
            yield Rule(egress.name, "out", MACHINES, destination, protocol, egress.port, egress.why)


def _served(product: Product, port: Port) -> Flow:
    role = SERVER_ROLE[product]
    return next(flow for flow in FLOWS if role in flow.targets and flow.port == port)


def _balancers(stack: Stack) -> Iterator[Rule]:
    for product, balanced in BALANCERS.items():
        for listener in balanced.listeners:
            flow = _served(product, listener.back)
            for sender in _senders(flow, stack):
                name = f"{product}-{listener.front}"
                yield Rule(name, "in", BALANCER_GROUP, sender, "tcp", listener.front, flow.why)
        for back in dict.fromkeys(listener.back for listener in balanced.listeners):
            why = "traffic and health checks"
            yield Rule(f"{product}-{back}", "out", BALANCER_GROUP, SERVER_ROLE[product], "tcp", back, why)


def rules(stack: Stack) -> tuple[Rule, ...]:
    """Every rule of the region, derived from the flow table."""
    return (*_machines_in(stack), *_machines_out(stack), *_balancers(stack))


class Firewall(pulumi.ComponentResource):
    """Groups and their rules."""

    groups: Mapping[Role, pulumi.Output[str]]
    machines: pulumi.Output[str]
    """The group of all machines."""
    balancers: pulumi.Output[str] | None

    def __init__(self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = firewall_spec(args)
        super().__init__(type_token("Firewall"), name, spec, opts)
        self._prefix, self._child = name, pulumi.ResourceOptions(parent=self)
        groups: dict[Group, pulumi.Output[str]] = {
            group: aws.ec2.SecurityGroup(
                f"{name}-{group}",
                name=args.site.names.thing(group),
                description=description,
                vpc_id=args.network.id,
                revoke_rules_on_delete=False,
                tags={"Name": args.site.names.thing(group)},
                opts=self._child,
            ).id
            for group, description in _DESCRIPTIONS.items()
        }
        for rule in rules(args.site.stack):
            self._rule(rule, groups)
        self.groups = {role: groups[role] for role in ROLES}
        self.machines, self.balancers = groups[MACHINES], groups[BALANCER_GROUP]
        self.register_outputs({"spec": spec, "groups": groups})

    def _rule(self, rule: Rule, groups: dict[Group, pulumi.Output[str]]) -> None:
        kind = aws.vpc.SecurityGroupIngressRule if rule.direction == "in" else aws.vpc.SecurityGroupEgressRule
        first, last = rule.range
        referenced = next((groups[group] for group in groups if group == rule.peer), None)
        kind(
            f"{self._prefix}-{rule.key}",
            security_group_id=groups[rule.group],
            ip_protocol=rule.protocol,
            from_port=first,
            to_port=last,
            cidr_ipv4=None if referenced else rule.peer,
            referenced_security_group_id=referenced,
            description=f"{rule.name}: {rule.why}",
            opts=self._child,
        )
