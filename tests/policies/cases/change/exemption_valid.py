from datetime import date

from policies.exemptions import Exemptions, Problem, parse
from policies.values import ABSENT
from tests.policies.case import NOON, Case

_FACTS = "hashicorp:compliance:Facts"
ENTRY = {
    "rule": "server-class-fit",
    "urn": "*::boundary-worker-*",
    "reason": "Workers stay burstable until the load test has given their size.",
    "ticket": "CHG-1042",
    "owner": "platform-engineering",
    "approvedBy": "security-lead",
    "expires": "2026-12-21",
}
_OTHER = {"rule": "disk-encrypted", "urn": "*::boundary-other-*", "expires": "2026-12-20"}


def _read(*entries: object) -> Exemptions:
    return parse(list(entries), NOON.date())


CASES = (
    Case(
        _FACTS,
        {"exemptions": [ENTRY]},
        {
            "exemptions": ([], [ENTRY, ENTRY], ABSENT),
            **{f"exemptions[0].{key}": (value,) for key, value in _OTHER.items()},
            **{f"exemptions[0].{key}": ("CHG-7", ABSENT) for key in ENTRY if key not in _OTHER},
        },
        # As YAML reads a date.
        exemptions=_read({**ENTRY, "expires": date(2026, 12, 21)}),
    ),
    Case(_FACTS, {"exemptions": []}, {"exemptions": ([ENTRY],)}),
)
BROKEN = Case(_FACTS, {"exemptions": [{**ENTRY, "ticket": "none"}]}, exemptions=_read({**ENTRY, "ticket": "none"}))
UNREAD = Case(_FACTS, {"exemptions": [ENTRY]}, exemptions=Exemptions(problems=(Problem(None, "is no list"),)))
