"""Changes: the record of one, what its category demands, and what a record lacks.

Owns the record's fields (one for each box of the runbook's implementation checklist), the rules that operators keep in
`operations/change.yaml`, and the judgement. Whether a change may run now is asked twice: `recorded`, which holds from the
approval on, and `window`, which the clock decides. Reads no file.

Dangerous edge: a lack names a field and never what stands in it.

Source: runbook, "Change Management"; runbook-conformance RB-107, RB-108.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from .operations import validated
from .windows import CATEGORIES, Category, Schedule, holding

LONGEST_EMERGENCY = timedelta(hours=72)
"""From the approval of an emergency to its closing."""

VARIABLE = "HMC_CHANGE"
"""The variable that names a file with the record, in YAML or JSON; it wins over the configuration."""

_ID = re.compile(r"(CHG|INC)-[0-9]+")


@dataclass(frozen=True)
class Change:
    """One change, as far as it has come. Texts are evidence: what was found, or where it is kept.

    Attributes:
        notified: who was told, and when.
        implemented: the journal of the execution.
        verified: the report of the checks afterwards.
        closes: until when an emergency may run; it is closed by then.
    """

    id: str | None = None
    category: str | None = None
    author: str | None = None
    approvers: tuple[str, ...] = ()
    requested_at: datetime | None = None
    approved_at: datetime | None = None
    impact: str | None = None
    rollback_plan: str | None = None
    staging_run: str | None = None
    window_start: datetime | None = None
    window_end: datetime | None = None
    notified: str | None = None
    implemented: str | None = None
    verified: str | None = None
    closed: datetime | None = None
    closes: datetime | None = None


FIELDS: Mapping[str, str] = {to_camel(field.name): field.name for field in fields(Change)}
"""The record's fields by their names in files and props."""
INSTANTS = frozenset({"requestedAt", "approvedAt", "windowStart", "windowEnd", "closed", "closes"})
_HEAD = ("id", "category", "author", "approvers", "requestedAt", "approvedAt")
_CLOSING = ("implemented", "verified", "closed")
_BOXES: tuple[tuple[str, ...], ...] = (
    _HEAD,
    ("impact",),
    ("rollbackPlan",),
    ("stagingRun",),
    ("windowStart", "windowEnd"),
    ("notified",),
    ("implemented",),
    ("verified",),
    ("closed", "closes"),
)
BOX: Mapping[str, int] = {name: number for number, names in enumerate(_BOXES, start=1) for name in names}
"""The number of a field's box in the runbook's checklist."""


@dataclass(frozen=True)
class Lack:
    """What a record lacks: the field, and what is wrong as the end of a sentence that starts with it."""

    field: str
    what: str

    @property
    def box(self) -> int:
        """Its number in the checklist."""
        return BOX[self.field]


class Demands(BaseModel):
    """What one category demands."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    lead_hours: Annotated[int, Field(ge=0, le=2400)]
    approvers: Annotated[int, Field(ge=1, le=9)]
    demands: list[str]


_LEAST: Mapping[Category, Demands] = {
    "emergency": Demands(lead_hours=0, approvers=2, demands=["rollbackPlan", "closes"]),
    "standard": Demands(lead_hours=24, approvers=1, demands=["rollbackPlan", "windowStart", "windowEnd"]),
    "normal": Demands(lead_hours=120, approvers=1, demands=["rollbackPlan", "stagingRun", "windowStart", "windowEnd"]),
    "major": Demands(lead_hours=336, approvers=2, demands=["rollbackPlan", "stagingRun", "windowStart", "windowEnd"]),
}
"""The runbook's own figures: operators may ask for more."""


