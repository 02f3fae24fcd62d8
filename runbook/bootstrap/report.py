"""Telling what a bring-up did: a table for people, a document for machines.

Owns both forms. The document's schema is `Document`; a field's meaning never changes under one `schemaVersion`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from runbook.bootstrap.steps import State, Step, exit_code, worst
from runbook.health.report import printable

_STYLES = {
    State.WRONG: "bold red",
    State.UNKNOWN: "yellow",
    State.HOLDERS: "yellow",
    State.WOULD: "cyan",
    State.LEFT: "cyan",
    State.DONE: "green",
    State.CHANGED: "green",
    State.UNCHANGED: "dim",
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class Row(_Part):
    """One step."""

    state: State
    says: str
    fix: str
    """What is to be done by people; empty where nothing is."""


class Subject(_Part):
    """A cluster."""

    name: str
    state: State
    """The worst of its steps."""
    steps: tuple[Row, ...]


class Document(_Part):
    """`runbook bootstrap --json`."""

    schema_version: Literal[1] = 1
    state: State
    """The worst of all; `unchanged` where everything stood already."""
    exit_code: int
    seconds: float
    clusters: tuple[Subject, ...]


def document(steps: Sequence[Step], seconds: float) -> Document:
    """What machines read."""
    return Document(
        state=worst(steps),
        exit_code=exit_code(steps),
        seconds=round(seconds, 3),
        clusters=tuple(
            Subject(
                name=name,
                state=worst(own),
                steps=tuple(Row(state=step.state, says=printable(step.says), fix=printable(step.fix)) for step in own),
            )
            for name, own in _by_cluster(steps)
        ),
    )


def show(made: Document, out: Console) -> None:
    """What people read: a row a cluster, without what stood already; and the errors of all at the end."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("Cluster", "State", "What"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "What")
    fixes: list[tuple[str, Row]] = []
    for subject in made.clusters:
        what = Text()
        for row in subject.steps:
            if row.state is not State.UNCHANGED:
                what.append(f"{row.says}\n", style=_STYLES[row.state])
            if row.fix:
                fixes.append((subject.name, row))
        what.append(f"{sum(row.state is State.UNCHANGED for row in subject.steps)} verified", style="dim")
        table.add_row(subject.name, Text(subject.state, style=_STYLES[subject.state]), what)
    out.print(table)
    for name, row in fixes:
        out.print(Text(f"{name}: {row.says}", style=_STYLES[row.state]), soft_wrap=True)
        out.print(Text(f"  {row.fix}"), soft_wrap=True)
    out.print(f"{len(made.clusters)} clusters in {made.seconds:.1f} s: {made.state}", soft_wrap=True)


def _by_cluster(steps: Sequence[Step]) -> list[tuple[str, list[Step]]]:
    names = dict.fromkeys(step.cluster for step in steps)
    return [(name, [step for step in steps if step.cluster == name]) for name in names]
