"""What firewalls let in, in one form, whatever cloud spells it.

Owns which types hold rules and how each is read. Security groups of AWS hold rules inline or as resources of their own,
those of Azure too, GCP has firewalls and rules of policies, and a Service of Kubernetes may have a balancer. A reader makes `Ingress` of a rule that lets in or refuses;
what goes out, or is switched off, makes none. Whether that is allowed is the rules' business.

Groups, tags and accounts as sources are not read: they name machines of the platform, and what they admit is decided
where those machines get them.

Dangerous edges:
- A rule with no source at all admits everyone in GCP and nobody in AWS.
- What cannot be read counts as every port: an odd spelling must not open one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from policies.concepts.addresses import GOOGLE_PROBES, Networks
from policies.concepts.ports import Span, Spans, shared
from policies.concepts.services import SERVICE, balanced, internal_service
from policies.concepts.spans import numbered, together, worded
from policies.context import Context
from policies.resource import Node, Resource, Undecided
from policies.rule import Check, Finding, each
from policies.values import as_bool, as_int

SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
GROUP_RULES = (
    "aws:ec2/securityGroupRule:SecurityGroupRule",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
)
AZURE_GROUP, AZURE_RULE = "azure-native:network:NetworkSecurityGroup", "azure-native:network:SecurityRule"
GCP_FIREWALL = "gcp:compute/firewall:Firewall"
_GCP_RULES = (
    "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
    "gcp:compute/regionNetworkFirewallPolicyRule:RegionNetworkFirewallPolicyRule",
    "gcp:compute/firewallPolicyRule:FirewallPolicyRule",
)
_GCP_POLICIES = (
    "gcp:compute/networkFirewallPolicyWithRules:NetworkFirewallPolicyWithRules",
    "gcp:compute/regionNetworkFirewallPolicyWithRules:RegionNetworkFirewallPolicyWithRules",
    "gcp:compute/firewallPolicyWithRules:FirewallPolicyWithRules",
)

_USUAL = 1000
"""Priority of a firewall of GCP that names none."""


@dataclass(frozen=True)
class Ingress:
    """What one rule says of traffic that comes in.

    Attributes:
        node: the rule.
        spans: its ports, as far as they are known.
        sources: ranges or the cloud's words for them; unknown ones too.
        lists: prefix lists as sources.
        unknown_port: path of a port or protocol that is not known yet; empty where all are.
        priority: lower ones are tried first.
        trusted: public ranges of the cloud itself, from which nobody else sends.
    """

    node: Node
    spans: Spans
    sources: tuple[Node, ...]
    lists: tuple[Node, ...] = ()
    unknown_port: str = ""
    denies: bool = False
    priority: int = _USUAL
    trusted: Networks = ()

    def meeting(self, guarded: Iterable[Span]) -> Spans:
        """Which of some ports the rule is about."""
        return shared(guarded, self.spans)


Judge = Callable[[Ingress, Resource, Context], Iterable[Finding]]


@dataclass(frozen=True)
class Reader:
    """How rules of one type are read.

    Attributes:
        rules: the list of them in the resource; empty where the resource is one.
        reads: paths below a rule.
    """

    rules: str
    reads: tuple[str, ...]
    read: Callable[[Node], Iterator[Ingress]]

    def nodes(self, resource: Resource) -> Iterator[Node]:
        """The rules of a resource; one unknown for an unknown list."""
        yield from resource.each(self.rules) if self.rules else (resource.node,)

    @property
    def paths(self) -> tuple[str, ...]:
        """What is read, from the resource on."""
        return tuple(f"{self.rules}.{path}" if self.rules else path for path in self.reads)

    def check(self, token: str, judge: Judge) -> Check:
        """A check of every rule in resources of a type."""

        def judged(node: Node, resource: Resource, context: Context) -> Iterator[Finding]:
            for rule in self.read(node):
                yield from judge(rule, resource, context)

        if self.rules:
            return each(token, self.rules, judged, self.reads)
        return Check((token,), lambda resource, context: judged(resource.node, resource, context), self.reads)


def checks(judge: Judge, readers: Mapping[str, Reader] | None = None) -> tuple[Check, ...]:
    """A check for each type that holds rules."""
    return tuple(reader.check(token, judge) for token, reader in (FIREWALLS if readers is None else readers).items())


def rules(resource: Resource) -> Iterator[Ingress | None]:
    """The rules of a resource; None for one of which it is not known yet whether it lets in."""
    reader = FIREWALLS[resource.kind]
    for node in reader.nodes(resource):
        try:
            yield from list(reader.read(node)) if not node.unknown else [None]
        except Undecided:
            yield None


# Sources.


def _given(node: Node, *paths: str) -> tuple[Node, ...]:
    """What stands at the paths; some outputs hold an empty text where nothing was set."""
    return tuple(found for path in paths for found in node.each(path) if found.value != "")


def _sources(node: Node, ranges: tuple[str, ...], others: tuple[str, ...]) -> tuple[Node, ...]:
    """Sources where no source means everyone."""
    found = _given(node, *ranges)
    missing = ranges[0].rstrip("?[]")
    everyone = Node(f"{node.path}.{missing}" if node.path else missing, "*")
    return found or (() if _given(node, *others) else (everyone,))


# Clouds.

_AWS_INLINE = ("protocol", "fromPort", "toPort", "cidrBlocks[]", "ipv6CidrBlocks[]", "prefixListIds[]")


def _inline(node: Node) -> Iterator[Ingress]:
    spans, unknown = numbered(node, node.at("protocol"))
    yield Ingress(
        node, spans, _given(node, "cidrBlocks[]", "ipv6CidrBlocks[]"), _given(node, "prefixListIds[]"), unknown
    )


def _group_rule(node: Node) -> Iterator[Ingress]:
    if node.get("type") != "egress":
        yield from _inline(node)


def _ingress_rule(node: Node) -> Iterator[Ingress]:
    spans, unknown = numbered(node, node.at("ipProtocol"))
    yield Ingress(node, spans, _given(node, "cidrIpv4?", "cidrIpv6?"), _given(node, "prefixListId?"), unknown)


def _acl_rule(node: Node) -> Iterator[Ingress]:
    if as_bool(node.get("egress")) is not True and str(node.get("ruleAction")).lower() != "deny":
        spans, unknown = numbered(node, node.at("protocol"))
        yield Ingress(node, spans, _given(node, "cidrBlock?", "ipv6CidrBlock?"), unknown_port=unknown)


_AZURE_RANGES = ("sourceAddressPrefix?", "sourceAddressPrefixes[]")
_AZURE_GROUPS = ("sourceApplicationSecurityGroups[]",)
_AZURE_PORTS = ("destinationPortRange?", "destinationPortRanges[]")
_AZURE = ("direction", "access", "protocol", "priority", *_AZURE_PORTS, *_AZURE_RANGES, *_AZURE_GROUPS)


def _azure(node: Node) -> Iterator[Ingress]:
    if str(node.get("direction")).lower() == "outbound":
        return
    spans, unknown = worded(node.at("protocol"), _given(node, *_AZURE_PORTS))
    yield Ingress(
        node,
        spans,
        _sources(node, _AZURE_RANGES, _AZURE_GROUPS),
        unknown_port=unknown,
        denies=str(node.get("access")).lower() == "deny",
        priority=_priority(node),
    )


_GCP_GROUPS = ("sourceTags[]", "sourceServiceAccounts[]")
_GCP_PORTS = ("allows[].protocol", "allows[].ports[]", "denies[].protocol", "denies[].ports[]")
_GCP = ("direction", "disabled", "priority", "sourceRanges[]", *_GCP_GROUPS, *_GCP_PORTS)


def _gcp(node: Node) -> Iterator[Ingress]:
    if _idle(node):
        return
    for name, denies in (("allows", False), ("denies", True)):
        entries = list(node.each(f"{name}[]"))
        if entries:
            spans, unknown = together(worded(entry.at("protocol"), entry.each("ports[]")) for entry in entries)
            sources = _sources(node, ("sourceRanges[]",), _GCP_GROUPS)
            yield Ingress(node, spans, sources, (), unknown, denies, _priority(node), GOOGLE_PROBES)


_POLICY_PORTS = ("match.layer4Configs[].ipProtocol", "match.layer4Configs[].ports[]")
_POLICY_GROUPS = ("match.srcSecureTags[]",)
_POLICY = ("direction", "disabled", "action", "priority", "match.srcIpRanges[]", *_POLICY_GROUPS, *_POLICY_PORTS)


def _policy(node: Node) -> Iterator[Ingress]:
    action = str(node.get("action")).lower()
    if _idle(node) or action == "goto_next":
        return
    layers = node.each("match.layer4Configs[]")
    spans, unknown = together(worded(layer.at("ipProtocol"), layer.each("ports[]")) for layer in layers)
    sources = _sources(node, ("match.srcIpRanges[]",), _POLICY_GROUPS)
    yield Ingress(node, spans, sources, (), unknown, action == "deny", _priority(node), GOOGLE_PROBES)


def _idle(node: Node) -> bool:
    """Whether a rule of GCP is about what goes out, or switched off."""
    return str(node.get("direction")).upper() == "EGRESS" or as_bool(node.get("disabled")) is True


def _priority(node: Node) -> int:
    number = as_int(node.get("priority"))
    return _USUAL if number is None else number


def _service(node: Node) -> Iterator[Ingress]:
    if balanced(node) and not internal_service(node):
        ports = node.each("spec.ports[]")
        spans, unknown = together(worded(port.at("protocol"), [port.at("port")], "TCP") for port in ports)
        yield Ingress(node, spans, _sources(node, ("spec.loadBalancerSourceRanges[]",), ()), unknown_port=unknown)


_INGRESS_RULE = ("ipProtocol", "fromPort", "toPort", "cidrIpv4?", "cidrIpv6?", "prefixListId?")
FIREWALLS: Mapping[str, Reader] = {
    SECURITY_GROUP: Reader("ingress[]", _AWS_INLINE, _inline),
    DEFAULT_GROUP: Reader("ingress[]", _AWS_INLINE, _inline),
    GROUP_RULES[0]: Reader("", ("type", *_AWS_INLINE), _group_rule),
    GROUP_RULES[1]: Reader("", _INGRESS_RULE, _ingress_rule),
    AZURE_GROUP: Reader("securityRules[]", _AZURE, _azure),
    AZURE_RULE: Reader("", _AZURE, _azure),
    GCP_FIREWALL: Reader("", _GCP, _gcp),
    **{token: Reader("", _POLICY, _policy) for token in _GCP_RULES},
    **{token: Reader("rules[]", _POLICY, _policy) for token in _GCP_POLICIES},
}
"""Firewalls by type."""
ACL_RULE: Mapping[str, Reader] = {
    "aws:ec2/networkAclRule:NetworkAclRule": Reader(
        "", ("egress", "ruleAction", "protocol", "fromPort", "toPort", "cidrBlock?", "ipv6CidrBlock?"), _acl_rule
    )
}
"""A second fence around subnets; the groups decide."""
_SERVICE = (
    "spec.type",
    "spec.ports[].port",
    "spec.ports[].protocol",
    "spec.loadBalancerSourceRanges[]",
    "metadata.annotations",
)
SERVICES: Mapping[str, Reader] = {
    SERVICE: Reader("", _SERVICE, _service),
    f"{SERVICE}List": Reader("items[]", _SERVICE, _service),
}
"""Balancers that Kubernetes makes, which open their own way in."""
