"""Telling what a pass found: a table for people, a document for machines.

Owns both forms. The document's schema is `Document`; a field's meaning never changes under one `schemaVersion`. The page
for people who read it is docs/operator.md.

Dangerous edge: names come from machines that may be anybody's by now, so what is printed holds no control characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from runbook.health.checks import LINKS
from runbook.health.outcome import Outcome, Verdict, exit_code, worst

PAGE = "docs/operator.md"
_STYLES = {
    Verdict.WRONG: "bold red",
    Verdict.UNKNOWN: "yellow",
    Verdict.ELEVATED: "cyan",
    Verdict.NOT_ASKED: "dim",
    Verdict.FINE: "green",
}
_EXPLAINED = {Verdict.UNKNOWN: "{checks}: {says}", Verdict.NOT_ASKED: "not asked: {says}"}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class Row(_Part):
    """One thing that a check said."""

    check: str
    verdict: Verdict
    server: str
    """Empty where it is about the whole."""
    says: str
    helps: str
    """Page and heading that help."""


class Subject(_Part):
    """A cluster, or what is a region's and no cluster's (`mesh-aws`)."""

    name: str
    verdict: Verdict
    """The worst of its outcomes: `not asked` where nothing is worse."""
    outcomes: tuple[Row, ...]


class Document(_Part):
    """`runbook health --json`."""

    schema_version: Literal[1] = 1
    verdict: Verdict
    """The worst of all that counts."""
    exit_code: int
    seconds: float
    """Of the whole pass."""
    subjects: tuple[Subject, ...]


def document(found: Sequence[Outcome], seconds: float) -> Document:
    """What machines read."""
    subjects = [
        Subject(
            name=name,
            verdict=_worst(own),
            outcomes=tuple(
                Row(
                    check=outcome.check,
                    verdict=outcome.verdict,
                    server=outcome.said.server,
                    says=printable(outcome.said.says),
                    helps=f"{PAGE}#{anchor(outcome.helps)}",
                )
                for outcome in own
            ),
        )
        for name, own in _by_subject(found)
    ]
    return Document(
        verdict=worst(outcome.verdict for outcome in found if outcome.verdict is not Verdict.NOT_ASKED),
        exit_code=exit_code(outcome.verdict for outcome in found),
        seconds=round(seconds, 3),
        subjects=tuple(subjects),
    )


def show(found: Sequence[Outcome], seconds: float, out: Console) -> None:
    """What people read: one row a cluster, its worst first."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("Cluster", "State", "What", "Where to look"):
        table.add_column(heading, overflow="fold", no_wrap=heading in {"Cluster", "State"})
    for name, own in _by_subject(found):
        state = _worst(own)
        lines = _lines(own)
        what, helps = Text(), Text()
        for verdict, says, page in lines:
            what.append(f"{says}\n", style=_STYLES[verdict])
            helps.append(f"{page}\n")
        what.rstrip()
        helps.rstrip()
        table.add_row(name, Text(state, style=_STYLES[state]), what, helps)
    out.print(table)
    regional = tuple(f"{name}-" for name in LINKS)
    clusters = len({outcome.subject for outcome in found if not outcome.subject.startswith(regional)})
    out.print(f"{clusters} clusters in {seconds:.1f} s. Headings are those of {PAGE}.", soft_wrap=True)


def _lines(own: Sequence[Outcome]) -> list[tuple[Verdict, str, str]]:
    """What is not fine, worst first; what several checks say alike stands once."""
    told: dict[tuple[Verdict, str], tuple[list[str], str]] = {}
    for outcome in sorted(own, key=lambda outcome: list(Verdict).index(outcome.verdict)):
        if outcome.verdict is Verdict.FINE:
            continue
        says = printable(" ".join(filter(None, (outcome.said.server, outcome.said.says))))
        checks, _ = told.setdefault((outcome.verdict, says), ([], outcome.helps))
        if outcome.check not in checks:
            checks.append(outcome.check)
    return [
        (verdict, _EXPLAINED.get(verdict, "{says}").format(checks=", ".join(checks), says=says), helps)
        for (verdict, says), (checks, helps) in told.items()
    ]


def _worst(own: Sequence[Outcome]) -> Verdict:
    return worst(outcome.verdict for outcome in own)


def _by_subject(found: Sequence[Outcome]) -> list[tuple[str, list[Outcome]]]:
    names = dict.fromkeys(outcome.subject for outcome in found)
    return [(name, [outcome for outcome in found if outcome.subject == name]) for name in names]


def printable(text: str) -> str:
    """The text without control characters."""
    return "".join(character if character.isprintable() else "?" for character in text)


def anchor(heading: str) -> str:
    """A heading's anchor, as Markdown pages have it."""
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
