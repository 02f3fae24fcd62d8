"""Where a case says what is advised against, the compliant resource or stack gets no advice."""

from __future__ import annotations

import pytest

from policies.rule import Rule
from policies.rules import AREAS
from tests.policies.case import Case, StackCase, world
from tests.policies.cases import cases


def _advising() -> list[object]:
    return [
        pytest.param(rule, case, id=f"{rule.id}-{number}")
        for area in ("logging", "availability")
        for rule in AREAS[area]
        for number, case in enumerate(cases()[rule.id])
        if case.advises
    ]


@pytest.mark.parametrize(("rule", "case"), _advising())
def test_what_follows_every_advice_is_told_nothing(rule: Rule, case: Case | StackCase) -> None:
    if isinstance(case, Case):
        assert rule.judge(case.resource(), case.context) == []
    else:
        assert rule.judge_stack(world(case.good), case.context) == []
