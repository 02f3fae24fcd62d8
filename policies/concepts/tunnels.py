"""The mesh as policies see it: what is said of a pair of clouds, and which numbers and addresses tunnels may have.

Owns the limits that gateways set, in the policy's own words: a change of the program's plan cannot loosen them.

Dangerous edge: a stack and its peers speak of the same pair in different places. A component of this stack has the whole
spec, a peer's facts have lists in the order of the pair's name and its tunnels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policies.concepts.facts import peers
from policies.conditions import Condition
from policies.resource import Node, Resource, World
from policies.values import as_int

PAIR = "hashicorp:mesh:VpnPair"
AWS_CONNECTION = "aws:ec2/vpnConnection:VpnConnection"
"""Two tunnels to one address of the peer."""
AZURE_CONNECTION = "azure-native:network:VirtualNetworkGatewayConnection"
AZURE_GATEWAY = "azure-native:network:VirtualNetworkGateway"
AZURE_PEER = "azure-native:network:LocalNetworkGateway"
GCP_TUNNEL = "gcp:compute/vPNTunnel:VPNTunnel"
GCP_PEER = "gcp:compute/externalVpnGateway:ExternalVpnGateway"

LINK_LOCAL = "169.254.0.0/16"
AZURE_INSIDE = ("169.254.21.0/24", "169.254.22.0/24")
"""What Azure takes for BGP over IPsec."""
AWS_RESERVED = frozenset({*(f"169.254.{third}.0/30" for third in range(6)), "169.254.169.252/30"})
"""Ranges that AWS keeps for itself; in the last one every cloud's metadata service answers."""
NOT_BESIDE_AZURE = frozenset({65515, *range(65517, 65521)})
"""Numbers that Azure keeps for itself, so that no peer of its gateways may have them."""
_PRIVATE_ASNS = (range(64512, 65535), range(4200000000, 4294967295))


def is_private_asn(value: object) -> bool:
    """Whether a number is one of those that anybody may use inside."""
    number = as_int(value)
    return number is not None and any(number in numbers for numbers in _PRIVATE_ASNS)


PRIVATE_ASN = Condition(is_private_asn, "must be a private ASN")


def carries_vpn(gateway: Resource) -> bool:
    """Whether a gateway of Azure is for tunnels and not for a leased line."""
    return gateway.get("gatewayType") != "ExpressRoute"


@dataclass(frozen=True)
class Said:
    """What a stack says of a pair.

    Attributes:
        cloud: the peer that says it; empty for this stack.
        component: what says it, in this stack.
        asns: by cloud.
        insides: inside ranges, tunnel by tunnel.
        keys: references to the pre-shared keys, tunnel by tunnel.
    """

    cloud: str
    component: Resource | None
    pair: str
    asns: tuple[tuple[str, int | None], ...]
    insides: tuple[str, ...]
    keys: tuple[str, ...]


SPEC = (
    "spec.pair", "spec.a.cloud", "spec.a.asn", "spec.b.cloud", "spec.b.asn",
    "spec.tunnels[].insideCidr", "spec.tunnels[].pskRef",
)  # fmt: skip
"""What `own` reads of a pair."""


def own(world: World) -> Iterator[Said]:
    """What the stack's own components say.

    Raises:
        Undecided: a part of it is not known yet.
    """
    for component, spec in world.specs(PAIR):
        ends = [(str(spec.get(f"{end}.cloud")), as_int(spec.get(f"{end}.asn"))) for end in ("a", "b")]
        insides, keys = _texts(spec, "tunnels[].insideCidr"), _texts(spec, "tunnels[].pskRef")
        yield Said("", component, str(spec.get("pair")), tuple(ends), insides, keys)


def foreign(world: World) -> Iterator[Said]:
    """What peers say, of pairs with this stack and of pairs among themselves.

    Raises:
        Undecided: a part of it is not known yet.
    """
    for cloud, facts in peers(world).items():
        for said in facts.each("vpnPairs[]"):
            pair = str(said.get("pair"))
            asns = [as_int(node.known()) for node in said.each("asns[]")]
            insides, keys = _texts(said, "insideCidrs[]"), _texts(said, "pskRefs[]")
            yield Said(cloud, None, pair, tuple(zip(pair.split("-"), asns, strict=False)), insides, keys)


def _texts(node: Node, path: str) -> tuple[str, ...]:
    return tuple(_text(each.known()) for each in node.each(path))


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return value if isinstance(value, str) else ""
