"""Each backup plan has a restore drill that passed lately and met its objectives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from policies.concepts.backups import PLAN
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule
from policies.values import ABSENT, as_int

_FRESH = timedelta(days=90)


def _when(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _drilled(plan: Resource, context: Context) -> Iterator[Finding]:
    if plan.get("drill") is ABSENT:
        yield Finding("drill", "must be recorded: nobody has restored from this plan yet")
        return
    at = _when(plan.get("drill.at"))
    if at is None or not timedelta() <= context.at - at <= _FRESH:
        yield Finding("drill.at", f"must lie within the last {_FRESH.days} days")
    if plan.get("drill.result") != "passed":
        yield Finding("drill.result", "must be passed")
    rpo, lost = as_int(plan.get("rpoMinutes")), as_int(plan.get("drill.rpoSeconds"))
    if rpo is None or lost is None or lost > rpo * 60:
        yield Finding("drill.rpoSeconds", "must be at most rpoMinutes * 60")
    if as_int(plan.get("drill.rtoSeconds")) is None:
        yield Finding("drill.rtoSeconds", "must be measured")
    if plan.get("drill.reportRef") in (ABSENT, ""):
        yield Finding("drill.reportRef", "must name the report")


RULE = Rule(
    "dr-drill-fresh",
    (
        Check(
            (PLAN,),
            _drilled,
            (*(f"drill.{name}" for name in ("at", "result", "rtoSeconds", "rpoSeconds", "reportRef")), "rpoMinutes"),
            "fail",
        ),
    ),
)
