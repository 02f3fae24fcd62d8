"""Shows what is going on: a live line per running step on a terminal, plain lines from time to time elsewhere.

Owns the only writer of progress, which goes to stderr so that stdout stays data. A step that ends within two seconds
leaves no trace; a longer one leaves one line with its time.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
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
        self._lock = threading.Lock()

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Shows `title` while the body runs; a body that fails leaves its error to the caller."""
        step = Step(title)
        with self._lock:
            self._running.append(step)
            if len(self._running) == 1:
                threading.Thread(target=self._show, daemon=True).start()
        try:
            yield step
        finally:
            with self._lock:
                self._running.remove(step)
            if step.seconds >= QUIET_SECONDS:
                self.say(step.line())

    def say(self, text: str) -> None:
        """One lasting line."""
        self.console.print(escape(text), soft_wrap=True)

    def _snapshot(self) -> list[Step]:
        with self._lock:
            return list(self._running)

    def _show(self) -> None:
        if self.console.is_terminal:
            self._show_live()
            return
        while steps := self._snapshot():
            for step in steps:
                if step.due():
                    self.say(f"… {step.line()}")
            time.sleep(0.2)

    def _show_live(self) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as live:
            shown: dict[Step, TaskID] = {}
            while steps := self._snapshot():
                for gone in shown.keys() - set(steps):
                    live.remove_task(shown.pop(gone))
                for step in steps:
                    task = shown.get(step)
                    text = escape(f"{step.title}  {step.note}")
                    if task is None:
                        shown[step] = live.add_task(text, total=None)
                    else:
                        live.update(task, description=text)
                time.sleep(0.1)
