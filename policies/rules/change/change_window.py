"""A change runs in its window, and an emergency until it must be closed."""

from __future__ import annotations

from collections.abc import Iterator

from components.plan.change import window
from policies.concepts.changes import WINDOW, bound, lacking, misread, missing, reads, record
from policies.concepts.facts import FACTS
from policies.concepts.operations import schedule
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule


def _window(facts: Resource, context: Context) -> Iterator[Finding]:
    if not bound(facts):
        return
    if facts.at("change").absent:
        yield missing()
        return
    change = record(facts, WINDOW)
    yield from lacking(window(change, schedule(), context.deployed), misread(facts, WINDOW))


RULE = Rule("change-window", (Check((FACTS,), _window, reads(WINDOW), "fail"),))
