"""Backups, where a case does not say it: what is told nothing, what a finding is about, and what counts as looked at."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from policies.resource import ROOT_TYPE
from policies.rule import Finding, Rule, StackCheck
from policies.rules.backup import backup_immutable, backup_retention_ordered, dr_outputs_complete
from tests.policies.case import Case, Change, StackCase, changed, urn, without, world
from tests.policies.cases.backup.backup_immutable import CASES as LOCKS
from tests.policies.cases.backup.backup_retention_ordered import CASES as EXPIRIES
from tests.policies.cases.backup.dr_outputs_complete import CASES as OUTPUTS
from tests.policies.watching import Watch, related

_ACCOUNTS = [
    case for case in LOCKS if isinstance(case, Case) and case.type.endswith("StorageAccount") and not case.advises
]


def _stack_cases(cases: Sequence[Case | StackCase]) -> list[StackCase]:
    return [case for case in cases if isinstance(case, StackCase)]


def _watched(rule: Rule, check: StackCheck, cases: Sequence[Case | StackCase]) -> Watch:
    """What a check looks at in the stacks that comply."""
    watch = Watch()
    for case in _stack_cases(cases):
        Rule(rule.id, (check,)).judge_stack(watch.world(world(case.good)), case.context)
    return watch


@pytest.mark.parametrize("case", _ACCOUNTS)
def test_an_account_that_is_locked_or_need_not_be_is_told_nothing(case: Case) -> None:
    assert not backup_immutable.RULE.judge(case.resource(), case.context)


@pytest.mark.parametrize("check", backup_retention_ordered.RULE.on_stacks)
def test_a_bucket_whose_lock_is_looked_up_counts_as_looked_at(check: StackCheck) -> None:
    assert _watched(backup_retention_ordered.RULE, check, EXPIRIES).fetched <= set(check.types)


@pytest.mark.parametrize("check", dr_outputs_complete.RULE.on_stacks)
def test_what_is_read_of_the_outputs_is_said(check: StackCheck) -> None:
    said = {path for token, paths in check.reads if token == ROOT_TYPE for path in paths}
    read = {path for kind, path in _watched(dr_outputs_complete.RULE, check, OUTPUTS).seen if kind == ROOT_TYPE}
    assert not {path for path in read if not any(related(path, each) for each in said)}
    assert not {path for path in said if not any(related(path, each) for each in read)}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (without("facts"), Finding("", "has 0 components hashicorp:compliance:Facts, not one")),
        (
            changed("root", "complianceFacts.clusters[1]", {"cluster": "other"}),
            Finding(
                "",
                "must appear in complianceFacts.clusters",
                urn=urn("hashicorp:products:VaultCluster", "Vault"),
            ),
        ),
    ],
)
def test_what_is_missing_is_told_of_the_stack_or_of_the_cluster_as_a_whole(change: Change, expected: Finding) -> None:
    (case,) = _stack_cases(OUTPUTS)
    assert dr_outputs_complete.RULE.judge_stack(world(change(case.good)), case.context) == [expected]
