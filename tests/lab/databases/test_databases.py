"""Managed databases: real servers that are reached as the cloud's are, by TLS and a password alone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sandbox.lab.databases import server
from sandbox.lab.machines import teardown
from sandbox.lab.machines.lab import SWITCH, Lab
from sandbox.lab.machines.needs import missing
from sandbox.lab.machines.network import Network
from sandbox.lab.world import Database
from sandbox.stores.certificates import Authority
from sandbox.toolchain import packages
from tests.lab.machines.rig import lab_name, sweep

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]

HOST = "platform.0123.us-west-2.rds.amazonaws.com"
DECLARED = Database("arn:db", "aws", HOST, "10.1.24.6", 5432, "boundary", "boundary", "it's: a \\ secret")


@dataclass
class Rig:
    """A lab's switch with one database's address, and clients at it."""

    lab: Lab
    network: Network
    authority: Authority

    def apply(self, *databases: Database) -> list[str]:
        return server.apply(self.lab, self.network.namespaces, databases, self.authority)

    def ask(self, password: str, mode: str = "verify-full", host: str = HOST) -> subprocess.CompletedProcess[str]:
        trusted = self.lab.folder / "ca.pem"
        trusted.write_bytes(self.authority.public())
        settings = (
            f"host={host} hostaddr={DECLARED.address} port={DECLARED.port} user={DECLARED.user} dbname={DECLARED.name} "
            f"sslmode={mode} sslrootcert={trusted}"
        )
        program = packages.program("postgresql").parent / "psql"
        command = self.network.namespaces.command(SWITCH, [str(program), settings, "-Atc", "select current_user"])
        environment = {"PATH": os.environ["PATH"], "PGPASSWORD": password, "LC_ALL": "C"}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    sweep()
    lab = Lab(lab_name(), tmp_path / "lab")
    network = Network(lab)
    try:
        lab.folder.mkdir()
        network.raise_switch()
        # The filter is the firewall's own test's; clients here come from the switch itself.
        network.hold((DECLARED.address,))
        yield Rig(lab, network, Authority.new("test", 1))
    finally:
        teardown.remove(lab)


def test_only_who_speaks_tls_and_knows_the_password_comes_in(rig: Rig) -> None:
    assert rig.apply(DECLARED) == [f"start database {HOST}"]
    assert rig.ask(DECLARED.password).stdout == "boundary\n"
    assert "no encryption" in rig.ask(DECLARED.password, "disable").stderr
    assert "authentication failed" in rig.ask("guess").stderr
    assert "does not match host name" in rig.ask(DECLARED.password, host="other.example.com").stderr


def test_what_stands_is_left_alone_and_what_is_declared_anew_counts(rig: Rig) -> None:
    rig.apply(DECLARED)
    assert rig.apply(DECLARED) == []
    changed = replace(DECLARED, password="another one")
    assert rig.apply(changed) == [f"start database {HOST}"]
    assert rig.ask(changed.password).stdout == "boundary\n"
    assert "authentication failed" in rig.ask(DECLARED.password).stderr


def test_one_that_is_not_declared_any_more_is_gone_with_its_data(rig: Rig) -> None:
    rig.apply(DECLARED)
    assert rig.apply() == [f"remove database {HOST}"]
    assert "refused" in rig.ask(DECLARED.password).stderr
    assert not list((rig.lab.folder / "databases").iterdir())


def test_no_password_is_written_down(rig: Rig) -> None:
    rig.apply(DECLARED)
    kept = [file for file in (rig.lab.folder / "databases" / HOST).iterdir() if file.is_file()]
    assert kept
    assert all(DECLARED.password.encode() not in file.read_bytes() for file in kept)
