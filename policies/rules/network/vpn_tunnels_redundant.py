"""Each pair of clouds has tunnels on different endpoints at both ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies.concepts.apart import apart
from policies.concepts.counts import counted
from policies.concepts.facts import PEERS, peers, unheard
from policies.concepts.tunnels import AWS_CONNECTION, AZURE_GATEWAY, GCP_PEER, GCP_TUNNEL, PAIR, carries_vpn
from policies.conditions import LITERAL, PRESENT, TRUE, Condition, matching, none_of, one_of
from policies.context import Context
from policies.resource import Resource, World
from policies.rule import Check, Finding, Rule, across, advice, deferred, need, on
from policies.values import ABSENT, as_bool, as_int, as_list

_HA_GATEWAY = "gcp:compute/haVpnGateway:HaVpnGateway"
_LEAST = 2
_CONFIGURATIONS = "ipConfigurations"
_ADDRESS = f"{_CONFIGURATIONS}[].publicIPAddress.id"
_ADDRESSES: Mapping[object, int] = {"TWO_IPS_REDUNDANCY": 2, "FOUR_IPS_REDUNDANCY": 4}
"""How many addresses of the peer each kind of picture holds; the one left out knows a single one."""
_TWO = Condition(lambda value: len(as_list(value)) >= _LEAST, f"must be at least {_LEAST}")
_DIFFERENT = f"must be at least {_LEAST} different ones"


def _endpoints(pair: Resource, _: Context) -> Iterator[Finding]:
    for end in ("aEndpoint", "bEndpoint"):
        given = {node.known() for node in pair.each(f"tunnels[].{end}")} - {ABSENT, ""}
        if len(given) < _LEAST:
            yield Finding(f"tunnels[].{end}", _DIFFERENT)


def _public(gateway: Resource, _: Context) -> Iterator[Finding]:
    """Two instances share no address. Ids are not known before the addresses exist: what is set counts."""
    if not carries_vpn(gateway):
        return
    gateway.get(_CONFIGURATIONS)
    given = [node for node in gateway.each(_ADDRESS) if not node.absent]
    known = [node.value for node in given if not node.unknown]
    if len(given) < _LEAST or len(set(known)) < len(known):
        yield Finding(_CONFIGURATIONS, "must be at least two, each with a public address of its own")


def _interfaces_of_the_peer(peer: Resource, _: Context) -> Iterator[Finding]:
    planned = _ADDRESSES.get(peer.get("redundancyType"))
    given = {as_int(node.known()) for node in peer.each("interfaces[].id")} - {None}
    if planned is not None and len(given) != planned:
        yield Finding("interfaces", f"must be {planned}, as the redundancy type says")


def _covered(world: World, _: Context) -> Iterator[Finding]:
    """A peer in the facts has a pair here. It takes a few updates of both stacks until it can have one."""
    yield from unheard(world, peers(world), "whether it has tunnels to here cannot be judged")
    required = as_bool(world.facts.at("peersRequired").value) is True
    pairs = {spec.get("pair") for _component, spec in world.specs(PAIR)}
    for cloud, said in peers(world).items():
        if not said.absent and "-".join(sorted((cloud, str(world.facts.get("cloud"))))) not in pairs:
            text = f"names {cloud}, to which this stack has no pair of tunnels"
            yield Finding(PEERS, text) if required else advice(PEERS, f"{text} yet")


def _spread(world: World, _: Context) -> Iterator[Finding]:
    for peer in world.of(GCP_PEER):
        tunnels = list(world.depending(peer, "peerExternalGateway", GCP_TUNNEL))
        for path in ("vpnGatewayInterface", "peerExternalGatewayInterface"):
            yield from apart(peer, _used(tunnels, path))


def _used(tunnels: list[Resource], path: str) -> Iterator[Finding]:
    nodes = [tunnel.at(path) for tunnel in tunnels]
    if len({as_int(node.value) for node in nodes} - {None}) >= _LEAST:
        return
    if any(node.unknown for node in nodes):
        yield deferred(path)
    else:
        yield Finding("", f"must have tunnels with at least {_LEAST} different values of {path}")


RULE = Rule(
    "vpn-tunnels-redundant",
    (
        on(PAIR, need("pair", LITERAL), need("tunnels", _TWO), unknown="fail"),
        Check((PAIR,), _endpoints, ("tunnels[].aEndpoint", "tunnels[].bEndpoint")),
        on(
            AZURE_GATEWAY,
            need("activeActive", TRUE),
            need("sku.name", matching(lambda name: name.endswith("AZ"), "must be a SKU that spans zones")),
            when=carries_vpn,
            reads=("gatewayType",),
            unknown="fail",
        ),
        Check((AZURE_GATEWAY,), _public, (_ADDRESS, "gatewayType")),
        on(
            AWS_CONNECTION,
            need("customerGatewayId", PRESENT),
            need("tunnel1InsideCidr", LITERAL),
            need("tunnel2InsideCidr", LITERAL),
        ),
        on(_HA_GATEWAY, need("stackType", none_of("IPV6_ONLY"))),
        # Absent where the gateway stands on the internet: then Google makes both.
        counted((_HA_GATEWAY,), ("vpnInterfaces",), lambda number: number != 1, f"must be at least {_LEAST}"),
        on(GCP_PEER, need("redundancyType", one_of(*map(str, _ADDRESSES))), unknown="fail"),
        Check((GCP_PEER,), _interfaces_of_the_peer, ("redundancyType", "interfaces[].id")),
        across(_covered, (PAIR, ("spec.pair",))),
        across(
            _spread,
            (GCP_PEER, ()),
            (GCP_TUNNEL, ("peerExternalGateway", "vpnGatewayInterface", "peerExternalGatewayInterface")),
        ),
    ),
)