class Rules(BaseModel):
    """`operations/change.yaml`."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    categories: dict[Category, Demands]

    @model_validator(mode="after")
    def _complete(self) -> Rules:
        wrong = [text for category in CATEGORIES for text in _loosened(category, self.categories.get(category))]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


def _loosened(category: Category, said: Demands | None) -> Iterator[str]:
    least = _LEAST[category]
    if said is None:
        yield f"{category} is missing"
        return
    if said.lead_hours < least.lead_hours:
        yield f"{category}.leadHours must be at least {least.lead_hours}"
    if said.approvers < least.approvers:
        yield f"{category}.approvers must be at least {least.approvers}"
    if absent := [name for name in least.demands if name not in said.demands]:
        yield f"{category}.demands must name {', '.join(absent)}"
    if any(name not in BOX or name in (*_HEAD, *_CLOSING) for name in said.demands):
        demandable = [name for name in FIELDS if name not in (*_HEAD, *_CLOSING)]
        yield f"{category}.demands may name {', '.join(demandable)}"


def rules(document: object) -> Rules:
    """The rules in a parsed `operations/change.yaml`.

    Raises:
        ValueError: it holds none; says everything that is wrong.
    """
    return validated(Rules, document, "operations/change.yaml")


# Records as plain data: what components are given as props and the pack reads again.


def plain(change: Change) -> dict[str, Any]:
    """The record as JSON, without what is not there."""
    said: dict[str, Any] = {}
    for name, attribute in FIELDS.items():
        value = getattr(change, attribute)
        if isinstance(value, datetime):
            said[name] = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        elif value:
            said[name] = list(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else value
    return said


def read(said: Mapping[str, Any]) -> Change:
    """The record in plain data. What has not the form of its field counts as missing."""
    made: dict[str, Any] = {}
    for name, attribute in FIELDS.items():
        value = said.get(name)
        if name in INSTANTS:
            made[attribute] = instant(value)
        elif name == "approvers":
            items = cast("list[object]", value) if isinstance(value, list) else []
            made[attribute] = tuple(filter(None, map(_text, items)))
        else:
            made[attribute] = _text(value)
    return Change(**made)


def instant(value: object) -> datetime | None:
    """An instant, from ISO 8601 with its offset; None for anything else."""
    if not isinstance(value, str) or not value[:4].isdigit():
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _text(value: object) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


# Judgement.


def recorded(change: Change, by: Rules, now: datetime) -> list[Lack]:
    """What the record lacks for the change to run at all; empty when it may, in its window."""
    demanded = _demands(change, by)
    return [
        *_missing(change, (*_HEAD, *(demanded.demands if demanded else ()))),
        *_named(change),
        *_approved(change, demanded, now),
        *(_timed(change, demanded, now) if demanded else ()),
        *_emergency(change),
        *([Lack("closed", "is set: the change is over, and the next deployment needs a record of its own")]
          if change.closed else ()),
    ]  # fmt: skip


def window(change: Change, schedule: Schedule, now: datetime) -> list[Lack]:
    """Why the change may not run now; empty when it may. An emergency has its own time, from the approval on."""
    if change.category == "emergency":
        running = change.approved_at and change.closes and change.approved_at <= now < change.closes
        return [] if running else [Lack("closes", "must lie ahead: an emergency runs from its approval until then")]
    start, end = change.window_start, change.window_end
    if start is None or end is None:
        return list(_missing(change, ("windowStart", "windowEnd")))
    if end <= start:
        return [Lack("windowEnd", "must be later than windowStart")]
    found: list[Lack] = []
    held = holding(schedule, start, end)
    if held is None:
        found.append(
            Lack("windowStart", f"and windowEnd must lie in one maintenance window ({_open(schedule, change)})")
        )
    elif change.category not in held.window.categories:
        found.append(
            Lack("windowStart", f"lies in the window {held.window.name}, which takes other categories of change "
                 f"({_open(schedule, change)})")
        )  # fmt: skip
    if now < start:
        found.append(Lack("windowStart", "lies ahead: the change waits for it"))
    elif now >= end:
        found.append(Lack("windowEnd", "has passed: the change needs another window"))
    return found


def unclosed(change: Change, now: datetime) -> list[Lack]:
    """What the record lacks for the change to be closed."""
    found = list(_missing(change, _CLOSING))
    if change.closed and change.closed > now:
        found.append(Lack("closed", "must not lie ahead"))
    if change.closed and change.approved_at and change.closed < change.approved_at:
        found.append(Lack("closed", "must not be earlier than approvedAt"))
    return found


def _demands(change: Change, by: Rules) -> Demands | None:
    return next((demands for category, demands in by.categories.items() if category == change.category), None)


def _missing(change: Change, names: tuple[str, ...]) -> Iterator[Lack]:
    for name in names:
        if not getattr(change, FIELDS[name]):
            yield Lack(name, "is missing")


def _named(change: Change) -> Iterator[Lack]:
    if change.id and not _ID.fullmatch(change.id):
        yield Lack("id", "must be CHG- or INC- and a number")
    if change.category and change.category not in CATEGORIES:
        yield Lack("category", f"must be one of {', '.join(CATEGORIES)}")


def _person(name: str) -> str:
    return " ".join(name.casefold().split())


def _approved(change: Change, demanded: Demands | None, now: datetime) -> Iterator[Lack]:
    people = {_person(name) for name in change.approvers}
    if change.author and _person(change.author) in people:
        yield Lack("approvers", "must not hold the author")
    if demanded and people and len(people) < demanded.approvers:
        yield Lack("approvers", f"must be at least {demanded.approvers} different people")
    if change.approved_at and change.approved_at > now:
        yield Lack("approvedAt", "must not lie ahead")
    if change.approved_at and change.requested_at and change.approved_at < change.requested_at:
        yield Lack("approvedAt", "must not be earlier than requestedAt")


def _timed(change: Change, demanded: Demands, now: datetime) -> Iterator[Lack]:
    if change.requested_at is None:
        return
    if change.requested_at > now:
        yield Lack("requestedAt", "must not lie ahead")
    elif now - change.requested_at < timedelta(hours=demanded.lead_hours):
        yield Lack("requestedAt", f"must be at least {demanded.lead_hours} hours ago for a {change.category} change")


def _emergency(change: Change) -> Iterator[Lack]:
    if change.category != "emergency":
        return
    if change.id and not change.id.startswith("INC-"):
        yield Lack("id", "must be the incident's, INC- and a number")
    if (
        change.closes
        and change.approved_at
        and not (change.approved_at < change.closes <= change.approved_at + LONGEST_EMERGENCY)
    ):
        hours = int(LONGEST_EMERGENCY.total_seconds() // 3600)
        yield Lack("closes", f"must lie within {hours} hours after approvedAt")


def _open(schedule: Schedule, change: Change) -> str:
    named = [str(window) for window in schedule.windows if change.category in window.categories]
    return f"for this category: {'; '.join(named)}" if named else "none takes this category"
