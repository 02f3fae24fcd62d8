"""Exemptions are documented, end, and are those that the stack says it has.

That one suppresses nothing any more is found at the end of a run, by `policies.session`.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.exempted import READS, said
from policies.concepts.facts import FACTS
from policies.context import Context
from policies.exemptions import KEY
from policies.resource import Resource
from policies.rule import Check, Finding, Rule


def _valid(facts: Resource, context: Context) -> Iterator[Finding]:
    for problem in context.exemptions.problems:
        place = KEY if problem.index is None else f"{KEY}[{problem.index}]"
        yield Finding(place, problem.what)
    unread = any(problem.index is None for problem in context.exemptions.problems)
    if said(facts, context.at.date()) != context.exemptions and not unread:
        yield Finding(KEY, "must be those of the stack's file, which alone is reviewed")


RULE = Rule("exemption-valid", (Check((FACTS,), _valid, READS, "fail"),))
