"""Every deployment of a protected stack names its change, which has what its category demands."""

from __future__ import annotations

from collections.abc import Iterator

from components.plan.change import FIELDS, recorded
from policies.concepts.changes import READS, bound, lacking, misread, missing, record
from policies.concepts.facts import FACTS
from policies.concepts.operations import rules
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule


def _recorded(facts: Resource, context: Context) -> Iterator[Finding]:
    if not bound(facts):
        return
    if facts.at("change").absent:
        yield missing()
        return
    change = record(facts)
    yield from lacking(recorded(change, rules(), context.deployed), misread(facts, FIELDS))


RULE = Rule("change-recorded", (Check((FACTS,), _recorded, READS, "fail"),))
