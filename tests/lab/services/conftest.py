"""The services and their machines, once for each module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.services.rig import Rig, rig


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("services")) as made:
        yield made
