"""What an unknown value does is as reviewed: a violation, or a decision put off until the update.

The reviewed list is unknowns.txt; `UPDATE_GOLDEN=1` writes it anew. Where it says "waits", a preview lets the change
pass and the update decides; "blocks" demands a literal. A line that goes from "blocks" to "waits" is a hole in every
pull request, and no other test sees it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.rule import Rule
from policies.rules import RULES
from policies.values import UNKNOWN
from tests.policies.case import StackCase, patched, paths
from tests.policies.cases import cases

REVIEWED = Path(__file__).with_name("unknowns.txt")
_WORDS = {"violation": "blocks", "deferred": "waits", "advice": "advises"}


def unknowns(rule: Rule) -> set[str]:
    """Rule, type, path and what an unknown there leads to, a line each."""
    return {f"{rule.id} {line}" for line in _lines(rule)}


def _lines(rule: Rule) -> Iterator[str]:
    for case in cases()[rule.id]:
        if isinstance(case, StackCase):
            continue
        for check in rule.on_resources:
            if check.concerns(case.resource()):
                for read in check.reads:
                    for path in paths(case.good, read):
                        found = rule.judge(case.resource(patched(case.good, path, UNKNOWN)), case.context)
                        does = sorted({_WORDS[each.kind] for each in found})
                        yield f"{case.type} {read} {' and '.join(does) or 'nothing'}"


def reviewed() -> dict[str, set[str]]:
    """The list by rule."""
    found: dict[str, set[str]] = {}
    for line in REVIEWED.read_text(encoding="utf-8").splitlines():
        found.setdefault(line.partition(" ")[0], set()).add(line)
    return found


def test_the_list_names_no_rule_that_is_gone() -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        lines = sorted(line for rule in RULES for line in unknowns(rule))
        REVIEWED.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    assert reviewed().keys() <= {rule.id for rule in RULES}


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in RULES if rule.on_resources])
def test_an_unknown_does_what_was_reviewed(rule: Rule) -> None:
    assert unknowns(rule) == reviewed().get(rule.id, set())
