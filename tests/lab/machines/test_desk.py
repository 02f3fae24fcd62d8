"""The operator's desk: a machine's place in the network, the lab's names and authorities, and the filter as for a machine."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.lab.machines import footprint, teardown
from sandbox.lab.machines.desk import Desk
from sandbox.lab.machines.firewall import ruleset
from sandbox.lab.machines.fleet import Fleet
from sandbox.lab.machines.lab import DESK, Surroundings, namespace
from sandbox.lab.machines.needs import missing
from sandbox.lab.reading.placing import desk, desk_rule
from sandbox.lab.services.authority import certificate
from sandbox.lab.world import Rule, World
from tests.lab.machines.rig import fleet, machine

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]

A = machine("a", b"", host=10)
OPEN, CLOSED = 8500, 8501
RESOLVER = "192.0.2.53"
_REACH = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 0.5).close()
except OSError:
    sys.exit(1)
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "authority").mkdir()
    around = Surroundings(RESOLVER, (RESOLVER,), (certificate(folder / "authority").decode(),))
    with fleet(folder / "lab", around) as made:
        made.network.raise_switch()
        made.network.plug(A)
        yield made


@pytest.fixture
def seat(lab: Fleet) -> Desk:
    place = desk([A])
    assert place
    takes = Rule("a", "in", allows=True, protocol="tcp", peers=("10.1.0.0/16",), ports=(OPEN, OPEN))
    lab.network.load(ruleset(World((A,), (takes, desk_rule()), desk=place), (RESOLVER,)))
    made = Desk(lab.lab, lab.network)
    made.make(place)
    return made


def ran(seat: Desk, *words: str) -> str:
    return subprocess.run(seat.command(words), capture_output=True, text=True, check=True).stdout


def reaches(seat: Desk, address: str, port: int) -> bool:
    return subprocess.run(seat.command(["python3", "-c", _REACH, address, str(port)]), check=False).returncode == 0


def test_it_reaches_what_a_receiver_allows_and_nobody_reaches_it(lab: Fleet, seat: Desk) -> None:
    place = desk([A])
    assert place
    spaces = lab.network.namespaces
    with (
        spaces.inside(namespace("a"), lambda: socket.create_server(("", OPEN))),
        spaces.inside(namespace("a"), lambda: socket.create_server(("", CLOSED))),
        spaces.inside(DESK, lambda: socket.create_server(("", OPEN))),
    ):
        assert reaches(seat, A.address, OPEN)
        assert not reaches(seat, A.address, CLOSED)

        def back() -> bool:
            try:
                socket.create_connection((place.address, OPEN), 0.5).close()
            except OSError:
                return False
            return True

        assert not spaces.inside(namespace("a"), back)


def test_its_commands_find_the_labs_names_and_trust_its_authority(lab: Fleet, seat: Desk) -> None:
    assert f"nameserver {RESOLVER}" in ran(seat, "cat", "/etc/resolv.conf")
    authority = lab.lab.surroundings.authorities[0].strip()
    for file in ("/etc/ssl/certs/ca-certificates.crt", "$SSL_CERT_FILE"):
        assert authority in ran(seat, "sh", "-c", f"cat {file}")
    assert f"nameserver {RESOLVER}" not in Path("/etc/resolv.conf").read_text(encoding="utf-8"), (
        "the host's own changed"
    )
    program = "import ssl; print(len(ssl.create_default_context().get_ca_certs()))"
    usual = subprocess.run(["python3", "-c", program], capture_output=True, text=True, check=True).stdout
    assert int(ran(seat, "python3", "-c", program)) > int(usual), "an operator trusts less than anybody"


def test_a_command_has_what_it_was_given(seat: Desk) -> None:
    done = subprocess.run(seat.command(["sh", "-c", "cat; exit 7"]), input=b"told", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (7, b"told")


def test_making_it_again_does_nothing_and_another_place_moves_it(lab: Fleet, seat: Desk) -> None:
    place = desk([A])
    assert place
    assert not seat.make(place)
    with subprocess.Popen(seat.command(["sleep", "60"])) as staying:
        moved = replace(place, address="10.1.2.5", subnet="10.1.2.0/24")
        assert seat.make(moved)
        listed = json.loads(ran(seat, "ip", "-json", "-4", "address", "show", "dev", "eth0"))
        assert [each["local"] for each in listed[0]["addr_info"]] == [moved.address]
        assert not lab.network.routed(place.address)
        assert staying.poll() is None
        assert seat.make(place)
        staying.kill()


def test_it_goes_with_its_lab_and_whatever_runs_there(tmp_path: Path) -> None:
    with fleet(tmp_path / "lab") as made:
        made.network.raise_switch()
        place = desk([A])
        assert place
        left = Desk(made.lab, made.network)
        assert not left.stands
        left.make(place)
        with subprocess.Popen(left.command(["sleep", "600"])) as staying:
            teardown.remove(made.lab)
            assert staying.wait(10) < 0
        assert footprint.of(made.lab) == []
