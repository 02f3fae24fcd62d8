"""Fixtures: a simulated cloud on a state folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.cloud.client import Client, Sandbox, running


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    yield from running(tmp_path / "state")


@pytest.fixture
def cloud(sandbox: Sandbox) -> Client:
    return sandbox.client()
