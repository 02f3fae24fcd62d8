from typing import Any

from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case

_FACTS = "hashicorp:compliance:Facts"
NORMAL: dict[str, Any] = {
    "id": "CHG-1042",
    "category": "normal",
    "author": "ada",
    "approvers": ["grace"],
    "requestedAt": "2026-11-10T09:00:00Z",
    "approvedAt": "2026-11-14T09:00:00Z",
    "impact": "servers are replaced one by one",
    "rollbackPlan": "the former image",
    "stagingRun": "run 77",
    "windowStart": "2026-11-21T02:00:00Z",
    "windowEnd": "2026-11-21T06:00:00Z",
    "notified": "mail of 2026-11-20",
}
EMERGENCY: dict[str, Any] = {
    "id": "INC-7",
    "category": "emergency",
    "author": "ada",
    "approvers": ["grace", "joan"],
    "requestedAt": "2026-11-21T11:00:00Z",
    "approvedAt": "2026-11-21T11:30:00Z",
    "impact": "none",
    "rollbackPlan": "the former image",
    "closes": "2026-11-24T11:30:00Z",
}
_OTHER = {
    "id": ("CHG-", "1042", "XINC-1"),
    "category": ("urgent", "major", "emergency"),
    "approvers": ([], ["ada"], ["Ada "], ["grace", "ada"]),
    "requestedAt": ("2026-11-17T12:00:00Z", "2026-11-22T12:00:00Z", "2026-11-10", "yesterday"),
    "approvedAt": ("2026-11-21T12:01:00Z", "2026-11-09T09:00:00Z", "2026-11-14"),
}


def _facts(change: dict[str, Any], environment: str = "production") -> dict[str, Any]:
    return {"environment": environment, "change": change}


CASES = (
    Case(
        _FACTS,
        _facts(NORMAL),
        {
            **{f"change.{name}": (*_OTHER.get(name, ()), ABSENT) for name in NORMAL},
            "change": (ABSENT, {}),
            "change.closed": ("2026-11-21T11:00:00Z",),
        },
    ),
    Case(
        _FACTS,
        _facts(EMERGENCY, "staging"),
        {
            "change.id": ("CHG-7",),
            "change.approvers": (["grace"], ["grace", "Grace"]),
            "change.closes": ("2026-11-24T11:30:01Z", "2026-11-21T11:30:00Z", ABSENT),
            "change.rollbackPlan": (ABSENT, ""),
        },
    ),
    # Evidence that comes with the closing may be there already.
    Case(_FACTS, _facts({**NORMAL, "implemented": "journal 5", "verified": "report 5"})),
    Case(_FACTS, {"environment": "dev"}, {"environment": ("production", "stage", ABSENT, 5)}),
    Case(_FACTS, {"environment": "local"}, {"environment": ("demo", UNKNOWN)}),
)
