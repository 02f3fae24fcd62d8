"""Fixtures: a simulated cloud in this process, on a state folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.cloud.client import Client, World, running


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield from running(tmp_path / "state")


@pytest.fixture
def cloud(world: World) -> Client:
    return world.client()
