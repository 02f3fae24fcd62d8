"""What all rules that reach one group of machines admit together.

Owns which rules reach the same machines: inline rules and standalone ones of a security group, firewalls of a network by
their targets, and the ranges of prefix lists. Half of the internet in one rule and half in another is all of it.

Dangerous edge: a denial takes away only what comes after it, and only where it is known to hold for all that the group's
machines get.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from policies.concepts.addresses import Network, Networks, admitted, parsed, public, refused, subtract, too_many
from policies.concepts.ingress import (
    AZURE_GROUP,
    AZURE_RULE,
    DEFAULT_GROUP,
    GCP_FIREWALL,
    GROUP_RULES,
    SECURITY_GROUP,
    Ingress,
    rules,
)
from policies.concepts.ports import Span, Spans, shared
from policies.resource import Node, Resource, World
from policies.values import ABSENT

PREFIX_LIST = "aws:ec2/managedPrefixList:ManagedPrefixList"
PREFIX_ENTRY = "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry"
_NETWORK = "gcp:compute/network:Network"
_HELD = (
    ((SECURITY_GROUP, DEFAULT_GROUP), GROUP_RULES, "securityGroupId"),
    ((AZURE_GROUP,), (AZURE_RULE,), "networkSecurityGroupName"),
)
"""Groups, their standalone rules, and the property that joins the two."""
_TARGETS = ("targetTags[]", "targetServiceAccounts[]")

_WHOLE = {
    "destinationAddressPrefix": ("*", ABSENT),
    "destinationApplicationSecurityGroups": ([], ABSENT),
    "destinationAddressPrefixes": ([], ABSENT),
    "sourcePortRange": ("*", ABSENT),
    "sourcePortRanges": ([], ABSENT),
    "destinationRanges": ([], ABSENT),
}
"""What a denial says that leaves nothing out, in Azure and in GCP."""


@dataclass(frozen=True)
class Part:
    """A rule's part in what its group admits.

    Attributes:
        name: for messages.
        spans: the guarded ports that it is about.
        ranges: who is admitted, as far as it is public; who is refused.
        undecided: whether something that matters is not known yet.
        elsewhere: whether it names a prefix list that this stack does not make.
        certain: whether it is known to reach the group.
    """

    name: str
    spans: Spans
    ranges: Networks
    denies: bool = False
    priority: int = 0
    undecided: bool = False
    elsewhere: bool = False
    certain: bool = True


@dataclass(frozen=True)
class Group:
    """Rules that reach the same machines, and the URN of what stands for them."""

    urn: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Unions:
    """Reads the groups of a stack.

    Attributes:
        guarded: the ports that matter for rules of a resource.
        trusted: public ranges that do not count.
    """

    world: World
    guarded: Callable[[Resource], Spans]
    trusted: Networks

    def groups(self) -> Iterator[Group]:
        """All groups of the stack."""
        for groups, standing, prop in _HELD:
            yield from self._held(list(self.world.of(*groups)), list(self.world.of(*standing)), prop)
        networks: dict[str, list[Resource]] = {}
        for firewall in self.world.of(GCP_FIREWALL):
            networks.setdefault(self._network(firewall), []).append(firewall)
        for network, firewalls in networks.items():
            yield from self._targeted(network if network in self.world.by_urn else firewalls[0].urn, firewalls)

    def _held(self, groups: Sequence[Resource], standing: Sequence[Resource], prop: str) -> Iterator[Group]:
        held: dict[str, list[Resource]] = {group.urn: [group] for group in groups}
        for rule in standing:
            named = rule.at(prop).value
            home = next((group.urn for group in groups if _joins(rule, group, prop)), None)
            held.setdefault(home or (named if isinstance(named, str) else rule.urn), []).append(rule)
        for members in held.values():
            yield Group(members[0].urn, tuple(part for member in members for part in self._parts(member)))

    def _network(self, firewall: Resource) -> str:
        made = (urn for urn in firewall.dependencies.get("network", ()) if self._is(urn, _NETWORK))
        named = firewall.at("network").value
        return next(made, named if isinstance(named, str) else firewall.urn)

    def _is(self, urn: str, kind: str) -> bool:
        return urn in self.world.by_urn and self.world.by_urn[urn].kind == kind

    def _targeted(self, urn: str, firewalls: Sequence[Resource]) -> Iterator[Group]:
        """A group for each target, with what has none; what has an unknown one may reach any."""
        parts = {firewall.urn: tuple(self._parts(firewall)) for firewall in firewalls}
        targets = {firewall.urn: [node for path in _TARGETS for node in firewall.each(path)] for firewall in firewalls}
        names = {str(node.value) for nodes in targets.values() for node in nodes if not node.unknown}
        for name in sorted(names) or [""]:
            yield Group(
                urn,
                tuple(
                    replace(part, certain=certain)
                    for firewall, nodes in targets.items()
                    if (certain := _reaches(nodes, name)) is not None
                    for part in parts[firewall]
                ),
            )

    def _parts(self, resource: Resource) -> Iterator[Part]:
        guarded = self.guarded(resource)
        for rule in rules(resource):
            if rule is None:
                yield Part(resource.urn, (), (), undecided=True)
            else:
                yield self._part(resource, rule, guarded)

    def _part(self, resource: Resource, rule: Ingress, guarded: Spans) -> Part:
        name = f"{resource.urn} {rule.node.path}".strip()
        spans = rule.meeting(guarded)
        known = [source.value for source in rule.sources if not source.unknown]
        if rule.denies:
            ranges = tuple(network for text in known for network in refused(text)) if _broad(rule.node) else ()
            return Part(name, spans, ranges, denies=True, priority=rule.priority)
        lists = [self._list(resource, node) for node in rule.lists]
        entries = [entry.value for found in lists for entry in found or ()]
        sources = [network for text in known for network in admitted(text)]
        sources += [network for entry in entries if (network := parsed(entry)) is not None]
        ranges = public(sources, (*self.trusted, *rule.trusted))
        unknown = any(source.unknown for source in rule.sources) or any(
            entry.unknown for found in lists for entry in found or ()
        )
        return Part(
            name,
            spans,
            ranges,
            priority=rule.priority,
            undecided=bool(spans and unknown) or bool(rule.unknown_port and (unknown or ranges)),
            elsewhere=bool(spans or rule.unknown_port) and None in lists,
        )

    def _list(self, resource: Resource, node: Node) -> list[Node] | None:
        """The ranges of a prefix list; None where the stack does not make it."""
        prop = node.path.partition(".")[0].partition("[")[0]
        lists = list(self.world.of(PREFIX_LIST))
        named = [made for made in lists if not node.unknown and made.at("id").value == node.value]
        chosen = named or [made for made in lists if made.urn in resource.dependencies.get(prop, ())]
        if not chosen:
            return None
        inline = [entry for made in chosen for entry in made.each("entries[].cidr")]
        joined = (entry for made in chosen for entry in self.world.depending(made, "prefixListId", PREFIX_ENTRY))
        return [*inline, *(entry.at("cidr") for entry in joined)]


def _joins(rule: Resource, group: Resource, prop: str) -> bool:
    """Whether a standalone rule is a group's, by dependency, by the group's id, or because its own id lies below."""
    known = group.at("id").value
    return group.urn in rule.dependencies.get(prop, ()) or (
        isinstance(known, str) and (rule.at(prop).value == known or str(rule.at("id").value).startswith(f"{known}/"))
    )


def _reaches(targets: Sequence[Node], name: str) -> bool | None:
    """Whether a firewall certainly reaches a target; None where it certainly does not."""
    if not targets or any(node.value == name for node in targets):
        return True
    return False if any(node.unknown for node in targets) else None


def _broad(node: Node) -> bool:
    """Whether a denial holds for every destination and every port of the sender."""
    return all(node.at(path).value in words for path, words in _WHOLE.items())


def opened(parts: Iterable[Part], guarded: Iterable[Span]) -> dict[tuple[str, ...], list[Span]]:
    """Guarded ports that too many public addresses reach, by the rules that let them.

    Args:
        parts: of one group.
        guarded: the ports.
    """
    ordered = sorted(parts, key=lambda part: (part.priority, not part.denies))
    found: dict[tuple[str, ...], list[Span]] = {}
    if not any(part.ranges for part in ordered if not part.denies):
        return found
    for span in guarded:
        for piece in _pieces(span, ordered):
            names, ranges = _admitted(piece, ordered)
            if too_many(ranges):
                found.setdefault(names, []).append(piece)
    return found


def _pieces(span: Span, parts: Iterable[Part]) -> Iterator[Span]:
    """The ports in pieces that every rule covers whole or not at all."""
    cuts = {span.first, span.last + 1}
    for part in parts:
        for covered in shared((span,), part.spans):
            cuts |= {covered.first, covered.last + 1}
    ordered = sorted(cuts)
    for first, after in pairwise(ordered):
        yield Span(first, after - 1, span.transport)


def _admitted(piece: Span, parts: Iterable[Part]) -> tuple[tuple[str, ...], Networks]:
    names: list[str] = []
    left: list[Network] = []
    gone: Networks = ()
    for part in parts:
        if not shared((piece,), part.spans):
            continue
        if part.denies:
            gone = (*gone, *part.ranges)
        elif rest := subtract(part.ranges, gone):
            names.append(part.name)
            left += rest
    return tuple(names), tuple(left)
