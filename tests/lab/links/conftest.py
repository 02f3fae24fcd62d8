"""What the three regions declared, as the simulated cloud keeps it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sandbox.cloud.index import entry
from sandbox.cloud.store import Store
from sandbox.home import CLOUD
from sandbox.lab.links.ends import End
from sandbox.lab.links.reading import ends
from sandbox.lab.services.feed import resources
from tests.deployed import Deployed


@pytest.fixture(scope="session")
def declared(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> tuple[End, ...]:
    folder = tmp_path_factory.mktemp("cloud") / "state"
    shutil.copytree(deployed.platform / CLOUD, folder, ignore=shutil.ignore_patterns("port", "lock"))
    return _ends(folder)


def _ends(folder: Path) -> tuple[End, ...]:
    store = Store(folder, entry)
    try:
        return ends(resources(store.everything()))
    finally:
        store.close()
