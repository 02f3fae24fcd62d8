"""Each break breaks what it says and nothing else, and is undone whole: on machines, with another lab beside."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sandbox.errors import SandboxError
from sandbox.lab.breaking import clock, looking
from sandbox.lab.breaking.choosing import Choice
from sandbox.lab.breaking.mending import restore
from sandbox.lab.breaking.record import Broken as Record
from sandbox.lab.machines.lab import METADATA
from sandbox.lab.machines.needs import missing
from tests.lab.breaking.rig import BESIDE, FAR, NAMES, NEAR, PORT, RULES, STORE, UNIT, WORLD, Broken, labs, taken
from tests.lab.breaking.test_words import AWS, HEAD, WELL
from tests.lab.machines.rig import booted, until, world

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]

READY = dict.fromkeys(NAMES, "ready")
AHEAD = 86_400
"""Seconds; no machine is so busy that it could be taken for slowness."""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Broken]]:
    with labs(tmp_path_factory.mktemp("breaks"), 2) as made:
        yield made


@pytest.fixture
def lab(both: list[Broken]) -> Iterator[Broken]:
    """A lab that is whole before and after; the other one never hears of it."""
    one, other = both
    before = {status.name: status.pid for status in other.fleet.statuses()}
    yield one
    assert {status.name: status.pid for status in other.fleet.statuses()} == before
    assert other.breaker.broken() == Record()
    assert all(other.reaches(name, NEAR.name) for name in NAMES)
    assert restore(one.breaker) == [], "the test left something broken"
    assert one.fleet.apply(WORLD) == [], "a break changed what the follower compares"
    booted(one.fleet, *NAMES)
    until(lambda: all(one.serves(name) for name in NAMES))


def test_a_killed_machine_is_dead_until_it_is_restored_with_its_disk(lab: Broken) -> None:
    assert lab.run(NEAR.name, "sh", "-c", f"echo kept >{STORE}/kept && sync").returncode == 0
    assert lab.breaker.kill(Choice((NEAR.name,)), "KILL") == [f"{NEAR.name} killed"]
    assert lab.phases() == {**READY, NEAR.name: "dead"}
    assert looking.look(lab.breaker).failed
    assert restore(lab.breaker, [NEAR.name]) == [f"{NEAR.name} started"]
    booted(lab.fleet, NEAR.name)
    until(lambda: lab.run(NEAR.name, "cat", f"{STORE}/kept").stdout == "kept\n")


def test_a_machine_that_is_shut_down_ends_its_programs_first(lab: Broken) -> None:
    lab.breaker.kill(Choice((BESIDE.name,)), "TERM")
    assert lab.phases() == {**READY, BESIDE.name: "stopped"}
    assert (
        "Reached target" in lab.fleet.instance(BESIDE.name).console.read_text(errors="replace").rpartition("login:")[2]
    )
    assert restore(lab.breaker) == [f"{BESIDE.name} started"]


def test_a_zone_is_lost_as_a_whole_and_alone(lab: Broken) -> None:
    lab.breaker.kill(Choice(zone="a"), "KILL")
    assert lab.phases() == {NEAR.name: "dead", BESIDE.name: "dead", FAR.name: "ready"}
    restore(lab.breaker)


def test_a_product_that_is_killed_is_another_process_on_the_same_machine(lab: Broken) -> None:
    machines = {status.name: status.pid for status in lab.fleet.statuses()}
    before = {name: lab.fleet.instance(name).processes(UNIT) for name in NAMES}
    assert all(len(pids) == 1 for pids in before.values())
    lab.breaker.kill_unit(Choice(role="consul"), UNIT, "KILL")
    for name in (NEAR.name, BESIDE.name):
        until(lambda name=name: lab.fleet.instance(name).processes(UNIT) - before[name])
    assert lab.fleet.instance(FAR.name).processes(UNIT) == before[FAR.name]
    assert {status.name: status.pid for status in lab.fleet.statuses()} == machines


def test_a_unit_that_does_not_run_is_said_to_be_left_alone(lab: Broken) -> None:
    with pytest.raises(SandboxError, match=r"0 of 1 were signalled.*nobody\.service"):
        lab.breaker.kill_unit(Choice((FAR.name,)), "nobody.service", "KILL")


def test_nothing_passes_to_or_from_a_machine_whatever_filter_is_loaded(lab: Broken) -> None:
    lab.breaker.partition(Choice((NEAR.name,)))
    try:
        for more in (1, 2):
            assert not lab.reaches(NEAR.name, BESIDE.name)
            assert not lab.reaches(BESIDE.name, NEAR.name)
            assert lab.reaches(BESIDE.name, FAR.name)
            # What the cloud changes is loaded, and opens nothing that was cut off.
            assert lab.fleet.apply(world(NEAR, BESIDE, FAR, rules=(*RULES, *RULES[:more]))) == [
                "load the packet filter"
            ]
        (row,) = (row for row in looking.look(lab.breaker).machines if row.broken)
        assert (row.name, row.broken) == (NEAR.name, ("set apart",))
    finally:
        restore(lab.breaker, [NEAR.name])
        lab.fleet.apply(WORLD)
    assert lab.reaches(NEAR.name, BESIDE.name)
    assert lab.reaches(BESIDE.name, NEAR.name)


def test_a_zone_that_is_set_apart_goes_on_inside(lab: Broken) -> None:
    lab.breaker.partition(Choice(zone="a"))
    assert lab.reaches(NEAR.name, BESIDE.name)
    assert not lab.reaches(NEAR.name, FAR.name)
    assert not lab.reaches(FAR.name, BESIDE.name)
    restore(lab.breaker)
    assert lab.reaches(FAR.name, BESIDE.name)


def test_not_even_one_packet_passes_between_a_machine_and_what_the_switch_holds(lab: Broken) -> None:
    """Each way by itself: an answer that does not come would hide that the question went through."""
    heard = (
        f"import socket\nline = socket.socket(type=socket.SOCK_DGRAM)\nline.bind(('0.0.0.0', {PORT}))\n"
        "print('bound', flush=True)\nline.settimeout(1)\nprint(line.recv(9))\n"
    )

    def arrives_at_the_switch() -> bool:
        lab.run(NEAR.name, "bash", "-c", f"echo hello >/dev/udp/{METADATA}/{PORT}")
        try:
            return service.recv(9) == b"hello\n"
        except TimeoutError:
            return False

    def arrives_at_the_machine() -> bool:
        words = lab.fleet.instance(NEAR.name).command(["python3", "-c", heard])
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as hearing:
            assert hearing.stdout
            assert hearing.stdout.readline() == "bound\n"
            with suppress(PermissionError):  # what the kernel drops on the way out is no secret to the sender
                service.sendto(b"hello", (NEAR.address, PORT))
            return "hello" in hearing.communicate()[0]

    with lab.fleet.network.listen(METADATA, PORT, socket.SOCK_DGRAM) as service:
        service.settimeout(1)
        # The receiving machine's rules admit the cloud's own addresses.
        lab.fleet.apply(world(NEAR, BESIDE, FAR, rules=(*RULES, replace(RULES[0], peers=(f"{METADATA}/32",)))))
        assert (arrives_at_the_switch(), arrives_at_the_machine()) == (True, True)
        lab.breaker.partition(Choice((NEAR.name,)))
        assert (arrives_at_the_switch(), arrives_at_the_machine()) == (False, False)
        restore(lab.breaker)
        assert (arrives_at_the_switch(), arrives_at_the_machine()) == (True, True)
    lab.fleet.apply(WORLD)


def test_a_connection_that_stands_is_cut_too(lab: Broken) -> None:
    script = (
        "import socket, sys\n"
        f"line = socket.create_connection(('{FAR.address}', {PORT}), 5)\n"
        "print('connected', flush=True)\nsys.stdin.readline()\nline.settimeout(2)\n"
        "line.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')\nprint(line.recv(1))\n"
    )
    words = lab.fleet.instance(NEAR.name).command(["python3", "-c", script])
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as held:
        assert held.stdout
        assert held.stdout.readline() == "connected\n"
        lab.breaker.partition(Choice((FAR.name,)))
        said, why = held.communicate("go\n")
    assert not said, said
    assert "timed out" in why
    restore(lab.breaker)


def test_a_full_disk_refuses_root_too_and_takes_nothing_of_the_host(lab: Broken) -> None:
    before = taken(lab)
    write = ("sh", "-c", f"head -c 65536 /dev/zero >{STORE}/more && sync")
    lab.breaker.fill(NEAR.name, "", 0)
    refused = lab.run(NEAR.name, *write)
    assert "No space left on device" in refused.stderr
    assert taken(lab) - before < 64 * 1024**2
    (row,) = (row for row in looking.look(lab.breaker).machines if row.name == NEAR.name)
    assert row.failed
    assert f"full disk: {STORE}" in row.reason
    assert row.broken == (f"disk at {STORE} filled",)
    restore(lab.breaker, [NEAR.name])
    assert lab.run(NEAR.name, *write).returncode == 0


def test_what_stays_free_is_what_was_asked_for(lab: Broken) -> None:
    leave = 10 * 1024**2
    lab.breaker.fill(NEAR.name, f"{STORE}/below/somewhere", leave)
    free = int(lab.run(NEAR.name, "df", "--output=avail", "--block-size=1", STORE).stdout.split()[-1])
    assert leave - 1024**2 < free <= leave
    restore(lab.breaker)


def test_a_full_disk_stays_full_when_its_machine_dies_and_is_freed_when_it_is_back(lab: Broken) -> None:
    lab.breaker.fill(NEAR.name, STORE, 0)
    lab.breaker.kill(Choice((NEAR.name,)), "KILL")
    assert restore(lab.breaker) == [f"{NEAR.name} started", f"disk at {STORE} of {NEAR.name} freed"]
    assert lab.run(NEAR.name, "sh", "-c", f"ls -A {STORE} && head -c 65536 /dev/zero >{STORE}/more").returncode == 0


@pytest.mark.parametrize("path", ["/", "/var/lib", "/run", f"{STORE}-not"])
def test_what_is_the_hosts_is_never_filled(lab: Broken, path: str) -> None:
    with pytest.raises(SandboxError, match="lies on no data disk"):
        lab.breaker.fill(NEAR.name, path, 0)
    with pytest.raises(SandboxError, match="no data disk"):
        lab.breaker.fill(FAR.name, path, 0)


@pytest.mark.skipif(os.uname().machine != clock.MACHINE, reason="clocks are shifted on x86-64 alone")
def test_a_servers_clock_is_shifted_and_nobody_elses(lab: Broken) -> None:
    lab.breaker.skew(NEAR.name, UNIT, AHEAD)
    assert lab.time(NEAR.name) - time.time() == pytest.approx(AHEAD, abs=AHEAD / 10)
    lab.breaker.skew(NEAR.name, UNIT, -AHEAD)
    assert lab.time(NEAR.name) - time.time() == pytest.approx(-AHEAD, abs=AHEAD / 10)
    assert abs(lab.time(BESIDE.name) - time.time()) < AHEAD / 10
    assert abs(int(lab.run(NEAR.name, "date", "+%s").stdout) - time.time()) < AHEAD / 10
    (row,) = (row for row in looking.look(lab.breaker).machines if row.broken)
    assert row.broken == (f"clock of {UNIT} shifted by {-AHEAD} s",)
    restore(lab.breaker)
    assert abs(lab.time(NEAR.name) - time.time()) < AHEAD / 10


@pytest.mark.skipif(os.uname().machine != clock.MACHINE, reason="clocks are shifted on x86-64 alone")
def test_a_server_that_is_started_again_has_the_true_time(lab: Broken) -> None:
    lab.breaker.skew(NEAR.name, UNIT, AHEAD)
    before = lab.fleet.instance(NEAR.name).processes(UNIT)
    lab.breaker.kill_unit(Choice((NEAR.name,)), UNIT, "KILL")
    until(lambda: lab.fleet.instance(NEAR.name).processes(UNIT) - before and lab.serves(NEAR.name))
    assert abs(lab.time(NEAR.name) - time.time()) < AHEAD / 10
    restore(lab.breaker)


def test_a_vault_that_cannot_unseal_is_seen_in_a_machine_that_is_ready(lab: Broken) -> None:
    """What a real Vault wrote, in a real journal."""

    def reason(*journal: str) -> str:
        text = "".join(journal)
        unit = "[Service]\nType=oneshot\nExecStart=/bin/cat /root/said\n"
        script = (
            f"cat >/root/said <<'end'\n{text}end\ncat >/etc/systemd/system/vault.service <<'end'\n{unit}end\n"
            "systemctl daemon-reload && systemctl restart vault && journalctl --sync"
        )
        assert lab.run(FAR.name, "sh", "-c", script).returncode == 0
        (row,) = (row for row in looking.look(lab.breaker).machines if row.name == FAR.name)
        assert row.failed == bool(row.reason)
        return row.reason

    try:
        assert reason(HEAD, AWS).startswith("sealed: awskms: ")
        assert reason(HEAD, AWS, WELL) == ""
        reason(HEAD, AWS)
        # An earlier boot's complaint is not this one's.
        lab.breaker.kill(Choice((FAR.name,)), "KILL")
        restore(lab.breaker)
        booted(lab.fleet, FAR.name)
        until(lambda: lab.serves(FAR.name))
        (row,) = (row for row in looking.look(lab.breaker).machines if row.name == FAR.name)
        assert (row.phase, row.reason) == ("ready", "")
    finally:
        lab.run(FAR.name, "rm", "-f", "/etc/systemd/system/vault.service")


def test_a_name_that_is_not_this_labs_stops_the_whole_command(lab: Broken) -> None:
    with pytest.raises(SandboxError, match="has no machine elsewhere: nothing was done"):
        lab.breaker.kill(Choice((NEAR.name, "elsewhere")), "KILL")
    with pytest.raises(SandboxError, match="all of them are never meant"):
        lab.breaker.kill(Choice(), "KILL")
    assert lab.phases() == READY
