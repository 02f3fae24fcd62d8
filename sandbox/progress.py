"""Shows what is going on: a live line per running step on a terminal, plain lines from time to time elsewhere.

Owns the only writer of progress, which goes to stderr so that stdout stays data. A step that ends within two seconds
leaves no trace; a longer one leaves one line with its time.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

QUIET_SECONDS = 2.0
PLAIN_SECONDS = 15.0


class Step:
    """One running piece of work; `note` is its changing detail, such as a count."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.note = ""
        self._began = time.monotonic()
        self._next_line = self._began + QUIET_SECONDS

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def due(self) -> bool:
        """Whether a plain line is due; the first after two seconds, then one each fifteen."""
        if time.monotonic() < self._next_line:
            return False
        self._next_line = time.monotonic() + PLAIN_SECONDS
        return True

    def line(self) -> str:
        """The step as one line of text."""
        return f"{self.title}{': ' if self.note else ''}{self.note} ({self.seconds:.0f} s)"


class Board:
    """All running steps; safe to use from several threads."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, highlight=False)
        self._running: list[Step] = []
        self._changed = threading.Condition()
        self._painter: threading.Thread | None = None

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Shows `title` while the body runs; a body that fails leaves its error to the caller."""
        step = Step(title)
        with self._changed:
            self._running.append(step)
            if self._painter is None:
                self._painter = threading.Thread(target=self._paint, daemon=True)
                self._painter.start()
        try:
            yield step
        finally:
            with self._changed:
                self._running.remove(step)
                painter, idle = self._painter, not self._running
                if idle:
                    self._painter = None
                self._changed.notify_all()
            if idle and painter:
                painter.join()
            if step.seconds >= QUIET_SECONDS:
                self.say(step.line())

    def say(self, text: str) -> None:
        """One lasting line."""
        self.console.print(escape(text), soft_wrap=True)

    def _paint(self) -> None:
        """Runs while there are steps; ends, with nothing left on the screen, when the last one is over."""
        live = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=self.console, transient=True
        )
        shown: dict[Step, TaskID] = {}
        with live if self.console.is_terminal else nullcontext():
            while True:
                with self._changed:
                    self._changed.wait(0.1)
                    steps = list(self._running)
                    # By now another step may have begun, with a painter of its own.
                    if self._painter is not threading.current_thread():
                        return
                if self.console.is_terminal:
                    _draw(live, steps, shown)
                    continue
                for step in steps:
                    if step.due():
                        self.say(f"… {step.line()}")


def _draw(live: Progress, steps: list[Step], shown: dict[Step, TaskID]) -> None:
    """Brings the live lines in step with what runs."""
    for gone in shown.keys() - set(steps):
        live.remove_task(shown.pop(gone))
    for step in steps:
        if step not in shown:
            shown[step] = live.add_task("", total=None)
        live.update(shown[step], description=escape(f"{step.title}  {step.note}"))
