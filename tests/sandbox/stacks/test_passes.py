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
    """A runner whose stacks do as written, run by run.

    "new" changes the outputs, "inner" only resources, "same" nothing, "fail" fails.
    """

    guard = ("--policy-pack", "policies")

    def __init__(self, **runs: Sequence[str]) -> None:
        self._runs = {name: iter(run) for name, run in runs.items()}
        self._outputs = dict.fromkeys(runs, 0)
        self.waves: list[list[str]] = []

    def run(self, verb: str, stack: StackFile, *flags: str, title: str = "") -> Result:
        assert flags == self.guard, "an update that nothing judges"
        does = next(self._runs[stack.name])
        self._outputs[stack.name] += does == "new"
        changes = {"update": 1} if does in {"new", "inner"} else {"same": 1}
        return Result("up", stack.name, code=int(does == "fail"), changes=changes)

    def announced(self, stack: str) -> str:
        return str(self._outputs[stack])

    def together(self, stacks: Sequence[StackFile], operate: Callable[[StackFile], Result]) -> list[Result]:
        if stacks:
            self.waves.append([stack.name for stack in stacks])
        return [operate(stack) for stack in stacks]


def bring_up(script: Script) -> passes.Outcome:
    return passes.bring_up(cast("passes.Runner", script), ALL)


def test_when_nothing_changes_each_stack_runs_once() -> None:
    script = Script(aws=["same"], azure=["same"], gcp=["same"])
    outcome = bring_up(script)
    assert script.waves == [["aws"], ["azure", "gcp"]]
    assert not outcome.changed
    assert outcome.unsettled == []


def test_on_an_empty_platform_every_stack_looks_again_at_what_the_others_made() -> None:
    script = Script(aws=["new", "same"], azure=["new", "same"], gcp=["new", "same"])
    outcome = bring_up(script)
    assert script.waves == [["aws"], ["azure", "gcp"], ["aws"], ["azure"], ["gcp"]]
    assert outcome.changed
    assert outcome.unsettled == []


def test_a_change_of_the_primary_alone_is_seen_by_the_others_in_the_same_pass() -> None:
    script = Script(aws=["new"], azure=["same"], gcp=["same"])
    bring_up(script)
    assert script.waves == [["aws"], ["azure", "gcp"]]


def test_a_change_of_another_stack_is_shown_to_all_but_itself() -> None:
    script = Script(aws=["same", "same"], azure=["new"], gcp=["same", "same"])
    bring_up(script)
    assert script.waves == [["aws"], ["azure", "gcp"], ["aws"], ["gcp"]]


def test_later_in_a_second_pass_a_stack_sees_what_the_earlier_ones_made_in_it() -> None:
    script = Script(aws=["new", "new", "same"], azure=["new", "new"], gcp=["new", "same"])
    outcome = bring_up(script)
    assert script.waves == [["aws"], ["azure", "gcp"], ["aws"], ["azure"], ["gcp"], ["aws"]]
    assert outcome.unsettled == []


def test_a_change_that_no_output_shows_makes_nobody_run_again_once_the_outputs_are_known() -> None:
    script = Script(aws=["new", "inner"], azure=["new", "inner"], gcp=["new", "same"])
    outcome = bring_up(script)
    assert script.waves == [["aws"], ["azure", "gcp"], ["aws"], ["azure"], ["gcp"]]
    assert outcome.unsettled == []


def test_a_failed_primary_stops_everything() -> None:
    script = Script(aws=["fail"], azure=[], gcp=[])
    outcome = bring_up(script)
    assert script.waves == [["aws"]]
    assert [result.stack for result in outcome.failed] == ["aws"]


def test_a_failure_of_one_does_not_hide_what_the_other_did() -> None:
    outcome = bring_up(Script(aws=["new"], azure=["fail"], gcp=["new"]))
    assert [result.stack for result in outcome.failed] == ["azure"]
    assert outcome.latest("gcp").changed


def test_stacks_that_never_settle_are_named_after_three_passes() -> None:
    script = Script(aws=["new"] * 3, azure=["new"] * 3, gcp=["new"] * 3)
    outcome = bring_up(script)
    assert script.waves == [["aws"], ["azure", "gcp"], ["aws"], ["azure"], ["gcp"], ["aws"], ["azure"]]
    assert outcome.unsettled == ["aws", "gcp"]


plans = st.lists(st.sampled_from(["new", "inner", "same"]), min_size=3, max_size=3)


@given(plans, plans, plans)
def test_whoever_missed_news_is_named_unsettled(aws: list[str], azure: list[str], gcp: list[str]) -> None:
    script = Script(aws=aws, azure=azure, gcp=gcp)
    outcome = bring_up(script)
    runs = {"aws": iter(aws), "azure": iter(azure), "gcp": iter(gcp)}
    last = {name: max(i for i, wave in enumerate(script.waves) if name in wave) for name in runs}
    news = [(i, name) for i, wave in enumerate(script.waves) for name in wave if next(runs[name]) == "new"]
    missed = {name for i, source in news for name in runs if name != source and last[name] <= i}
    assert missed <= set(outcome.unsettled)
