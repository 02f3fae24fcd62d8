"""Fixtures: a simulated cloud in this process, on a state folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.sandbox.cloud.client import Client, World, running

settings.register_profile("untimed", deadline=None)  # the machine may be busy; time proves nothing here
settings.load_profile("untimed")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running(tmp_path / "state") as world:
        yield world


@pytest.fixture
def cloud(world: World) -> Client:
    return world.client()
