"""For which rule and which place the rules' tests have cases.

`python -m tests.policies.cells` writes docs/compliance-tests.md; a test compares, and one fails for a place that a rule
judges and no case tries.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from policies.catalogue import Entry, Place, catalogue
from policies.resource import ROOT_TYPE
from policies.rules import RULES
from tests.policies.case import Case
from tests.policies.cases import cases

PAGE = Path(__file__).parents[2] / "docs" / "compliance-tests.md"
PLACES: tuple[Place, ...] = get_args(Place)
CLOUDS = ("aws", "azure", "gcp")

_PACKAGES = {"azure-native": "azure", "hashicorp": "component"}


def place(token: str) -> str:
    """The column of a type."""
    if token == ROOT_TYPE:
        return "stack"
    if token.startswith("pulumi:providers:"):
        token = token.removeprefix("pulumi:providers:")
    package = token.split(":")[0]
    return _PACKAGES.get(package, package)


def tried(rule: str) -> dict[str, int]:
    """How many changes that break a rule are tried, by place."""
    found: dict[str, int] = {}
    for case in cases()[rule]:
        if isinstance(case, Case):
            number = (
                sum(map(len, case.breaks.values())) + sum(map(len, case.advises.values())) + len(case.broken_options)
            )
            columns = [case.place or place(case.type)]
        else:
            number, columns = len(case.breaks) + len(case.advises), list(case.places)
        for column in columns:
            found[column] = found.get(column, 0) + number
    return found


def empty(rule: Entry) -> list[str]:
    """Places that the catalogue says the rule judges, and that no case tries."""
    numbers = tried(rule.id)
    missing = [column for column in rule.judges if not numbers.get(column)]
    unsaid = [cloud for cloud in CLOUDS if not _accounted(rule, cloud)]
    return [*missing, *unsaid]


def unclaimed(rule: Entry) -> list[str]:
    """Places that cases try though the catalogue does not say that the rule judges them."""
    return [column for column in tried(rule.id) if column not in rule.judges]


def _accounted(rule: Entry, cloud: str) -> bool:
    """Whether a cloud is judged, or the catalogue says why not, or the rule is about no cloud's resources at all."""
    return cloud in rule.judges or cloud in rule.not_applicable or not any(each in rule.judges for each in CLOUDS)


def text() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# What the rules' tests try"
    yield ""
    yield "<!-- Written by `python -m tests.policies.cells` from the cases; change them there. -->"
    yield ""
    yield (
        "How many single changes to a compliant resource (or stack) each rule is shown to find, by place. Every one of "
        "them also tries the property as unknown, and looks for the remedy and for leaked values in the message. "
        "`n/a`: the catalogue says why ([compliance.md](compliance.md)); `c`: the same in every cloud, judged on the "
        "component; empty: nothing of the rule there."
    )
    yield ""
    yield f"| Rule | {' | '.join(PLACES)} |"
    yield f"|---|{'---:|' * len(PLACES)}"
    for rule in (catalogue()[each.id] for each in RULES):
        numbers = tried(rule.id)
        yield f"| `{rule.id}` | {' | '.join(_cell(rule, column, numbers) for column in PLACES)} |"
    total = sum(sum(tried(rule).values()) for rule in (each.id for each in RULES))
    yield ""
    yield f"{total} changes in all."


def _cell(rule: Entry, column: Place, numbers: dict[str, int]) -> str:
    if numbers.get(column):
        return str(numbers[column])
    if column in rule.not_applicable:
        return "n/a"
    return "c" if column in CLOUDS and "component" in rule.judges else ""


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
