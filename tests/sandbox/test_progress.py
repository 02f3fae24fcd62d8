"""Progress for people and for logs."""

from __future__ import annotations

import io
import threading
import time

import pytest
from rich.console import Console

from sandbox import progress
from sandbox.progress import Board


@pytest.fixture
def text(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.1)
    monkeypatch.setattr(progress, "PLAIN_SECONDS", 0.3)
    return io.StringIO()


def test_a_short_step_leaves_no_trace() -> None:
    text = io.StringIO()
    with Board(Console(file=text)).step("quick"):
        pass
    assert text.getvalue() == ""


def test_a_long_step_says_what_it_does_while_it_does_it(text: io.StringIO) -> None:
    board = Board(Console(file=text, width=200))
    with board.step("building it") as step:
        step.note = "3 of 9"
        deadline = time.monotonic() + 10
        while text.getvalue().count("… building it: 3 of 9") < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert text.getvalue().splitlines()[-1].startswith("building it: 3 of 9 (")


def test_steps_of_several_threads_are_all_shown_and_none_outlives_its_end(text: io.StringIO) -> None:
    board = Board(Console(file=text, force_terminal=True, width=200, color_system=None))

    def work(name: str) -> None:
        for _ in range(3):
            with board.step(name):
                time.sleep(0.15)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    board.say("the end")
    lines = text.getvalue().splitlines()
    assert sum(line.endswith("left (0 s)") for line in lines) == 3
    assert sum(line.endswith("right (0 s)") for line in lines) == 3
    assert lines[-1].endswith("the end")
    assert not [thread for thread in threading.enumerate() if "_paint" in thread.name]
