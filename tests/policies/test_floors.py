"""A configuration that forgets a product's floor must not let every version of it pass."""

from __future__ import annotations

from dataclasses import replace

from policies.rules.workload.version_supported import RULE
from policies.settings import Settings
from tests.policies.cases.workload.version_supported import CASES


def test_a_product_without_a_floor_is_a_violation() -> None:
    case = replace(next(case for case in CASES if case.type.endswith("VaultCluster")), settings=Settings(floors={}))
    (found,) = RULE.judge(case.resource(), case.context)
    assert (found.kind, found.path) == ("violation", "version")
    assert found.problem == "has no floor in the configuration of the pack"
