"""The record of the change under which a stack is deployed, as its facts hold it.

Owns the reading of the record and of whether the stack needs one. What a record lacks is the plan's to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from components.plan.change import FIELDS, INSTANTS, Change, Lack, instant, read
from components.plan.compliance import protected
from policies.resource import Resource
from policies.rule import Finding
from policies.values import ABSENT

ENVIRONMENT = "environment"
WINDOW = ("category", "approvedAt", "windowStart", "windowEnd", "closes")
"""The fields that say when a change may run."""
_LISTS = frozenset({"approvers"})


def reads(fields: Iterable[str]) -> tuple[str, ...]:
    """The paths at which the record's fields lie, with the one that says whether it is needed."""
    return (ENVIRONMENT, *(f"change.{name}[]" if name in _LISTS else f"change.{name}" for name in fields))


READS = reads(FIELDS)


def bound(facts: Resource) -> bool:
    """Whether changes of the stack need a record; of one that names no environment too.

    Raises:
        Undecided: the environment is not known.
    """
    environment = facts.get(ENVIRONMENT)
    return not isinstance(environment, str) or protected(environment)


def record(facts: Resource, fields: Iterable[str] = FIELDS) -> Change:
    """The record, of those fields.

    Raises:
        Undecided: one of them is not known.
    """
    facts.get("change")
    said = {name: facts.get(f"change.{name}") for name in fields}
    for name in _LISTS.intersection(fields):
        for node in facts.each(f"change.{name}[]"):
            node.known()
    return read({name: value for name, value in said.items() if value is not ABSENT})


def missing() -> Finding:
    """That there is no record at all."""
    return Finding("change", f"must hold the record of the change: {', '.join(FIELDS)}")


def misread(facts: Resource, fields: Iterable[str]) -> list[Finding]:
    """A finding for each field that holds something else than belongs there, which `record` takes as missing."""
    said = {name: facts.get(f"change.{name}") for name in fields if name in INSTANTS}
    return [
        Finding(f"change.{name}", "must be an instant with its offset from UTC")
        for name, value in said.items()
        if value is not ABSENT and instant(value) is None
    ]


def lacking(lacks: Iterable[Lack], misread: Iterable[Finding]) -> Iterator[Finding]:
    """What a record lacks, with the number of its box in the runbook's checklist; each field is complained of once."""
    wrong = {finding.path: finding for finding in misread}
    yield from wrong.values()
    for lack in lacks:
        if f"change.{lack.field}" not in wrong:
            yield Finding(f"change.{lack.field}", f"{lack.what} (box {lack.box} of the checklist)")
