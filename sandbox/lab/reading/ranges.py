"""Arithmetic of firewall rules: several lists that must all let a packet through, as one list.

Pure. What it makes is a list in which the first rule that fits decides, and what fits none is dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import IPv4Network

from sandbox.lab.world import Protocol, Rule

EVERYWHERE = "0.0.0.0/0"


def both(first: Iterable[Rule], second: Iterable[Rule]) -> Iterator[Rule]:
    """The list of what two lists of one machine and one direction let through together.

    The first rule of each that fits a packet is, taken together, the first pair that fits it, as pairs are ordered here.
    """
    others = tuple(second)
    for one in first:
        for other in others:
            peers = tuple(_common(one.peers, other.peers))
            protocol = _protocol(one.protocol, other.protocol)
            ports = _ports(one.ports or other.ports, other.ports or one.ports)
            if peers and protocol and (ports is None or ports[0] <= ports[1]):
                yield replace(one, allows=one.allows and other.allows, protocol=protocol, peers=peers, ports=ports)


def _common(one: Iterable[str], other: Iterable[str]) -> Iterator[str]:
    theirs = [IPv4Network(each) for each in other]
    for mine in (IPv4Network(each) for each in one):
        for their in theirs:
            if mine.overlaps(their):
                # Of two ranges that overlap, one lies in the other.
                yield str(max(mine, their, key=lambda network: network.prefixlen))


def _protocol(one: Protocol, other: Protocol) -> Protocol | None:
    if one in ("any", other):
        return other
    return one if other == "any" else None


def _ports(one: tuple[int, int] | None, other: tuple[int, int] | None) -> tuple[int, int] | None:
    """The common span, which ends before it begins where there is none; None means all of them."""
    return (max(one[0], other[0]), min(one[1], other[1])) if one and other else None
