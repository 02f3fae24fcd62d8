"""Which addresses are the world, which are ours, and how many a set of ranges holds.

Owns the words and ranges that mean everyone. A range is judged by its public part: what is private, an administrator's or
a balancer's probe does not count.

Dangerous edge: a text that cannot be read as a range means everyone, unless it is a word for something near. A service
tag stands for a service that any customer of the cloud may use.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import TypeAlias, TypeVar

Network: TypeAlias = "IPv4Network | IPv6Network"
Networks = tuple[Network, ...]
_Same = TypeVar("_Same", IPv4Network, IPv6Network)

_WORLD_WORDS = frozenset({"*", "internet", "any"})
_NEAR_WORDS = frozenset({"virtualnetwork", "azureloadbalancer"})
"""The network with its peers, and the host's own prober."""
PROBER = "azureloadbalancer"
_WIDEST = {4: 24, 6: 48}
"""Prefix of the widest public range that still is somebody and not everybody."""
_MOST = {4: 2**12, 6: 2**84}
"""Public addresses that all rules of a group may admit together."""


def networks(texts: Iterable[str]) -> Networks:
    """Ranges from a configuration.

    Raises:
        ValueError: one of them is none.
    """
    return tuple(ip_network(text, strict=False) for text in texts)


EVERYWHERE: Networks = networks(("0.0.0.0/0", "::/0"))
PRIVATE: Networks = networks(
    (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
"""RFC 1918, RFC 6598, loopback and link-local, and their likes of IPv6."""
GOOGLE_PROBES: Networks = networks(("35.191.0.0/16", "130.211.0.0/22"))
"""Where Google's balancers ask from whether a server is well; nobody else sends from there."""


def parsed(text: object) -> Network | None:
    """A range, from an address too; None for anything else."""
    try:
        return ip_network(text, strict=False) if isinstance(text, str) else None
    except ValueError:
        return None


def admitted(text: object) -> Networks:
    """The ranges that a source of a rule stands for."""
    network = parsed(text)
    if network is not None:
        return (network,)
    return () if _word(text) in _NEAR_WORDS else EVERYWHERE


def refused(text: object) -> Networks:
    """The ranges that a source of a denial stands for; none where it cannot be read."""
    network = parsed(text)
    if network is not None:
        return (network,)
    return EVERYWHERE if _word(text) in _WORLD_WORDS else ()


def _word(text: object) -> str:
    return text.lower() if isinstance(text, str) else ""


def is_world(text: object, trusted: Iterable[Network] = ()) -> bool:
    """Whether a source is everybody.

    Args:
        text: a range, or the cloud's word for one.
        trusted: public ranges that do not count as the world.
    """
    return any(
        network.prefixlen < _WIDEST[network.version] and not within(network, (*PRIVATE, *trusted))
        for network in admitted(text)
    )


def is_member(text: object, mesh: Iterable[Network]) -> bool:
    """Whether a source is inside the platform's networks, or the host's own prober."""
    network = parsed(text)
    return _word(text) == PROBER if network is None else within(network, mesh)


def within(network: Network, others: Iterable[Network]) -> bool:
    """Whether a range lies in the union of others."""
    return not subtract((network,), others)


def collapse(ranges: Iterable[Network]) -> Networks:
    """The fewest ranges with the same addresses."""
    chosen = tuple(ranges)
    v4 = collapse_addresses(network for network in chosen if isinstance(network, IPv4Network))
    v6 = collapse_addresses(network for network in chosen if isinstance(network, IPv6Network))
    return (*v4, *v6)


def subtract(ranges: Iterable[Network], others: Iterable[Network]) -> Networks:
    """The addresses of ranges that are in none of the others."""
    left = collapse(ranges)
    for other in others:
        left = tuple(part for network in left for part in _without(network, other))
    return left


def _without(network: Network, other: Network) -> Networks:
    # Two ranges of one version are apart, or one holds the other.
    if isinstance(network, IPv4Network) and isinstance(other, IPv4Network):
        return () if network.subnet_of(other) else _around(network, other)
    if isinstance(network, IPv6Network) and isinstance(other, IPv6Network):
        return () if network.subnet_of(other) else _around(network, other)
    return (network,)


def _around(network: _Same, other: _Same) -> tuple[_Same, ...]:
    return tuple(network.address_exclude(other)) if network.overlaps(other) else (network,)


def public(ranges: Iterable[Network], trusted: Iterable[Network] = ()) -> Networks:
    """The addresses that are neither private nor trusted."""
    return subtract(ranges, (*PRIVATE, *trusted))


def too_many(ranges: Iterable[Network]) -> bool:
    """Whether there are more addresses than a few offices have."""
    count = {4: 0, 6: 0}
    for network in collapse(ranges):
        count[network.version] += network.num_addresses
    return any(count[version] > most for version, most in _MOST.items())
