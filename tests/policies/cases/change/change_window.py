from datetime import UTC, datetime
from typing import Any

from policies.values import ABSENT
from tests.policies.case import Case
from tests.policies.cases.change.change_recorded import EMERGENCY, NORMAL

_FACTS = "hashicorp:compliance:Facts"


def _case(change: dict[str, Any], breaks: dict[str, Any], at: datetime, *indifferent: str) -> Case:
    facts = {"environment": "production", "change": change}
    return Case(_FACTS, facts, breaks, indifferent=indifferent, at=at)


_PASSED = ("2026-11-14T02:00:00Z", "2026-11-14T06:00:00Z")

CASES = (
    _case(
        NORMAL,
        {
            "change.category": ("major", "emergency", ABSENT),
            "change.windowStart": (
                "2026-11-21T01:59:00Z",
                "2026-11-21T06:00:00Z",
                "2026-11-21T04:00:01Z",
                "2026-11-21",
                ABSENT,
            ),
            "change.windowEnd": ("2026-11-21T06:01:00Z", "2026-11-21T02:00:00Z", "2026-11-21T04:00:00Z", ABSENT),
            "change": (ABSENT, {**NORMAL, "windowStart": _PASSED[0], "windowEnd": _PASSED[1]}),
        },
        datetime(2026, 11, 21, 4, tzinfo=UTC),
    ),
    _case(
        EMERGENCY,
        {
            "change.closes": ("2026-11-21T12:00:00Z", "soon", ABSENT),
            "change.approvedAt": ("2026-11-21T12:01:00Z", ABSENT),
        },
        datetime(2026, 11, 21, 12, tzinfo=UTC),
    ),
    Case(_FACTS, {"environment": "dev"}, {"environment": ("production",)}),
)
