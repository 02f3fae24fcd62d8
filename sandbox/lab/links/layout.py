"""Which gateways there are, and what everything between them is called and numbered; pure.

A gateway here is one outside address, which is an instance of a cloud's gateway or one of its interfaces, with all ends
declared there. Names and numbers of a tunnel follow from the two outside addresses alone: each side finds them by
itself, and none changes when others come or go.

Dangerous edges:
- Names of interfaces have at most 15 characters, so addresses stand in them in hexadecimal.
- Addresses between gateways and inside regions are made of the low bits of outside addresses. Two outside addresses
  that agree in these are refused; those of the simulated clouds, all in one range, never do.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from components.plan.spec import Cloud
from sandbox.errors import SandboxError
from sandbox.lab.machines.lab import CABLES, CARRIER, SWITCH, number
from sandbox.lab.world import Network
from sandbox.mesh.speech import MAIN_TABLE

from .ends import End

INTERNET = "internet"
"""Namespace between the gateways."""
GATEWAYS = "gateway-"
"""How the name of every gateway's namespace begins."""
INTERNET_ROUTER = "192.0.2.1"
"""The internet, as gateways see it (RFC 5737)."""
_LOW_BITS = 20


@dataclass(frozen=True)
class Region:
    """A region's network, as its gateways see it.

    Attributes:
        prefix: its whole range in CIDR notation.
        router: short name of the namespace that routes for the region's machines. It is there before any gateway.
        table: where the router keeps the ways to other regions. One that routes for several regions has a table for
            each; then whatever goes from one of these regions to another takes the tunnels. The gateways' cables there
            are a group of interfaces of this number.
    """

    cloud: Cloud
    prefix: str
    router: str
    table: int = MAIN_TABLE


def behind_switch(networks: Iterable[Network]) -> tuple[Region, ...]:
    """Regions of a lab whose machines have one router, the switch."""
    return tuple(Region(each.cloud, each.prefix, SWITCH, number(each.cloud)) for each in networks)


@dataclass(frozen=True)
class Gateway:
    """An outside address with all that is declared there.

    Attributes:
        asn: the region's.
        ends: in the order of the addresses that they lead to.
    """

    region: Region
    outside: str
    asn: int
    ends: tuple[End, ...]

    @property
    def name(self) -> str:
        """Of its namespace and folder."""
        return GATEWAYS + self.outside.replace(".", "-")

    @property
    def cable(self) -> str:
        """Its interface on the region's router."""
        return CABLES + _hex(self.outside)

    @property
    def wire(self) -> str:
        """Its interface on the internet."""
        return f"w-{_hex(self.outside)}"

    @property
    def router_side(self) -> str:
        """The router's address on the cable; `own_side` the gateway's."""
        return str(_carrier(self.outside, 0))

    @property
    def own_side(self) -> str:
        return str(_carrier(self.outside, 1))


@dataclass(frozen=True)
class Layout:
    """Everything that shall stand."""

    gateways: tuple[Gateway, ...]
    regions: tuple[Region, ...]

    def of(self, region: Region) -> tuple[Gateway, ...]:
        """A region's gateways."""
        return tuple(gateway for gateway in self.gateways if gateway.region == region)


def layout(ends: Iterable[End], regions: Iterable[Region]) -> Layout:
    """The gateways of these ends.

    Raises:
        SandboxError: an end's region is missing, or outside addresses cannot be told apart.
    """
    known = {region.cloud: region for region in regions}
    by_address: dict[tuple[Cloud, str], list[End]] = defaultdict(list)
    for end in ends:
        if end.cloud not in known:
            raise SandboxError(
                f"{end.id} declares a tunnel of {end.cloud}, whose network the lab does not have.",
                "Give the lab that region's network, or leave the region out.",
            )
        by_address[end.cloud, end.outside].append(end)
    asns = _asns(by_address)
    gateways = tuple(
        Gateway(known[cloud], outside, asns[cloud], tuple(sorted(found, key=lambda end: IPv4Address(end.peer_outside))))
        for (cloud, outside), found in sorted(by_address.items())
    )
    _tell_apart(gateways)
    return Layout(gateways, tuple(known[cloud] for cloud in sorted(known)))


def vtep(outside: str) -> str:
    """Where a gateway's tunnels end inside what IPsec carries."""
    return str(_carrier(outside, 2))


def device(end: End) -> str:
    """The tunnel's interface at this end."""
    return f"to-{_hex(end.peer_outside)}"


def session(end: End) -> str:
    """What charon and BIRD call the tunnel at this end."""
    return f"to_{end.peer_outside.replace('.', '_')}"


def network_id(end: End) -> int:
    """Of the tunnel's VXLAN: the same at both ends, and another for each tunnel of a gateway."""
    both = " ".join(sorted((end.outside, end.peer_outside)))
    return int.from_bytes(hashlib.sha256(both.encode()).digest()[:3])


def initiates(end: End) -> bool:
    """Whether this end opens the tunnel. If both did, they would have two."""
    return IPv4Address(end.outside) < IPv4Address(end.peer_outside)


def _asns(by_address: Mapping[tuple[Cloud, str], list[End]]) -> dict[Cloud, int]:
    """What most of a region's ends call it."""
    said: dict[Cloud, Counter[int]] = defaultdict(Counter)
    for (cloud, _), ends in by_address.items():
        said[cloud].update(sorted(end.asn for end in ends))
    return {cloud: asns.most_common(1)[0][0] for cloud, asns in said.items()}


def _tell_apart(gateways: tuple[Gateway, ...]) -> None:
    addresses = {end.peer_outside for gateway in gateways for end in gateway.ends}
    addresses |= {gateway.outside for gateway in gateways}
    holders: dict[str, str] = {}
    for address in sorted(addresses):
        other = holders.setdefault(vtep(address), address)
        if other != address:
            raise SandboxError(
                f"{address} and {other} cannot both be gateways: the lab tells them apart by their last "
                f"{_LOW_BITS} bits, which are the same.",
                "Give one of them another address; those of the simulated clouds all differ.",
            )
    for address, count in Counter(gateway.outside for gateway in gateways).items():
        if count > 1:
            raise SandboxError(
                f"Two regions hold the outside address {address}: packets to it would reach only one.",
                "Give one of them another address.",
            )
    for gateway in gateways:
        for address, count in Counter(end.peer_outside for end in gateway.ends).items():
            if count > 1:
                raise SandboxError(
                    f"{gateway.outside} declares {count} tunnels to {address}: no packet would tell which it belongs to.",
                    "Declare one tunnel between two addresses.",
                )


def _hex(address: str) -> str:
    return f"{int(IPv4Address(address)):08x}"


def _carrier(outside: str, role: int) -> IPv4Address:
    """One of four addresses that go with an outside address."""
    low = int(IPv4Address(outside)) & ((1 << _LOW_BITS) - 1)
    return CARRIER[(low << 2) + role]
