"""ASNs differ between clouds, and inside addresses are distinct and accepted by both ends."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import combinations

from policies.concepts import tunnels
from policies.concepts.apart import apart
from policies.concepts.facts import peers, unheard
from policies.concepts.prefixes import inside, network, overlaps, shared, surrounding
from policies.concepts.tunnels import PAIR, PRIVATE_ASN, Said
from policies.conditions import matching
from policies.context import Context
from policies.resource import Resource, World
from policies.rule import Check, Finding, Rule, about, across, need, on
from policies.values import ABSENT, as_int

_TRANSIT, _VIRTUAL = "aws:ec2transitgateway/transitGateway:TransitGateway", "aws:ec2/vpnGateway:VpnGateway"
_CUSTOMER = "aws:ec2/customerGateway:CustomerGateway"
_INTERFACE, _SESSION = "gcp:compute/routerInterface:RouterInterface", "gcp:compute/routerPeer:RouterPeer"
_PREFIX = 30
_IN_LINK_LOCAL = matching(
    lambda text: inside(surrounding(text), (tunnels.LINK_LOCAL,)), f"must lie in {tunnels.LINK_LOCAL}"
)


def _ends(pair: Resource, _: Context) -> Iterator[Finding]:
    (a, a_asn), (b, b_asn) = ((pair.get(f"{end}.cloud"), as_int(pair.get(f"{end}.asn"))) for end in ("a", "b"))
    if a == b:
        yield Finding("b.cloud", "must differ from the other end's")
    if a_asn == b_asn:
        yield Finding("b.asn", "must differ from the other end's")
    for beside, path, asn in ((b, "a.asn", a_asn), (a, "b.asn", b_asn)):
        if beside == "azure" and asn in tunnels.NOT_BESIDE_AZURE:
            yield Finding(path, "is one that Azure keeps for itself")


def _insides(pair: Resource, _: Context) -> Iterator[Finding]:
    with_azure = "azure" in (pair.get("a.cloud"), pair.get("b.cloud"))
    given = [(node.path, str(node.known())) for node in pair.each("tunnels[].insideCidr")]
    for path, text in given:
        if not _fits(text):
            yield Finding(path, f"must be a /{_PREFIX} of {tunnels.LINK_LOCAL} that AWS does not keep for itself")
        elif with_azure and not inside(text, tunnels.AZURE_INSIDE):
            yield Finding(path, f"must lie in {' or '.join(tunnels.AZURE_INSIDE)}, the only ones that Azure takes")
    for one, other in overlaps(given):
        yield Finding(other[0], f"overlaps {one[0]}")


def _fits(text: str) -> bool:
    found = network(text)
    if found is None or found.prefixlen != _PREFIX:
        return False
    return inside(text, (tunnels.LINK_LOCAL,)) and text not in tunnels.AWS_RESERVED


def _agreed(world: World, _: Context) -> Iterator[Finding]:
    """No two pairs share an inside range, and both ends of a pair say the same ones."""
    yield from unheard(world, peers(world), "its inside ranges and numbers cannot be compared")
    ours = list(tunnels.own(world))
    pairs, elsewhere = {said.pair for said in ours}, dict[str, Said]()
    for theirs in tunnels.foreign(world):
        for said in ours:
            if said.pair == theirs.pair and said.insides != theirs.insides and said.component:
                yield about(
                    said.component, Finding("spec.tunnels", f"has other inside ranges than {theirs.cloud} says")
                )
        if theirs.pair not in pairs:
            elsewhere.setdefault(theirs.pair, theirs)
    for one, other in combinations((*ours, *elsewhere.values()), 2):
        for _range, same in shared(one.insides, other.insides):
            yield Finding("", f"has tunnels of {one.pair} and {other.pair} in the same inside range {same}")


def _numbered(world: World, _: Context) -> Iterator[Finding]:
    """Every cloud has one number everywhere, and no other has it."""
    numbers: dict[str, set[int | None]] = {}
    for said in (*tunnels.own(world), *tunnels.foreign(world)):
        for cloud, number in said.asns:
            numbers.setdefault(cloud, set()).add(number)
    for cloud, given in numbers.items():
        if len(given) > 1:
            yield Finding("", f"knows {cloud} by several ASNs")
    for (one, first), (other, second) in combinations(numbers.items(), 2):
        if first & second:
            yield Finding("", f"knows {one} and {other} by the same ASN")


def _as_planned(world: World, _: Context) -> Iterator[Finding]:
    """Gateways and sessions have the numbers and addresses that the stack's pairs say."""
    pairs = list(tunnels.own(world))
    own = {number for said in pairs for cloud, number in said.asns if cloud == "aws"}
    abroad = {number for said in pairs for cloud, number in said.asns if cloud != "aws"}
    # A region has its gateway before it knows any peer.
    for gateway in world.of(_TRANSIT, _VIRTUAL) if own else ():
        yield from apart(gateway, _own_number(gateway, own))
    for customer in world.of(_CUSTOMER):
        yield from apart(customer, _peer_number(customer, abroad))
    for interface in world.of(_INTERFACE):
        yield from apart(interface, _interface(interface, pairs))
    for session in world.of(_SESSION):
        yield from apart(session, _session(session, pairs))


