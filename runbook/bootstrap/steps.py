"""What a bring-up has done and found, and how its parts wait and stop.

Owns the scale of a step, the exit code and the wait. Knows no product.

Every step looks first, acts only where something is missing, and looks again. So a run that was killed, or that runs beside
another one, is continued by looking: nothing is remembered outside of the clusters.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from runbook.errors import FOUND, PASSED, UNKNOWN

PAUSE = 0.5
"""Seconds between two looks at something that is not there yet."""
_T = TypeVar("_T")


class State(StrEnum):
    """How a step ended, from worst to best."""

    WRONG = "wrong"
    UNKNOWN = "unknown"
    HOLDERS = "needs holders"
    WOULD = "would be done"
    LEFT = "left to you"
    DONE = "done"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Step:
    """One thing about one cluster."""

    cluster: str
    state: State
    says: str
    fix: str = ""


class StopError(Exception):
    """A cluster cannot be brought further in this run."""

    def __init__(self, state: State, says: str, fix: str) -> None:
        super().__init__(says)
        self.state, self.says, self.fix = state, says, fix


@dataclass
class Journal:
    """What happens to one cluster, told as it happens.

    Attributes:
        dry: nothing may be changed.
        deadline: of the event loop's clock; whatever is waited for is given up then.
        tell: is told of each step at once.
    """

    cluster: str
    dry: bool
    deadline: float
    tell: Callable[[str], None] = field(repr=False)
    steps: list[Step] = field(default_factory=list[Step])

    def note(self, state: State, says: str, fix: str = "") -> None:
        """Write a step down."""
        self.steps.append(Step(self.cluster, state, says, fix))
        self.tell(f"{self.cluster}: {says} ({state})")

    def stopped(self, stop: StopError) -> None:
        """Write down why it ends here."""
        self.note(stop.state, stop.says, stop.fix)

    async def until(self, look: Callable[[], Awaitable[_T | None]], awaited: str) -> _T | None:
        """The first look that finds something; None when the time is over. Looks once in any case."""
        found, said = await look(), False
        while found is None and asyncio.get_running_loop().time() < self.deadline:
            if not said:
                self.tell(f"{self.cluster}: waiting until {awaited}")
                said = True
            await asyncio.sleep(PAUSE)
            found = await look()
        return found


def exit_code(steps: Iterable[Step]) -> int:
    """The command's exit code. A run that looked at nothing is no success."""
    states = {step.state for step in steps}
    if State.WRONG in states:
        return FOUND
    if not states or states & {State.UNKNOWN, State.HOLDERS}:
        return UNKNOWN
    return PASSED


def worst(steps: Iterable[Step]) -> State:
    """The worst of several; unchanged where there is none."""
    order = list(State)
    return min((step.state for step in steps), key=order.index, default=State.UNCHANGED)
