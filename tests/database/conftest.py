"""Servers for a module of tests: one that holds Boundary's kind of data, one that is empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.database.postgres import Server, programs, running

SCHEMA = Path(__file__).with_name("schema.sql")


@pytest.fixture(scope="session")
def installed() -> Path:
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL's server is not installed: apt-get install postgresql")
    return found


@pytest.fixture(scope="module")
def server(installed: Path) -> Iterator[Server]:
    with running(installed) as made:
        made.sql(SCHEMA.read_text(encoding="utf-8"))
        yield made


@pytest.fixture(scope="module")
def empty(installed: Path) -> Iterator[Server]:
    with running(installed) as made:
        yield made