def _own_number(gateway: Resource, planned: Collection[int | None]) -> Iterator[Finding]:
    if as_int(gateway.get("amazonSideAsn")) not in planned:
        yield Finding("amazonSideAsn", "is not the mesh's number of this cloud")


def _peer_number(customer: Resource, planned: Collection[int | None]) -> Iterator[Finding]:
    given = [value for path in ("bgpAsn", "bgpAsnExtended") if (value := customer.get(path)) not in (ABSENT, "")]
    if len(given) != 1:
        yield Finding("bgpAsn", "or bgpAsnExtended must be set, and not both")
    elif as_int(given[0]) not in planned:
        yield Finding("bgpAsn", "is not the mesh's number of a peer")


def _for_a_tunnel(interface: Resource) -> bool:
    """Leased lines have interfaces too."""
    return not interface.at("vpnTunnel").absent or bool(interface.dependencies.get("vpnTunnel"))


def _interface(interface: Resource, pairs: Collection[Said]) -> Iterator[Finding]:
    if not _for_a_tunnel(interface):
        return
    around = surrounding(interface.get("ipRange"))
    if str(around) not in {text for said in pairs for text in said.insides}:
        yield Finding("ipRange", "is of no inside range of the mesh")


def _session(session: Resource, pairs: Collection[Said]) -> Iterator[Finding]:
    number = as_int(session.get("peerAsn"))
    if number not in {given for said in pairs for cloud, given in said.asns if cloud != "gcp"}:
        yield Finding("peerAsn", "is not the mesh's number of a peer")
        return
    address = f"{session.get('peerIpAddress')}/32"
    if not any(inside(address, said.insides) and number in dict(said.asns).values() for said in pairs):
        yield Finding("peerIpAddress", "lies in no inside range of the mesh with that peer")


RULE = Rule(
    "vpn-addressing-unique",
    (
        on(PAIR, need("a.asn", PRIVATE_ASN), need("b.asn", PRIVATE_ASN), unknown="fail"),
        Check((PAIR,), _ends, ("a.cloud", "a.asn", "b.cloud", "b.asn"), "fail"),
        Check((PAIR,), _insides, ("a.cloud", "b.cloud", "tunnels[].insideCidr"), "fail"),
        on((_TRANSIT, _VIRTUAL), need("amazonSideAsn", PRIVATE_ASN)),
        on(_INTERFACE, need("ipRange", _IN_LINK_LOCAL), when=_for_a_tunnel, reads=("vpnTunnel",)),
        across(_agreed, (PAIR, tunnels.SPEC)),
        across(_numbered, (PAIR, tunnels.SPEC)),
        across(
            _as_planned,
            (PAIR, tunnels.SPEC),
            (_TRANSIT, ("amazonSideAsn",)),
            (_VIRTUAL, ("amazonSideAsn",)),
            (_CUSTOMER, ("bgpAsn", "bgpAsnExtended")),
            (_INTERFACE, ("ipRange", "vpnTunnel")),
            (_SESSION, ("peerAsn", "peerIpAddress")),
        ),
    ),
)
