"""What a rule says that it reads of a stack is what it reads.

The report counts a resource as evaluated by what a rule says that it looks at, and the SDK's properties are compared
with it: a rule that says one thing and reads another would be neither counted nor compared.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from policies.resource import ROOT_TYPE
from policies.rule import Rule, StackCheck
from policies.rules import RULES
from tests.policies.case import Stack, StackCase, world
from tests.policies.cases import cases
from tests.policies.watching import Watch, related

SHARED = {"ingress-effective-exposure", "boundary-ports-scoped", "tag-project"}
"""Rules that read every form of a firewall, or of tags, through one concept: it tries more than one type has, and stops
at the first that decides. The concept's own tests hold each form."""

_RULES = [pytest.param(rule, id=rule.id) for rule in RULES if rule.on_stacks and rule.id not in SHARED]


def _stacks(case: StackCase) -> Iterator[Stack]:
    yield case.good
    for changes in (case.breaks, case.advises, case.defers):
        for change in changes.values():
            yield change(case.good)


def _watched(rule: Rule, *checks: StackCheck) -> Watch:
    watch = Watch()
    for case in cases()[rule.id]:
        if isinstance(case, StackCase):
            for stack in _stacks(case):
                Rule(rule.id, checks).judge_stack(watch.world(world(stack)), case.context)
    return watch


@pytest.mark.parametrize("rule", _RULES)
def test_a_rule_says_what_it_reads_of_a_stack(rule: Rule) -> None:
    for check in rule.on_stacks:
        declared = {(token, path) for token, paths in check.reads for path in paths}
        watch = _watched(rule, check)
        unsaid = {
            (kind, read)
            for kind, read in watch.seen
            if kind != ROOT_TYPE and not any(kind == token and related(path, read) for token, path in declared)
        }
        assert unsaid == set(), rule.id
        assert watch.asked <= {*check.types, ROOT_TYPE}, rule.id


@pytest.mark.parametrize("rule", _RULES)
def test_a_rule_reads_of_a_stack_what_it_says(rule: Rule) -> None:
    """Paths of the types that its stacks hold; the rest of them is read in the same way."""
    watch = _watched(rule, *rule.on_stacks)
    held = {kind for kind, _ in watch.seen}
    declared = {(token, path) for check in rule.on_stacks for token, paths in check.reads for path in paths}
    unread = {
        (token, path)
        for token, path in declared
        if token in held and not any(kind == token and related(path, read) for kind, read in watch.seen)
    }
    assert unread == set(), rule.id
    assert {token for check in rule.on_stacks for token in check.types} <= watch.asked | watch.fetched, rule.id
