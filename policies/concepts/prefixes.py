"""Address ranges that must not share an address.

Only exact ranges of IPv4 count: a text with host bits set, or of anything else, is no range.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Interface, IPv4Network, ip_network
from itertools import combinations, product

Named = tuple[str, str]
"""Whose range, and the range."""


def network(text: object) -> IPv4Network | None:
    """The range; None for anything else."""
    try:
        made = ip_network(str(text), strict=True)
    except ValueError:
        return None
    return made if isinstance(made, IPv4Network) else None


def surrounding(text: object) -> IPv4Network | None:
    """The range in which an interface's address lies (`169.254.10.2/30`); None for anything else."""
    try:
        return IPv4Interface(text).network if isinstance(text, str) else None
    except ValueError:
        return None


def meet(one: object, other: object) -> bool:
    """Whether two ranges share an address."""
    first, second = network(one), network(other)
    return first is not None and second is not None and first.overlaps(second)


def overlaps(ranges: Sequence[Named]) -> Iterator[tuple[Named, Named]]:
    """Each two ranges that share an address."""
    return ((one, other) for one, other in combinations(ranges, 2) if meet(one[1], other[1]))


def shared(some: Iterable[str], others: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each range of the one side with each of the other that it shares an address with."""
    return ((one, other) for one, other in product(some, others) if meet(one, other))


def inside(text: object, blocks: Iterable[str]) -> bool:
    """Whether a range lies in one of the blocks."""
    found = network(text)
    known = [block for each in blocks if (block := network(each)) is not None]
    return found is not None and any(found.subnet_of(block) for block in known)
