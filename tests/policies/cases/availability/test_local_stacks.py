"""An exemption from the size of a quorum is for stacks on somebody's machine, or that nobody depends on."""

from __future__ import annotations

import pytest

from policies.rules.availability.quorum_size import RULE
from tests.policies.case import Case, StackCase, patched, world
from tests.policies.cases.availability.quorum_size import CASES


def _found() -> list[object]:
    return [
        pytest.param(case, path, value, id=f"{number}-{case.type}-{path}-{value}")
        for number, case in enumerate(CASES)
        if isinstance(case, Case) and case.type.startswith("hashicorp:products:")
        for path, values in case.breaks.items()
        for value in values
        if isinstance(value, int)
    ]


@pytest.mark.parametrize(("case", "path", "value"), _found())
def test_only_a_local_cluster_may_be_exempted(case: Case, path: str, value: object) -> None:
    props = patched(case.good, path, value)
    findings = [found for found in RULE.judge(case.resource(props), case.context) if found.kind == "violation"]
    assert findings
    local = props["runsOn"] == "process" or props.get("environment") in {"dev", "local"}
    assert {found.exemptible for found in findings} == {local}


@pytest.mark.parametrize(
    "case", [case for case in CASES if isinstance(case, Case) and not case.type.startswith("hashi")]
)
def test_groups_and_settings_are_never_exempted(case: Case) -> None:
    for path, values in case.breaks.items():
        for value in values:
            found = RULE.judge(case.resource(patched(case.good, path, value)), case.context)
            assert not any(each.exemptible for each in found)


@pytest.mark.parametrize("case", [case for case in CASES if isinstance(case, StackCase)])
def test_what_differs_from_the_declared_size_is_never_exempted(case: StackCase) -> None:
    for change in case.breaks.values():
        found = RULE.judge_stack(world(change(case.good)), case.context)
        assert not any(each.exemptible for each in found)
