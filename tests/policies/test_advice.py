"""What is as advised is told nothing: advice that never goes away is read by nobody."""

from __future__ import annotations

import pytest

from policies.rule import Rule
from policies.rules.availability import replacement_serial
from policies.rules.transport import bucket_tls_only
from tests.policies.case import Case
from tests.policies.cases import cases


@pytest.mark.parametrize(
    ("rule", "case"),
    [
        pytest.param(rule, case, id=f"{rule.id}-{number}-{case.type}")
        for rule in (replacement_serial.RULE, bucket_tls_only.RULE)
        for number, case in enumerate(cases()[rule.id])
        if isinstance(case, Case)
    ],
)
def test_a_compliant_resource_is_told_nothing(rule: Rule, case: Case) -> None:
    assert rule.judge(case.resource(), case.context) == []
