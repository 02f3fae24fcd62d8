"""One rule of each type of firewall, from which several rules' cases are made.

Fields are named as rules of the pack read them: `cidrBlocks[]` is a list, `cidrIpv4?` may be absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, patched

FREE = 443
"""A port that no rule guards."""
WORLD = "0.0.0.0/0"


@dataclass(frozen=True)
class Off:
    """A value that makes a rule none that lets in.

    Attributes:
        otherwise: a value with which it does.
        unread: what need not be known then.
    """

    field: str
    value: Any
    otherwise: Any
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class Door:
    """A type of firewall.

    Attributes:
        at: the rule's place in the resource.
        props: the resource, whose rule lets in what is not said yet.
        source: where ranges stand.
        ports: first and last port, or a text.
        also: more places of ranges.
        newer: places of ranges of IPv6.
        groups: machines as sources; where none is named nor a range, everyone is let in.
    """

    token: str
    at: str
    props: Mapping[str, Any]
    source: str
    ports: tuple[str, ...]
    protocol: str
    also: tuple[str, ...] = ()
    newer: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    more_ports: tuple[str, ...] = ()
    off: tuple[Off, ...] = ()

    def place(self, read: str) -> str:
        """Where a field as a whole stands."""
        return self.at + read.removesuffix("?").removesuffix("[]").replace("[]", "[0]")

    def first(self, read: str) -> str:
        """Where a field's value stands, the first one of a list."""
        return self.place(read) + ("[0]" if read.endswith("[]") else "")

    def reads(self, *fields: str) -> tuple[str, ...]:
        return tuple(self.at.replace("[0]", "[]") + read for read in fields)

    def put(self, props: Mapping[str, Any], read: str, value: Any) -> dict[str, Any]:  # noqa: ANN401
        return patched(props, self.place(read), [value] if read.endswith("[]") else value)

    def letting(self, source: Any, port: int) -> dict[str, Any]:  # noqa: ANN401
        """The resource, whose rule lets a source reach a port."""
        props = self.put(self.props, self.source, source)
        for number in self.ports:
            props = self.put(props, number, port if len(self.ports) == 2 else str(port))
        return props


_INLINE: Mapping[str, Any] = {
    "source": "cidrBlocks[]",
    "ports": ("fromPort", "toPort"),
    "protocol": "protocol",
    "newer": ("ipv6CidrBlocks[]",),
    "lists": ("prefixListIds[]",),
}
_AZURE: Mapping[str, Any] = {
    "source": "sourceAddressPrefix?",
    "ports": ("destinationPortRange?",),
    "protocol": "protocol",
    "also": ("sourceAddressPrefixes[]",),
    "groups": ("sourceApplicationSecurityGroups[]",),
    "more_ports": ("destinationPortRanges[]",),
    "off": (Off("direction", "Outbound", "Inbound", ("access", "priority")), Off("access", "Deny", "Allow")),
}
_AZURE_RULE = {
    "name": "rule",
    "priority": 100,
    "direction": "Inbound",
    "access": "Allow",
    "protocol": "Tcp",
    "sourcePortRange": "*",
    "destinationAddressPrefix": "*",
}
_POLICY: Mapping[str, Any] = {
    "source": "match.srcIpRanges[]",
    "ports": ("match.layer4Configs[].ports[]",),
    "protocol": "match.layer4Configs[].ipProtocol",
    "groups": ("match.srcSecureTags[]",),
    "off": (
        Off("direction", "EGRESS", "INGRESS", ("disabled", "priority")),
        Off("disabled", value=True, otherwise=False, unread=("priority",)),
        Off("action", "deny", "allow"),
        Off("action", "goto_next", "apply_security_profile_group", ("priority",)),
    ),
}
_POLICY_RULE = {
    "priority": 100,
    "direction": "INGRESS",
    "disabled": False,
    "action": "allow",
    "match": {"layer4Configs": [{"ipProtocol": "tcp"}]},
}
_TAG = {"name": "tagValues/1"}
_ID = {"id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/applicationSecurityGroups/workers"}
_MEMBERS: Mapping[str, Any] = {
    "sourceApplicationSecurityGroups[]": _ID,
    "match.srcSecureTags[]": _TAG,
    "sourceTags[]": "worker",
    "sourceServiceAccounts[]": "worker@project.iam.gserviceaccount.com",
}

