"""Brings all stacks up, again and again until nothing changes.

Stacks read each other's outputs: a region's gateways first, then the tunnels to peers that exist by now. So a stack
runs again whenever the outputs of another one changed after it last started. Three passes are enough for any platform;
more would mean that two stacks keep changing each other.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.stacks.operation import UNCHANGED, announced, run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sandbox.progress import Board, Step
    from sandbox.stacks.operation import Result, Verb
    from sandbox.stacks.order import StackFile

PASSES = 3


class Runner:
    """Runs operations on the stacks of one project, showing their progress.

    Attributes:
        guard: flags with which the policy pack judges an update, where it is to be judged.
        files: stack files by stack, where not the project's own are meant.
    """

    def __init__(
        self,
        project: Path,
        environment: Mapping[str, str],
        board: Board,
        guard: Sequence[str] = (),
        files: Mapping[str, Path] | None = None,
    ) -> None:
        self._project = project
        self.guard = guard
        self.files = dict(files or {})
        self._environment = environment
        self._board = board

    def run(self, verb: Verb, stack: StackFile, *flags: str, title: str = "") -> Result:
        """One operation on one stack."""
        own = self.files.get(stack.name)
        with self._board.step(title or f"{verb} {stack.name}") as step:
            return run(
                verb,
                stack.name,
                project=self._project,
                environment=self._environment,
                flags=[*(["--config-file", str(own)] if own else []), *flags],
                watch=lambda result: _describe(result, step),
            )

    def announced(self, stack: str) -> str:
        """What other stacks can read of this one."""
        return announced(stack, project=self._project, environment=self._environment)

    def together(self, stacks: Sequence[StackFile], operate: Callable[[StackFile], Result]) -> list[Result]:
        """The operation on several stacks side by side; results in the order of `stacks`."""
        with ThreadPoolExecutor(max(len(stacks), 1)) as pool:
            return list(pool.map(operate, stacks))


@dataclass
class Outcome:
    """What bringing up came to.

    Attributes:
        results: every run, in the order they were started.
        unsettled: stacks that would have to run yet again; not empty only when the passes are used up.
    """

    results: list[Result] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)

    @property
    def failed(self) -> list[Result]:
        return [result for result in self.results if not result.succeeded]

    @property
    def changed(self) -> bool:
        return any(result.changed for result in self.results)

    def latest(self, stack: str) -> Result:
        """The last run of a stack: what it is now."""
        return next(result for result in reversed(self.results) if result.stack == stack)

    def seconds(self, stack: str) -> float:
        """Time of all runs of a stack."""
        return sum(result.seconds for result in self.results if result.stack == stack)


def bring_up(runner: Runner, stacks: Sequence[StackFile]) -> Outcome:
    """Runs `up` until nothing changes, a stack fails or the passes are used up.

    `stacks` starts with the primary's, which goes alone in the first pass: the others need its outputs and nothing else.
    """
    outcome = Outcome()
    known: dict[str, str] = {}
    waves = [list(stacks[:1]), list(stacks[1:])]
    for number in range(1, PASSES + 1):
        suffix = f", pass {number}" if number > 1 else ""

        def operate(stack: StackFile, suffix: str = suffix) -> Result:
            return runner.run("up", stack, *runner.guard, title=f"up {stack.name}{suffix}")

        wave_of: dict[str, int] = {}
        results: list[Result] = []
        for index, wave in enumerate(waves):
            results += runner.together(wave, operate)
            wave_of |= {stack.name: index for stack in wave}
            if not all(result.succeeded for result in results):
                outcome.results += results
                return outcome
        outcome.results += results
        seen_by_others = {result.stack: runner.announced(result.stack) for result in results if result.changed}
        news = [stack for stack, outputs in seen_by_others.items() if outputs != known.get(stack)]
        known |= seen_by_others
        # A stack saw the news of earlier waves; those of its own or a later one it has yet to see.
        stale = [
            stack
            for stack in stacks
            if any(other != stack.name and wave_of[other] >= wave_of.get(stack.name, 0) for other in news)
        ]
        # One after another: each then sees the news of those before it, and the mesh stands after the second pass.
        waves = [[stack] for stack in stale]
        if not stale:
            break
    outcome.unsettled = [stack.name for wave in waves for stack in wave]
    return outcome


def _describe(result: Result, step: Step) -> None:
    """Puts the counts so far into the step's note: what a person watching wants to see move."""
    done = Counter("unchanged" if s.operation in UNCHANGED else s.operation for s in result.steps if not s.failed)
    failed = sum(s.failed for s in result.steps)
    parts = [f"{count} {operation}" for operation, count in done.most_common()]
    step.note = ", ".join([*parts, f"{failed} failed"] if failed else parts)
