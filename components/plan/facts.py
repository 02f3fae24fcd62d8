"""What is known of a configuration before it is a platform, and what speaks against it.

Owns the words between whoever reads a configuration and the rules that judge it (`checks`). A value that could
not be read is absent here, so that one mistake never hides another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from .spec import Clients, Cloud, Edition, Product, Profile
from .values import Refusal


@dataclass(frozen=True)
class Problem:
    """A reason not to build: the key path, what is wrong, why it hurts, how to fix it."""

    where: str
    what: str
    why: str
    fix: str

    @classmethod
    def of(cls, where: str, refusal: Refusal) -> Problem:
        """A refused value and the key it stands at."""
        return cls(where, refusal.what, refusal.why, refusal.fix)


def report(problems: Iterable[Problem]) -> str:
    """Numbered, in the order given."""
    return "\n\n".join(
        f"{number}. {problem.where}: {problem.what}\n   Why: {problem.why}\n   Fix: {problem.fix}"
        for number, problem in enumerate(problems, start=1)
    )


@dataclass(frozen=True)
class Facts:
    """What could be read; None or an absent entry: could not."""

    stack: str | None = None
    """The stack's own name, where there is an engine to say it."""
    cloud: Cloud | None = None
    account: str | None = None
    image: str | None = None
    rollout: tuple[str, ...] | None = None
    name: str | None = None
    domain: str | None = None
    profile: Profile | None = None
    edition: Edition | None = None
    clouds: frozenset[Cloud] | None = None
    """Clouds that the configuration gives a region, readable or not."""
    regions: Mapping[Cloud, str] = field(default_factory=dict[Cloud, str])
    zones: Mapping[Cloud, tuple[str, ...]] = field(default_factory=dict[Cloud, tuple[str, ...]])
    cidrs: Mapping[Cloud, str] = field(default_factory=dict[Cloud, str])
    recoveries: Mapping[Cloud, str] = field(default_factory=dict[Cloud, str])
    numbered: frozenset[Cloud] | None = None
    """Clouds whose gateways are given a number, readable or not."""
    asns: Mapping[Cloud, int] = field(default_factory=dict[Cloud, int])
    copied: frozenset[Cloud] | None = None
    """Clouds whose backups are given a second cloud, readable or not."""
    copies: Mapping[Cloud, Cloud] = field(default_factory=dict[Cloud, Cloud])
    intervals: Mapping[Product, int] = field(default_factory=dict[Product, int])
    rpo_minutes: int | None = None
    lock_days: int | None = None
    keep_days: int | None = None
    servers: Mapping[Product, int] = field(default_factory=dict[Product, int])
    clients: Clients | None = None
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    checksums: Mapping[str, str] = field(default_factory=dict[str, str])


def suggestion(word: str, known: Iterable[str]) -> str:
    """` Did you mean …?` for a mistyped word, or nothing."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.55)
    return f" Did you mean {near[0]}?" if near else ""
