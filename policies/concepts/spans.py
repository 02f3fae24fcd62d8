"""Reading ports from what rules say of them: a protocol, and numbers or texts.

Owns the protocols' names and numbers, and that whatever cannot be read counts as every port. Of an unknown protocol
nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from policies.concepts.ports import EVERY, FIRST, LAST, Span, Spans, Transport
from policies.resource import Node
from policies.values import as_int

Read = tuple[Spans, str]
"""Ports as far as they are known, and the path of one that is not; empty where all are."""

_EVERY_KIND: tuple[Transport, ...] = ("tcp", "udp")
_KINDS: Mapping[str, tuple[Transport, ...]] = {
    "tcp": ("tcp",), "6": ("tcp",), "udp": ("udp",), "17": ("udp",),
    "icmp": (), "1": (), "icmpv6": (), "58": (), "esp": (), "50": (), "ah": (), "51": (), "sctp": (), "132": (),
    "ipip": (), "94": (),
}  # fmt: skip
"""What each protocol means for ports; any other word stands for all protocols."""
_RANGE = re.compile(r"\s*(\d{1,5})\s*(?:-\s*(\d{1,5})\s*)?")


def _kinds(protocol: object) -> tuple[Transport, ...]:
    number = as_int(protocol)
    return _KINDS.get((str(protocol) if number is None else str(number)).lower(), _EVERY_KIND)


def numbered(node: Node, protocol: Node) -> Read:
    """From a first and a last number."""
    if protocol.unknown:
        return (), protocol.path
    kinds = _kinds(protocol.value)
    if kinds == _EVERY_KIND:
        return EVERY, ""
    first, last = node.at("fromPort"), node.at("toPort")
    unknown = next((end.path for end in (first, last) if end.unknown), "")
    if unknown:
        return (), unknown if kinds else ""
    return tuple(Span(_end(first, FIRST), _end(last, LAST), kind) for kind in kinds), ""


def _end(node: Node, otherwise: int) -> int:
    number = as_int(node.value)
    return otherwise if number is None or number < FIRST else number


def worded(protocol: Node, ports: Iterable[Node], usual: str = "*") -> Read:
    """From texts such as `8300-8302`; every port where there is none.

    Args:
        usual: the protocol where none is named.
    """
    if protocol.unknown:
        return (), protocol.path
    kinds = _kinds(usual if protocol.absent else protocol.value)
    given = list(ports) or [Node(protocol.path, "*")]
    known = tuple(
        Span(first, last, kind)
        for node in given
        if not node.unknown
        for first, last in _ranges(node.value)
        for kind in kinds
    )
    return known, next((node.path for node in given if node.unknown), "") if kinds else ""


def _ranges(value: object) -> Iterator[tuple[int, int]]:
    number = as_int(value)
    for text in str(value if number is None else number).split(","):
        found = _RANGE.fullmatch(text)
        yield (int(found[1]), int(found[2] or found[1])) if found else (FIRST, LAST)


def together(parts: Iterable[Read]) -> Read:
    """The ports of all parts; every port where there is none."""
    found = list(parts) or [(EVERY, "")]
    return tuple(span for spans, _ in found for span in spans), next((path for _, path in found if path), "")
