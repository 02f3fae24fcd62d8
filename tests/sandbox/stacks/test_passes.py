"""Passes: the primary first, and each stack again until it has seen every change of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from hypothesis import given
from hypothesis import strategies as st

from sandbox.stacks import passes
from sandbox.stacks.operation import Result
from sandbox.stacks.order import StackFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

AWS, AZURE, GCP = (StackFile(cloud, cloud) for cloud in ("aws", "azure", "gcp"))
ALL = [AWS, AZURE, GCP]


class Script:
    """A runner whose stacks change (True), do not (False) or fail (None) as written, run by run."""

    def __init__(self, **runs: Sequence[bool | None]) -> None:
        self._runs = {name: iter(list(run)) for name, run in runs.items()}
        self.waves: list[list[str]] = []

    def run(self, verb: str, stack: StackFile, *, title: str = "") -> Result:
        does = next(self._runs[stack.name])
        changes = {"update": 1} if does else {"same": 1}
        return Result("up", stack.name, code=1 if does is None else 0, changes=changes)

    def together(self, stacks: Sequence[StackFile], operate: Callable[[StackFile], Result]) -> list[Result]:
        if stacks:
            self.waves.append([stack.name for stack in stacks])
        return [operate(stack) for stack in stacks]


def bring_up(script: Script) -> passes.Outcome:
    return passes.bring_up(cast("passes.Runner", script), ALL)


def test_when_nothing_changes_each_stack_runs_once() -> None:
    script = Script(aws=[False], azure=[False], gcp=[False])
    outcome = bring_up(script)
    assert script.waves == [["aws"], ["azure", "gcp"]]
    assert not outcome.changed
    assert outcome.unsettled == []


def test_on_an_empty_platform_every_stack_looks_again_at_what_the_others_made() -> None:
    script = Script(aws=[True, False], azure=[True, False], gcp=[True, False])
    outcome = bring_up(script)
    assert script.waves == [["aws"], ["azure", "gcp"], ["aws", "azure", "gcp"]]
    assert outcome.changed
    assert outcome.unsettled == []


def test_a_change_of_the_primary_alone_is_seen_by_the_others_in_the_same_pass() -> None:
    script = Script(aws=[True], azure=[False], gcp=[False])
    bring_up(script)
    assert script.waves == [["aws"], ["azure", "gcp"]]


def test_a_change_of_another_stack_is_shown_to_all_but_itself() -> None:
    script = Script(aws=[False, False], azure=[True], gcp=[False, False])
    bring_up(script)
    assert script.waves == [["aws"], ["azure", "gcp"], ["aws", "gcp"]]


def test_a_failed_primary_stops_everything() -> None:
    script = Script(aws=[None], azure=[], gcp=[])
    outcome = bring_up(script)
    assert script.waves == [["aws"]]
    assert [result.stack for result in outcome.failed] == ["aws"]


def test_a_failure_of_one_does_not_hide_what_the_other_did() -> None:
    outcome = bring_up(Script(aws=[True], azure=[None], gcp=[True]))
    assert [result.stack for result in outcome.failed] == ["azure"]
    assert outcome.latest("gcp").changed


def test_stacks_that_never_settle_are_named_after_three_passes() -> None:
    script = Script(aws=[True] * 3, azure=[True] * 3, gcp=[True] * 3)
    outcome = bring_up(script)
    assert len(script.waves) == passes.PASSES + 1
    assert outcome.unsettled == ["aws", "azure", "gcp"]


plans = st.lists(st.booleans(), min_size=3, max_size=3)


@given(plans, plans, plans)
def test_a_settled_platform_has_no_stack_that_missed_a_change(
    aws: list[bool], azure: list[bool], gcp: list[bool]
) -> None:
    script = Script(aws=aws, azure=azure, gcp=gcp)
    outcome = bring_up(script)
    last_wave = {
        name: max(i for i, wave in enumerate(script.waves) if name in wave) for name in ("aws", "azure", "gcp")
    }
    runs = {"aws": list(aws), "azure": list(azure), "gcp": list(gcp)}
    missed = {
        name
        for i, wave in enumerate(script.waves)
        for changed in wave
        if runs[changed].pop(0)
        for name in last_wave
        if name != changed and last_wave[name] <= i
    }
    assert missed == set(outcome.unsettled)
