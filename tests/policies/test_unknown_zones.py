"""A zone or subnet that this update makes has no name yet, and is one of its own all the same."""

from __future__ import annotations

import pytest

from policies.rules.availability import zone_spread
from policies.values import UNKNOWN
from tests.policies.case import Case


@pytest.mark.parametrize(
    ("subnets", "passes"),
    [
        ([UNKNOWN] * 3, True),
        (["a", UNKNOWN, UNKNOWN], True),
        (["a", "a", UNKNOWN], False),
        ([UNKNOWN] * 2, False),
    ],
)
def test_each_unknown_subnet_counts_as_one(subnets: list[object], *, passes: bool) -> None:
    case = Case(
        "aws:autoscaling/group:Group",
        {"maxSize": 3, "vpcZoneIdentifiers": subnets},
        above=("hashicorp:products:ConsulCluster",),
    )
    assert (not zone_spread.RULE.judge(case.resource(), case.context)) is passes
