"""Fixtures that every folder of tests may use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.deployed import deploy
from tests.harness import open_sandbox

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from tests.deployed import Deployed
    from tests.harness import Sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for all tests of a worker: for tests that use names of their own."""
    with open_sandbox(tmp_path_factory.mktemp("sandbox") / "home") as opened:
        yield opened


@pytest.fixture
def fresh_sandbox(tmp_path: Path, sandbox: Sandbox) -> Iterator[Sandbox]:
    """An empty sandbox of the test's own, a second more expensive."""
    with open_sandbox(tmp_path / "sandbox", like=sandbox) as opened:
        yield opened


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Deployed:
    """The three regions, up and at rest; one for all workers."""
    base = tmp_path_factory.getbasetemp()
    return deploy(base if worker_id == "master" else base.parent)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips is seen on a developer's machine and fails in CI, where it would hide what is not proven."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome, report.longrepr = "failed", f"skipped, which CI does not allow: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests measured is shown, whichever worker ran them."""
    passed: list[pytest.TestReport] = terminalreporter.stats.get("passed", [])
    measured = [str(value) for report in passed for name, value in report.user_properties if name == "measured"]
    if measured:
        terminalreporter.section("measured")
        for line in dict.fromkeys(measured):
            terminalreporter.line(line)
