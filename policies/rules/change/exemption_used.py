"""Every exemption in force is shown in each run; what one suppresses is said where it does (`policies.verdict`)."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.exempted import READS, said
from policies.concepts.facts import FACTS
from policies.context import Context
from policies.exemptions import KEY
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, advice

SOON = 14
"""Days before its end from which an exemption stands first."""


def _shown(facts: Resource, context: Context) -> Iterator[Finding]:
    in_force = [each for each in said(facts, context.at.date()).entries if each.in_force]
    for each in sorted(in_force, key=lambda each: each.days_left > SOON):
        entry = each.entry
        yield advice(
            f"{KEY}[{each.index}]",
            f"silences {entry.rule} until {entry.expires.isoformat()}, {each.days_left} days from now",
        )


RULE = Rule("exemption-used", (Check((FACTS,), _shown, READS),))
