"""The mesh: which tunnels join the regions, between which gateways, with which addresses and transforms.

Owns pairs, tunnels, inside addresses and the one transform set of both ends. Public addresses are the clouds' to give
and reach the other side as stack outputs; keys are entries of the secret store. Builds nothing.

Every pair has four tunnels. The table below says which of a region's gateway addresses each one uses: a region offers
two or four addresses to a peer, so that the loss of any one address leaves at least two tunnels of the pair.

Dangerous edges:
- An inside address, an ASN or a transform that differs at one end leaves a tunnel that looks configured and is down.
- AWS leads two tunnels of a connection to one address of the peer; the order of the table is the order that AWS wants.
- Azure takes inside addresses from 169.254.21.0 to 169.254.22.255 only, so both of its pairs share that range.

Source: cloud-reference, "VPN mesh"; runbook, "Cross-Cloud Connectivity".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import combinations
from typing import Literal

from .spec import Cloud, Platform

TunnelStatus = Literal["planned", "half", "up"]
"""Declared by neither side, by one, by both. Whether packets pass is the gateways' to say: see the tunnel metrics."""

TUNNELS = 4
"""Tunnels of a pair."""

IKE_VERSION = 2
CIPHER_BITS = 256
"""AES in CBC mode: the one cipher that all three offer for both phases in all regions."""
HASH_BITS = 256
"""SHA-2, for integrity and as the pseudo-random function."""
DH_GROUP = 14
"""MODP 2048, for both phases: perfect forward secrecy included."""
IKE_LIFETIME_SECONDS = 28_800
CHILD_LIFETIME_SECONDS = 3_600
DPD_SECONDS = 30
"""A peer that is silent for so long is dead. AWS accepts no less."""
TCP_MSS = 1350
"""What TCP may send in one segment through a tunnel of any of the three."""
KEY_LENGTH = 48
"""Characters of a pre-shared key; AWS takes at most 64."""

HOLD_SECONDS: Mapping[Cloud, int] = {"aws": 30, "azure": 180, "gcp": 180}
"""BGP hold time that each gateway offers; the session takes the smaller. AWS's and Azure's are fixed. Google's follows
its keepalive, which stays at a third of Azure's hold time because Azure never sends keepalives more often than that."""

_FIRST: tuple[Cloud, ...] = ("aws", "gcp", "azure")
"""Who takes the first host of an inside range: AWS always does, and Azure is always given the second."""

_INSIDE: Mapping[tuple[Cloud, Cloud], tuple[str, str, str, str]] = {
    ("aws", "azure"): ("169.254.21.0/30", "169.254.22.0/30", "169.254.21.4/30", "169.254.22.4/30"),
    ("aws", "gcp"): ("169.254.10.0/30", "169.254.10.4/30", "169.254.10.8/30", "169.254.10.12/30"),
    ("azure", "gcp"): ("169.254.21.8/30", "169.254.21.12/30", "169.254.22.8/30", "169.254.22.12/30"),
}

_GATEWAY_ADDRESSES: Mapping[tuple[Cloud, Cloud], tuple[int, int, int, int]] = {
    # Two connections of two tunnels, each tunnel with an address of its own.
    ("aws", "azure"): (0, 1, 2, 3),
    ("aws", "gcp"): (0, 1, 2, 3),
    # The two instances of one gateway.
    ("azure", "aws"): (0, 0, 1, 1),
    ("azure", "gcp"): (0, 1, 0, 1),
    # One gateway of two interfaces for AWS; two gateways for Azure, which opens one tunnel to an address.
    ("gcp", "aws"): (0, 0, 1, 1),
    ("gcp", "azure"): (0, 1, 2, 3),
}
"""By (region, peer): index of the region's gateway address that each of the four tunnels uses."""


@dataclass(frozen=True)
class End:
    """One side of a tunnel."""

    cloud: Cloud
    gateway: int
    """Index of the gateway address among those that the region offers to this peer."""
    address: str
    """Inside address: BGP speaks from it."""


@dataclass(frozen=True)
class Tunnel:
    """One of a pair's four."""

    pair: str
    index: int
    inside: str
    """CIDR, a /30."""
    ends: tuple[End, End]
    """In alphabetical order of the clouds."""

    @property
    def key(self) -> str:
        """Entry of the secret store that holds the tunnel's pre-shared key."""
        return key_entry(self.pair, self.index)

    def end(self, cloud: Cloud) -> End:
        """The side of a region."""
        return next(end for end in self.ends if end.cloud == cloud)

    def far(self, cloud: Cloud) -> End:
        """The side that is not the region's."""
        return next(end for end in self.ends if end.cloud != cloud)


@dataclass(frozen=True)
class Pair:
    """Two regions and the tunnels between them."""

    a: Cloud
    b: Cloud
    asns: Mapping[Cloud, int]
    tunnels: tuple[Tunnel, ...]

    @property
    def name(self) -> str:
        """`aws-azure`: the clouds in alphabetical order."""
        return pair_name(self.a, self.b)

    def peer(self, cloud: Cloud) -> Cloud:
        """The other region of the pair."""
        return self.b if cloud == self.a else self.a

    def hold_seconds(self) -> int:
        """BGP hold time of the pair's sessions: the longest that a silently dead tunnel still attracts traffic."""
        return min(HOLD_SECONDS[self.a], HOLD_SECONDS[self.b])

    def addresses(self, cloud: Cloud) -> int:
        """How many gateway addresses a region offers to the pair."""
        return len(set(_GATEWAY_ADDRESSES[cloud, self.peer(cloud)]))


def pair_name(one: Cloud, other: Cloud) -> str:
    """`aws-azure`, whichever comes first."""
    return "-".join(sorted((one, other)))


def key_entry(pair: str, index: int) -> str:
    """Entry of the secret store that holds a tunnel's pre-shared key."""
    return f"mesh-{pair}-{index}"


def key_entries() -> tuple[str, ...]:
    """The pre-shared keys of every pair that a platform can have."""
    return tuple(key_entry(pair_name(*clouds), index) for clouds in _INSIDE for index in range(TUNNELS))


def pairs(platform: Platform) -> tuple[Pair, ...]:
    """Every pair of the platform's regions."""
    return tuple(_pair(platform, a, b) for a, b in combinations(sorted(platform.clouds), 2))


def pairs_of(platform: Platform, cloud: Cloud) -> tuple[Pair, ...]:
    """The pairs that a region belongs to."""
    return tuple(pair for pair in pairs(platform) if cloud in (pair.a, pair.b))


def _pair(platform: Platform, a: Cloud, b: Cloud) -> Pair:
    first, second = sorted((a, b), key=_FIRST.index)

    def tunnel(index: int, inside: str) -> Tunnel:
        hosts = dict(zip((first, second), map(str, IPv4Network(inside).hosts()), strict=True))
        ends = (
            End(a, _GATEWAY_ADDRESSES[a, b][index], hosts[a]),
            End(b, _GATEWAY_ADDRESSES[b, a][index], hosts[b]),
        )
        return Tunnel(pair_name(a, b), index, inside, ends)

    return Pair(
        a,
        b,
        {cloud: platform.asns[cloud] for cloud in (a, b)},
        tuple(tunnel(index, inside) for index, inside in enumerate(_INSIDE[a, b])),
    )


def status(*, own: bool, peer: bool) -> TunnelStatus:
    """What the two stacks' declarations come to."""
    return "up" if own and peer else "half" if own or peer else "planned"
