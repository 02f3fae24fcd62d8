"""How a check can come out, and what a command makes of all outcomes.

Owns the scale and the exit code. Decides nothing about products.

A finding is known to be bad, so it beats what could not be determined; what could not be determined is never fine. What a
command does not ask at all (`NOT_ASKED`) is shown so that nobody takes silence for health, and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from components.plan.thresholds import Level
from runbook.errors import FOUND, PASSED, UNKNOWN

_Of = TypeVar("_Of")


class Verdict(StrEnum):
    """From worst to best."""

    WRONG = "wrong"
    UNKNOWN = "unknown"
    ELEVATED = "elevated"
    NOT_ASKED = "not asked"
    FINE = "fine"


@dataclass(frozen=True)
class Said:
    """What a judge says."""

    verdict: Verdict
    says: str
    server: str = ""
    """The one server that it is about."""


def fine(says: str, server: str = "") -> Said:
    """All is as it should be."""
    return Said(Verdict.FINE, says, server)


def wrong(says: str, server: str = "") -> Said:
    """Known to be bad."""
    return Said(Verdict.WRONG, says, server)


def elevated(says: str, server: str = "") -> Said:
    """Not as it should be, and nothing to act on yet."""
    return Said(Verdict.ELEVATED, says, server)


def unknown(says: str, server: str = "") -> Said:
    """Could not be determined."""
    return Said(Verdict.UNKNOWN, says, server)


def not_asked(says: str) -> Said:
    """Is nothing that the command asks."""
    return Said(Verdict.NOT_ASKED, says)


def banded(level: Level, says: str, server: str = "") -> Said:
    """A value in a threshold band."""
    if level == "normal":
        return fine(says, server)
    return Said(Verdict.ELEVATED if level == "elevated" else Verdict.WRONG, f"{says} ({level})", server)


@dataclass(frozen=True)
class Check(Generic[_Of]):
    """A row of the table of checks, of a cluster or of a region.

    Attributes:
        helps: heading of docs/operator.md that says what to do.
    """

    name: str
    judge: Callable[[_Of], Iterable[Said]]
    helps: str


@dataclass(frozen=True)
class Outcome:
    """What a check found about a cluster or a region."""

    subject: str
    check: str
    said: Said
    helps: str

    @property
    def verdict(self) -> Verdict:
        """How it came out."""
        return self.said.verdict


def outcomes(check: Check[_Of], seen: _Of, subject: str) -> list[Outcome]:
    """What a check says. One that says nothing, or cannot read what a server answered, does not know."""
    try:
        said = list(check.judge(seen)) or [unknown("nothing could be judged")]
    except (ValueError, ArithmeticError):
        # Metrics may hold any number. The error would repeat the answer.
        said = [unknown("a server gave an answer that this program does not understand")]
    return [Outcome(subject, check.name, each, check.helps) for each in said]


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of several; fine where there is none."""
    order = list(Verdict)
    return min(verdicts, key=order.index, default=Verdict.FINE)


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """The command's exit code; a pass that judged nothing is no success."""
    found = set(verdicts)
    if Verdict.WRONG in found:
        return FOUND
    if Verdict.UNKNOWN in found or not found & {Verdict.FINE, Verdict.ELEVATED}:
        return UNKNOWN
    return PASSED
