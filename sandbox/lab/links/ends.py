"""One side of a tunnel, and whether two sides make one; pure.

Proposals are in strongSwan's words, `aes256-sha256-modp2048`: encryption, integrity, group.

Dangerous edge: an end holds its pre-shared key. It is compared, and never told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product

from components.plan.spec import Cloud


@dataclass(frozen=True)
class End:
    """What one region declares of a tunnel.

    Attributes:
        id: the cloud's, of the resource that declares it.
        outside: the gateway's address on the internet; `peer_outside` where it expects the other side.
        inside: the address that speaks BGP; `peer_inside` the other side's.
        ike: proposals for the key exchange; `esp` for what is carried.
        dead_after: seconds of silence until the peer counts as dead.
    """

    id: str
    cloud: Cloud
    outside: str
    peer_outside: str
    inside: str
    peer_inside: str
    asn: int
    peer_asn: int
    key: str = field(repr=False)
    ike: frozenset[str]
    esp: frozenset[str]
    dead_after: int


@dataclass(frozen=True)
class Link:
    """Two ends that face each other, or one that faces nobody.

    Attributes:
        ends: in the order of their clouds.
        why: why it stays down; empty where it can come up.
    """

    ends: tuple[End, ...]
    why: str

    def __str__(self) -> str:
        one, *other = self.ends
        return f"{one.cloud} {one.outside} to {other[0].cloud if other else 'nobody'} {one.peer_outside}"


def proposals(*choices: Iterable[str]) -> frozenset[str]:
    """Every combination of encryptions, integrities and groups."""
    return frozenset("-".join(chosen) for chosen in product(*choices))


def links(ends: Iterable[End]) -> tuple[Link, ...]:
    """Ends joined by their outside addresses, each end in one link."""
    known = {(end.outside, end.peer_outside): end for end in ends}
    found: list[Link] = []
    for (outside, peer), end in sorted(known.items(), key=lambda item: (item[1].cloud, item[1].id, item[0])):
        other = known.get((peer, outside))
        if other is None:
            found.append(Link((end,), f"nobody at {peer} declares a tunnel to {outside}"))
        elif end.cloud < other.cloud:
            found.append(Link((end, other), "; ".join(_apart(end, other))))
    return tuple(found)


def _apart(one: End, other: End) -> Iterator[str]:
    """All that keeps two ends from making a tunnel."""
    if one.key != other.key:
        yield "the pre-shared keys differ"
    for name, mine, theirs in (("IKE", one.ike, other.ike), ("ESP", one.esp, other.esp)):
        if not mine & theirs:
            yield (
                f"no {name} proposal in common: {one.cloud} offers {', '.join(sorted(mine))}, "
                f"{other.cloud} {', '.join(sorted(theirs))}"
            )
    if (one.inside, one.peer_inside) != (other.peer_inside, other.inside):
        yield (
            f"inside addresses do not face each other: {one.cloud} has {one.inside} to {one.peer_inside}, "
            f"{other.cloud} {other.inside} to {other.peer_inside}"
        )
    if (one.asn, one.peer_asn) != (other.peer_asn, other.asn):
        yield (
            f"AS numbers do not fit: {one.cloud} is {one.asn} and expects {one.peer_asn}, "
            f"{other.cloud} is {other.asn} and expects {other.peer_asn}"
        )
