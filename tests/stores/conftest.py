"""The stores, running, and what tests do on the machines that reach them."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.plan.spec import Cloud
from sandbox.stores import emulators, namespace
from tests.stores import region

TREE = Path(__file__).parents[2]
TEMPLATES = TREE / "components" / "templates" / "backup"


class Rig:
    """Runs requests on machines; every answer is looked through for what must stay secret."""

    def __init__(self, stores: namespace.Stores) -> None:
        self._stores = stores
        self.faults = stores.work / "faults.json"

    def do(self, machine: str, **asked: object) -> dict[str, Any]:
        place = self._stores.machines[machine]
        command = place.command(
            "env", "-i", sys.executable, "-I", str(TREE / "tests" / "stores" / "act.py"), str(TEMPLATES)
        )
        done = subprocess.run(
            command, input=json.dumps(asked), capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def put(self, home: Cloud, store: Cloud, name: str, file: Path, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
        """One upload by the machine of `role`, Consul's if none is named; the last try's outcome."""
        machine = more.pop("machine", f"{home}-consul-server")
        asked = {"target": region.target(home, store), "name": name, "file": str(file), **more}
        answer = self.do(machine, do="put", **asked)
        return {**answer["tries"][-1], "tries": answer["tries"], "left": answer["left"], "secrets": answer["secrets"]}

    def restorer(self, store: Cloud, method: str, name: str = "", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
        """One request as the restore identity."""
        more.setdefault("target", region.target(store, store))
        return self.do(f"{store}-{region.RESTORER}", do="ask", method=method, name=name, **more)

    def read(self, store: Cloud, name: str) -> dict[str, Any]:
        return self.restorer(store, "GET", name, **({"query": "alt=media"} if store == "gcp" else {}))

    def fail(self, **rule: object) -> None:
        self.faults.write_text(json.dumps([rule]))


def able() -> None:
    """Skip where the stores cannot run."""
    if os.geteuid():
        pytest.skip("networks of their own need root")
    if missing := emulators.programs().missing:
        pytest.skip(f"{', '.join(missing)} is not installed: make tools")


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    able()
    with namespace.stores(region.ground(), tmp_path_factory.mktemp("stores"), region.facts()) as stores:
        yield Rig(stores)


@pytest.fixture
def name() -> str:
    """Of an object of Consul's set that nobody has used."""
    return f"20260102T030405Z-1.21.0-{secrets.token_hex(6)}.snap"


@pytest.fixture
def healthy(rig: Rig) -> Iterator[Rig]:
    """The rig, its faults taken away afterwards."""
    yield rig
    rig.faults.unlink(missing_ok=True)


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    file = tmp_path / "snapshot"
    file.write_bytes(secrets.token_bytes(300_000))
    return file
