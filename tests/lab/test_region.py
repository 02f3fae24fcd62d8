"""A region of the unmodified program, on machines that run its user data: what the cloud has on record comes to life."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.plan import addressing
from components.plan.flows import CONSUL_HTTPS, NOMAD_HTTP, VAULT_API
from components.plan.spec import PRIMARY, Platform
from docs.picture import platform
from sandbox.cloud.index import entry
from sandbox.cloud.store import Store
from sandbox.lab import follower
from sandbox.lab.follower import Follower
from sandbox.lab.machines import teardown
from sandbox.lab.machines.needs import missing
from sandbox.lab.services import artefacts
from sandbox.lab.services.server import shelf
from sandbox.progress import Board
from tests.deployed import region_stacks
from tests.harness import open_sandbox
from tests.lab.machines.rig import lab_name, sweep, until
from tests.rendered.tools import product

pytestmark = [pytest.mark.engine, pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]

BOUNDARY = "boundary"
"""Nobody serves its archive here: its machines boot, and wait for it."""


@dataclass
class Region:
    """The primary in its small profile, as a lab follows it."""

    platform: Platform
    follower: Follower

    def machines(self, role: str) -> list[str]:
        return [status.name for status in self.follower.fleet.statuses() if role in status.name]

    def ask(self, role: str, target: str) -> object:
        """What the first server of a product answers about itself, asked on its own machine."""
        (port,) = (each for name, each in _PORTS.items() if name in role)
        machine = self.follower.fleet.instance(self.machines(role)[0])
        address = machine.status().address
        command = machine.command(
            ["curl", "--silent", "--insecure", "--max-time", "5", f"https://{address}:{port}{target}"]
        )
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return json.loads(done.stdout) if done.stdout.startswith(("{", "[", '"')) else done.stdout


_PORTS = {"consul": CONSUL_HTTPS.first, "vault": VAULT_API.first, "nomad": NOMAD_HTTP.first}


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    folder = tmp_path_factory.mktemp("region")
    sweep()
    with open_sandbox(folder / "sandbox") as sandbox:
        stack = region_stacks(sandbox)[PRIMARY]
        stack.configure(profile="small", environment="dev")
        assert stack.up().changed
        lab = follower.lab(lab_name(), folder / "lab")
        store = Store(sandbox.home.cloud, entry)
        try:
            _shelve(folder / "lab")
            with Follower(lab, store, Board()) as made:
                assert any(line.startswith("make machine") for line in made.round())
                yield Region(platform(), made)
        finally:
            store.close()
            teardown.remove(lab)


def _shelve(folder: Path) -> None:
    committed = platform()
    programs = {
        "consul": product("consul"),
        "vault": product("vault"),
        "nomad": product("nomad"),
        "node_exporter": Path("/usr/bin/prometheus-node-exporter"),
        "postgresql": next(Path("/usr/lib/postgresql").iterdir()),
    }
    place = shelf(follower.services_folder(folder))
    assert artefacts.shelve(place, committed.versions, committed.artifacts, programs) == [BOUNDARY]


def _settled(region: Region) -> bool:
    waiting = {s.name for s in region.follower.fleet.statuses() if s.phase == "booting"}
    return not waiting - set(region.machines(BOUNDARY))


def test_every_machine_boots_from_its_own_user_data(region: Region) -> None:
    until(lambda: _settled(region), region.follower.fleet.statuses)
    statuses = region.follower.fleet.statuses()
    assert {status.phase for status in statuses if BOUNDARY not in status.name} == {"ready"}, statuses
    assert len(region.machines("consul")) == 3
    planned = {server.address for server in addressing.all_servers(region.platform, PRIMARY)}
    assert {status.address for status in statuses if "client" not in status.name} <= planned


def test_clusters_form_and_vault_waits_to_be_initialised(region: Region) -> None:
    until(lambda: len(_list(region.ask("consul", "/v1/status/peers"))) == 3)
    until(lambda: len(_list(region.ask("nomad-aws", "/v1/status/peers"))) == 3)
    until(lambda: isinstance(region.ask("vault", "/v1/sys/seal-status"), dict))
    told = region.ask("vault", "/v1/sys/seal-status")
    assert isinstance(told, dict)
    assert told["type"] == "awskms"
    assert told["initialized"] is False


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def test_a_second_round_changes_nothing(region: Region) -> None:
    assert region.follower.round() == []
