"""Maintenance windows: when changes may run.

Owns the schedule that operators keep in `operations/maintenance.yaml`, and its occurrences. All times are UTC, a window is
half open, and its days are those on which it starts. Where windows overlap, the one that stands first holds, so at most
one is open at any instant. Reads no file and no clock.

Source: runbook, "Scheduled Maintenance Windows"; runbook-conformance RB-038 to RB-040.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from .operations import validated

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
Category = Literal["emergency", "standard", "normal", "major"]
"""Categories of changes, by which windows admit them."""
CATEGORIES: tuple[Category, ...] = get_args(Category)
MOST_HOURS = 24
_DAY = timedelta(days=1)


def _time(value: object) -> time:
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError('must be a time in quotes, like "02:00"')
    return time.fromisoformat(value)


def _several(values: list[object]) -> list[object]:
    if not values:
        raise ValueError("must not be empty")
    if len(set(values)) < len(values):
        raise ValueError("must not name anything twice")
    return values


class Window(BaseModel):
    """A recurring window.

    Attributes:
        days: of the month; with `weekdays` and `months` it starts on days on which all three agree.
        categories: of changes that may run in it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z-]*$")]
    weekdays: Annotated[tuple[Weekday, ...], AfterValidator(_several)]
    days: Annotated[tuple[Annotated[int, Field(strict=True, ge=1, le=31)], ...], AfterValidator(_several)] = tuple(
        range(1, 32)
    )
    months: Annotated[tuple[Annotated[int, Field(strict=True, ge=1, le=12)], ...], AfterValidator(_several)] = tuple(
        range(1, 13)
    )
    start: Annotated[time, BeforeValidator(_time)]
    hours: Annotated[int, Field(strict=True, ge=1, le=MOST_HOURS)]
    categories: Annotated[tuple[Category, ...], AfterValidator(_several)]

    def starts_on(self, day: date) -> bool:
        """Whether the window opens on a day."""
        return WEEKDAYS[day.weekday()] in self.weekdays and day.day in self.days and day.month in self.months

    def __str__(self) -> str:
        return f"{self.name}, {' '.join(self.weekdays)} {self.start:%H:%M} UTC for {self.hours} hours"


class Schedule(BaseModel):
    """`operations/maintenance.yaml`; the first window takes precedence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    windows: tuple[Window, ...]

    @model_validator(mode="after")
    def _whole(self) -> Schedule:
        names = [window.name for window in self.windows]
        admitted = {category for window in self.windows for category in window.categories}
        wrong = [f"{name} stands twice" for name in sorted({name for name in names if names.count(name) > 1})]
        # An emergency needs no window; the others could never run without one.
        wrong += [f"no window takes {category} changes" for category in CATEGORIES[1:] if category not in admitted]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


@dataclass(frozen=True)
class Occurrence:
    """One time that a window is open: [start, end)."""

    window: Window
    start: datetime
    end: datetime


def schedule(document: object) -> Schedule:
    """The schedule in a parsed `operations/maintenance.yaml`.

    Raises:
        ValueError: it holds none; says everything that is wrong.
    """
    return validated(Schedule, document, "operations/maintenance.yaml")


def occurrences(schedule: Schedule, since: datetime, until: datetime) -> list[Occurrence]:
    """The occurrences that touch [since, until), whole and in order; no two overlap."""
    since, until = since.astimezone(UTC), until.astimezone(UTC)
    # No window is longer than a day, so what touches the time, and what takes precedence over it, starts in these days.
    first = since.date() - 2 * _DAY
    days = [first + number * _DAY for number in range((until.date() - first).days + 2)]
    found: list[Occurrence] = []
    for window in schedule.windows:
        for day in days:
            if window.starts_on(day):
                start = datetime.combine(day, window.start, UTC)
                found += _rest(Occurrence(window, start, start + timedelta(hours=window.hours)), found)
    return sorted((each for each in found if each.start < until and since < each.end), key=lambda each: each.start)


def _rest(occurrence: Occurrence, taken: Iterable[Occurrence]) -> list[Occurrence]:
    """What others leave of an occurrence."""
    left = [occurrence]
    for other in taken:
        left = [piece for each in left for piece in _apart(each, other)]
    return left


def _apart(occurrence: Occurrence, other: Occurrence) -> Iterator[Occurrence]:
    before, after = min(occurrence.end, other.start), max(occurrence.start, other.end)
    if occurrence.start < before:
        yield Occurrence(occurrence.window, occurrence.start, before)
    if after < occurrence.end:
        yield Occurrence(occurrence.window, after, occurrence.end)


def current(schedule: Schedule, instant: datetime) -> Occurrence | None:
    """The window that is open at an instant."""
    return next(iter(occurrences(schedule, instant, instant + timedelta(microseconds=1))), None)


def holding(schedule: Schedule, start: datetime, end: datetime) -> Occurrence | None:
    """The one occurrence in which all of [start, end) lies."""
    if not start < end <= start + timedelta(hours=MOST_HOURS):
        return None
    (only, *others) = occurrences(schedule, start, end) or [None]
    return only if only and not others and only.start <= start and end <= only.end else None
