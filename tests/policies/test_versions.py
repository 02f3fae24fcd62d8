"""Versions in charts, where a case does not say it: what the rule waits for."""

from __future__ import annotations

import pytest

from policies.rules.workload.version_pinned_uniform import RULE
from policies.values import UNKNOWN
from tests.policies.case import StackCase, changed, urn, world
from tests.policies.cases.workload.version_pinned_uniform import CASES

_CHART = "kubernetes:helm.sh/v3:Release"


@pytest.mark.parametrize(("name", "path"), [("vault-chart", "chart"), ("vault", "spec.version")])
def test_a_chart_says_whether_it_waits_for_its_name_or_for_the_clusters_version(name: str, path: str) -> None:
    case = next(case for case in CASES if isinstance(case, StackCase) and case.places == ("kubernetes",))
    found = RULE.judge_stack(world(changed(name, path, UNKNOWN)(case.good)), case.context)
    chart = urn(_CHART, "vault-chart")
    assert [(finding.kind, finding.path) for finding in found if finding.urn == chart] == [("deferred", path)]
