from datetime import timedelta

from policies.values import ABSENT
from tests.policies.case import NOON, Case


def _ago(**passed: int) -> str:
    return (NOON - timedelta(**passed)).isoformat()


_DRILL = {"at": _ago(days=90), "result": "passed", "rtoSeconds": 600, "rpoSeconds": 3600, "reportRef": "drills/7"}

CASES = (
    Case(
        "hashicorp:backup:BackupPlan",
        {"rpoMinutes": 60, "drill": _DRILL},
        {
            "drill": (ABSENT,),
            "drill.at": (_ago(days=90, seconds=1), _ago(days=-1), "lately", ABSENT),
            "drill.result": ("failed", ABSENT),
            "drill.rpoSeconds": (3601, ABSENT),
            "drill.rtoSeconds": (ABSENT,),
            "drill.reportRef": ("", ABSENT),
            "rpoMinutes": (59, ABSENT),
        },
    ),
    Case("hashicorp:backup:BackupPlan", {"rpoMinutes": 60, "drill": {**_DRILL, "at": "2026-11-01"}}),
    # At this very instant, by another clock.
    Case("hashicorp:backup:BackupPlan", {"rpoMinutes": 60, "drill": {**_DRILL, "at": "2026-11-21T14:00:00+02:00"}}),
)