DOORS = (
    Door(
        "aws:ec2/securityGroup:SecurityGroup",
        "ingress[0].",
        {"vpcId": "vpc-1", "ingress": [{"protocol": "tcp"}]},
        **_INLINE,
    ),
    Door(
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        "ingress[0].",
        {"vpcId": "vpc-1", "ingress": [{"protocol": "tcp"}]},
        **_INLINE,
    ),
    Door(
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        "",
        {"type": "ingress", "securityGroupId": "sg-1", "protocol": "tcp"},
        **_INLINE,
        off=(Off("type", "egress", "ingress"),),
    ),
    Door(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "",
        {"securityGroupId": "sg-1", "ipProtocol": "tcp"},
        "cidrIpv4?",
        ("fromPort", "toPort"),
        "ipProtocol",
        newer=("cidrIpv6?",),
        lists=("prefixListId?",),
    ),
    Door(
        "azure-native:network:NetworkSecurityGroup",
        "securityRules[0].",
        {"resourceGroupName": "rg", "securityRules": [_AZURE_RULE]},
        **_AZURE,
    ),
    Door(
        "azure-native:network:SecurityRule",
        "",
        {"resourceGroupName": "rg", "networkSecurityGroupName": "servers", **_AZURE_RULE},
        **_AZURE,
    ),
    Door(
        "gcp:compute/firewall:Firewall",
        "",
        {
            "network": "platform",
            "direction": "INGRESS",
            "disabled": False,
            "priority": 1000,
            "allows": [{"protocol": "tcp"}],
        },
        "sourceRanges[]",
        ("allows[].ports[]",),
        "allows[].protocol",
        groups=("sourceTags[]", "sourceServiceAccounts[]"),
        off=(
            Off("direction", "EGRESS", "INGRESS", ("disabled", "priority")),
            Off("disabled", value=True, otherwise=False, unread=("priority",)),
        ),
    ),
    *(
        Door(token, "", {"firewallPolicy": "policy", **_POLICY_RULE}, **_POLICY)
        for token in (
            "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
            "gcp:compute/regionNetworkFirewallPolicyRule:RegionNetworkFirewallPolicyRule",
            "gcp:compute/firewallPolicyRule:FirewallPolicyRule",
        )
    ),
    *(
        Door(token, "rules[0].", {**more, "rules": [_POLICY_RULE]}, **_POLICY)
        for token, more in (
            ("gcp:compute/networkFirewallPolicyWithRules:NetworkFirewallPolicyWithRules", {}),
            ("gcp:compute/regionNetworkFirewallPolicyWithRules:RegionNetworkFirewallPolicyWithRules", {}),
            (
                "gcp:compute/firewallPolicyWithRules:FirewallPolicyWithRules",
                {"parent": "organizations/1", "shortName": "policy"},
            ),
        )
    ),
)


def cases(guarded: int, fine: str, foul: Sequence[Any], *, world_only: bool) -> Iterator[Case]:
    """Cases of a rule that guards a port of TCP.

    Args:
        guarded: the port.
        fine: a source that may reach it.
        foul: sources that may not.
        world_only: whether the rule is about the world alone: it lets prefix lists pass, and refuses the world where
            ports are not known yet.
    """
    for door in DOORS:
        yield _scoped(door, guarded, fine, foul, lists=world_only)
        yield _elsewhere(door, guarded, literal=world_only)
        yield from _idle(door, guarded)
        yield from _of_machines(door, guarded)
    yield _refusing(guarded)


def _scoped(door: Door, guarded: int, fine: str, foul: Sequence[Any], *, lists: bool) -> Case:
    """The port is open to those who may reach it."""
    props = door.letting(fine, guarded)
    breaks: dict[str, Sequence[Any]] = {door.first(door.source): foul}
    for read in door.also:
        props = door.put(props, read, fine)
        breaks[door.first(read)] = foul
    for read in door.newer:
        breaks[door.place(read)] = (["::/0"],) if read.endswith("[]") else ("::/0",)
    for read in door.lists:
        if lists:
            props = door.put(props, read, "pl-1")
        else:
            breaks[door.place(read)] = (["pl-1"],) if read.endswith("[]") else ("pl-1",)
    silent = door.reads(door.protocol, *door.ports, *door.lists)
    return Case(door.token, props, breaks, indifferent=silent)


def _elsewhere(door: Door, guarded: int, *, literal: bool) -> Case:
    """The world reaches another port."""
    unknown = (UNKNOWN,) if literal else ()
    breaks: dict[str, Sequence[Any]]
    if len(door.ports) == 2:
        breaks = {
            door.place("fromPort"): unknown,
            door.place("toPort"): (guarded, 65535, ABSENT, -1, *unknown),
            door.place(door.protocol): ("-1", "all", *unknown),
        }
    else:
        texts = (str(guarded), f"{FREE}-{guarded}", "*", "any", *unknown)
        breaks = {door.first(door.ports[0]): texts, door.place(door.protocol): unknown}
        breaks |= {door.place(read): ([str(FREE), str(guarded)], *map(list, zip(unknown))) for read in door.more_ports}
    return Case(door.token, door.letting(WORLD, FREE), breaks, indifferent=door.reads(door.source))


def _idle(door: Door, guarded: int) -> Iterator[Case]:
    """The rule lets nothing in."""
    for off in door.off:
        yield Case(
            door.token,
            door.put(door.letting(WORLD, guarded), off.field, off.value),
            {door.place(off.field): (off.otherwise, ABSENT)},
            indifferent=door.reads(door.source, door.protocol, *door.ports, *off.unread),
        )


def _of_machines(door: Door, guarded: int) -> Iterator[Case]:
    """Only machines are let in; with none named, that would be everyone."""
    for read in door.groups:
        props = patched(door.letting(WORLD, guarded), door.place(door.source), ABSENT)
        yield Case(
            door.token,
            door.put(props, read, _MEMBERS[read]),
            {door.place(read): (ABSENT, [])},
            indifferent=door.reads(door.protocol, *door.ports, *door.groups),
        )


def _refusing(guarded: int) -> Case:
    """A firewall of GCP that refuses."""
    return Case(
        "gcp:compute/firewall:Firewall",
        {
            "network": "platform",
            "sourceRanges": [WORLD],
            "denies": [{"protocol": "tcp", "ports": [f"{FREE}-{guarded}"]}],
        },
        {"allows": ([{"protocol": "tcp", "ports": [str(guarded)]}], [{"protocol": "tcp"}], [{"protocol": "all"}])},
        indifferent=("sourceRanges[]", "denies[].protocol", "denies[].ports[]"),
    )
