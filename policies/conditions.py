"""Conditions on single values, with the words that say what was demanded.

Owns the vocabulary of `rule.need`. The words never hold the value that was found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from policies.values import ABSENT, as_bool, as_int, as_seconds


@dataclass(frozen=True)
class Condition:
    """A demand on one value.

    Attributes:
        holds: gets the value, which may be `ABSENT` and never is `UNKNOWN`.
        says: the demand, as the end of a sentence that starts with the path.
        accepts_unknown: whether an unknown satisfies it, as a reference to something of this stack does.
        advisory: whether breaking it blocks nothing.
    """

    holds: Callable[[Any], bool]
    says: str
    accepts_unknown: bool = False
    advisory: bool = False


def advised(condition: Condition) -> Condition:
    """The same demand, which blocks nothing."""
    return replace(condition, advisory=True)


def optional(condition: Condition) -> Condition:
    """The same demand where there is a value at all."""
    return replace(condition, holds=lambda value: value is ABSENT or condition.holds(value))


def _present(value: object) -> bool:
    return value is not ABSENT and value not in ("", [], {})


TRUE = Condition(lambda value: as_bool(value) is True, "must be true")
FALSE = Condition(lambda value: as_bool(value) is False, "must be false")
NOT_TRUE = Condition(lambda value: value is ABSENT or as_bool(value) is False, "must not be true")
NOT_FALSE = Condition(lambda value: value is ABSENT or as_bool(value) is True, "must not be false")
PRESENT = Condition(_present, "must be set", accepts_unknown=True)
LITERAL = Condition(_present, "must be set")
UNSET = Condition(lambda value: not _present(value), "must not be set")


def one_of(*allowed: str) -> Condition:
    """One of some texts."""
    words = " or ".join(allowed)
    return Condition(lambda value: isinstance(value, str) and value in allowed, f"must be {words}")


def none_of(*refused: str) -> Condition:
    """None of some texts; absent is fine."""
    return Condition(lambda value: value not in refused, f"must not be {' or '.join(refused)}")


def matching(holds: Callable[[str], bool], says: str) -> Condition:
    """A text for which a predicate holds."""
    return Condition(lambda value: isinstance(value, str) and holds(value), says)


def at_least(lowest: int, unit: str = "") -> Condition:
    """A whole number, not below a limit."""
    return Condition(lambda value: (n := as_int(value)) is not None and n >= lowest, f"must be at least {lowest}{unit}")


def at_most(highest: int, unit: str = "") -> Condition:
    """A whole number, not above a limit."""
    return Condition(
        lambda value: (n := as_int(value)) is not None and n <= highest, f"must be at most {highest}{unit}"
    )


def between(lowest: int, highest: int, unit: str = "") -> Condition:
    """A whole number within limits, both included."""
    return Condition(
        lambda value: (n := as_int(value)) is not None and lowest <= n <= highest,
        f"must be between {lowest} and {highest}{unit}",
    )


def lasting(lowest: int, highest: int) -> Condition:
    """A duration in seconds within limits, however it is spelled."""
    return Condition(
        lambda value: (n := as_seconds(value)) is not None and lowest <= n <= highest,
        f"must be between {lowest} and {highest} seconds",
    )
