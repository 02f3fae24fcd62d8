from tests.policies.case import Case
from tests.policies.cases.change.exemption_valid import ENTRY

CASES = (
    Case(
        "hashicorp:compliance:Facts",
        {"exemptions": [ENTRY]},
        advises={
            "exemptions[0].ticket": ("CHG-7",),
            "exemptions": ([{**ENTRY, "expires": "2026-11-21"}],),
        },
    ),
)
