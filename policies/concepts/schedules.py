"""How often a schedule runs at the least.

Owns the reading of cron expressions, as Kubernetes and Nomad take them, and of AWS's `cron()` and `rate()`.

Dangerous edge: only schedules of every day are read. One that leaves out days, or that cannot be read, has no answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

DAY = 24 * 60
_UNITS: Mapping[str, int] = {"minute": 1, "hour": 60, "day": DAY}
_WORDS: Mapping[str, str] = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *"}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)$")
_AWS_CRON = re.compile(r"cron\((\S+ \S+ \S+ \S+ \S+) \*\)$")
_PART = re.compile(r"(?:\*|(?P<first>\d+)(?:-(?P<last>\d+))?)(?:/(?P<step>\d+))?$")
_FIELDS = 5
"""Minute, hour, and three of days."""
_EVERY = ("*", "?")


def longest_gap(expression: object) -> int | None:
    """The most minutes between two runs; None where that cannot be told, or is more than a day's rhythm."""
    text = expression.strip() if isinstance(expression, str) else ""
    if rate := _RATE.match(text):
        return int(rate[1]) * _UNITS[rate[2]]
    if inner := _AWS_CRON.match(text):
        text = inner[1]
    fields = _WORDS.get(text, text).split()
    if len(fields) != _FIELDS or any(day not in _EVERY for day in fields[2:]):
        return None
    runs = sorted(60 * hour + minute for hour in _chosen(fields[1], 24) for minute in _chosen(fields[0], 60))
    if not runs:
        return None
    return max(later - earlier for earlier, later in zip(runs, [*runs[1:], runs[0] + DAY], strict=True))


def _chosen(field: str, size: int) -> set[int]:
    """The values of a field; none where it cannot be read."""
    found: set[int] = set()
    for text in field.split(","):
        part = _PART.match(text)
        if part is None or part["step"] == "0":
            return set()
        first = int(part["first"] or 0)
        # A step without an end goes on to the end, and so does a star.
        last = int(part["last"] or (size - 1 if part["step"] or not part["first"] else first))
        if last >= size:
            return set()
        found |= set(range(first, last + 1, int(part["step"] or 1)))
    return found
