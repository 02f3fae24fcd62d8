"""The flow table as firewall rules that know a machine by its service account.

Owns the spelling of the flow table on GCP: which accounts and ranges a flow becomes. Which flows there are is
`plan.flows`. A rule admits its ranges *or* its accounts, never both together, which is what a flow means.

There is no rule for SSH. Operators come through Identity-Aware Proxy, which reaches a machine from
35.235.240.0/20: a `gcloud` user with the IAM role admits that range to port 22 by a rule of their own for the hour of
an emergency, and removes it afterwards, because no update knows of it. It is not open by plan.

Dangerous edges:
- A source account does not match traffic that arrives through a tunnel: between regions ranges are named.
- A balancer's own probes come from public ranges of Google; without them every server counts as ill.
- The two deny-all rules stand above the implied rule that lets everything out, and below every flow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict, Unpack

import pulumi
import pulumi_gcp as gcp

from components.clouds.contract import FirewallArgs, type_token
from components.clouds.specs import firewall_spec
from components.plan.flows import EGRESS, FLOWS, Egress, Flow, Source
from components.plan.spec import ROLES, Role, Stack

_ALLOW, _DENY = 1000, 65000
"""Priorities; the lower number wins."""
_ANYWHERE = "0.0.0.0/0"
_PROBES = ("35.191.0.0/16", "130.211.0.0/22")
"""Where Google's health checks come from (cloud-reference, "Load balancer")."""


def ranges(stack: Stack, sources: Sequence[Source]) -> list[str]:
    """CIDRs that the sources stand for in this region, in a fixed order."""
    peers = [peer.cidr for peer in stack.platform.peers(stack.cloud)]
    meaning: Mapping[Source, Sequence[str]] = {
        "peers": peers,
        "mesh": [stack.region.cidr, *peers],
        "probes": _PROBES,
    }
    return sorted({cidr for source in sources for cidr in meaning[source]})


class _Rule(TypedDict, total=False):
    """What distinguishes one rule from another."""

    description: str
    priority: int
    allows: Sequence[gcp.compute.FirewallAllowArgs]
    denies: Sequence[gcp.compute.FirewallDenyArgs]
    source_ranges: Sequence[str] | None
    source_service_accounts: Sequence[pulumi.Output[str]] | None
    destination_ranges: Sequence[str]
    target_service_accounts: Sequence[pulumi.Output[str]]


class Firewall(pulumi.ComponentResource):
    """One rule a flow, and two that deny the rest."""

    groups: Mapping[Role, pulumi.Output[str]]
    balancers: pulumi.Output[str] | None

    def __init__(self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = firewall_spec(args)
        super().__init__(type_token("Firewall"), name, spec, opts)
        self._name, self._args = name, args
        self.groups = args.identities.attached
        self.balancers = None
        for flow in FLOWS:
            self._admit(flow)
        for egress in EGRESS:
            self._let_out(egress)
        everything, anywhere = [gcp.compute.FirewallDenyArgs(protocol="all")], [_ANYWHERE]
        self._rule("deny-in", "INGRESS", priority=_DENY, denies=everything, source_ranges=anywhere)
        self._rule("deny-out", "EGRESS", priority=_DENY, denies=everything, destination_ranges=anywhere)
        self.register_outputs({"spec": spec})

    def _accounts(self, roles: Sequence[Role]) -> list[pulumi.Output[str]]:
        return [self.groups[role] for role in roles]

    def _admit(self, flow: Flow) -> None:
        cidrs = ranges(self._args.site.stack, flow.sources)
        if not cidrs and not flow.roles:
            return  # a platform of one region has no peers
        ports = None if "icmp" in flow.protocols else [str(flow.port)]
        self._rule(
            flow.name,
            "INGRESS",
            description=flow.why,
            priority=_ALLOW,
            allows=[gcp.compute.FirewallAllowArgs(protocol=protocol, ports=ports) for protocol in flow.protocols],
            source_ranges=cidrs or None,
            source_service_accounts=self._accounts(flow.roles) or None,
            target_service_accounts=self._accounts(flow.targets),
        )

    def _let_out(self, egress: Egress) -> None:
        every = egress.port is None
        self._rule(
            f"out-{egress.name}",
            "EGRESS",
            description=egress.why,
            priority=_ALLOW,
            allows=[
                gcp.compute.FirewallAllowArgs(
                    protocol="all" if every else "tcp", ports=None if every else [str(egress.port)]
                )
            ],
            destination_ranges=(
                [_ANYWHERE] if egress.destination == "anywhere" else ranges(self._args.site.stack, ("mesh",))
            ),
            target_service_accounts=self._accounts(ROLES),
        )

    def _rule(self, purpose: str, direction: Literal["INGRESS", "EGRESS"], **rule: Unpack[_Rule]) -> None:
        gcp.compute.Firewall(
            f"{self._name}-{purpose}",
            name=self._args.site.names.thing(purpose),
            network=self._args.network.id,
            direction=direction,
            disabled=False,
            log_config=gcp.compute.FirewallLogConfigArgs(metadata="INCLUDE_ALL_METADATA"),
            opts=pulumi.ResourceOptions(parent=self),
            **rule,
        )
