"""Machines that really boot: their own user data, their own life, and other labs' and clouds' business left alone."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sandbox.errors import SandboxError
from sandbox.lab.machines.lab import METADATA, Surroundings
from sandbox.lab.machines.needs import missing
from sandbox.lab.world import Rule
from tests.lab.machines.rig import BOOT, booted, fleet, machine, until, user_data, world
from tests.rendered import certificates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.lab.machines.fleet import Fleet

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]

PORT = 8500
SERVER = user_data(
    {
        "/etc/systemd/system/hello.service": (
            f"[Service]\nExecStart=/usr/bin/python3 -m http.server --bind 0.0.0.0 --directory /srv {PORT}\n"
            "PrivateDevices=yes\nProtectSystem=strict\nNoNewPrivileges=yes\n"
        ),
        "/srv/hello": "hello of user data\n",
    },
    ["systemctl", "start", "hello"],
    ["sh", "-c", "hostname >/srv/name; findmnt --noheadings --output OPTIONS /sys/fs/cgroup/* >/srv/groups || true"],
    ["sh", "-c", "grep CapEff /proc/self/status >/srv/rights; mknod /srv/stolen b 7 0 || echo refused >/srv/mknod"],
)
FAILING = user_data(
    {
        "/usr/local/lib/platform/log.sh": (BOOT / "log.sh").read_text(encoding="utf-8"),
        "/usr/local/lib/platform/steps/60-secrets.sh": (
            '#!/bin/bash\n. "$(dirname "$0")/../log.sh"\nfail "secret x cannot be read" "grant it"\n'
        ),
        "/etc/systemd/system/platform-boot.service": (
            "[Service]\nType=oneshot\nExecStart=/usr/local/lib/platform/steps/60-secrets.sh\n"
        ),
    },
    ["systemctl", "start", "--no-block", "platform-boot.service"],
)
# As AWS and Azure take it: packed.
ONE, TWO = machine("one", SERVER, host=10), machine("two", gzip.compress(SERVER, mtime=0), host=11)
BROKEN = machine("broken", FAILING, cloud="gcp", host=10)
RULES = (
    Rule("one", "out", allows=True, protocol="any", peers=("0.0.0.0/0",)),
    Rule("two", "in", allows=True, protocol="tcp", peers=(f"{ONE.address}/32",), ports=(PORT, PORT)),
)
WORLD = world(ONE, TWO, BROKEN, rules=RULES)
SERVICE = "198.18.0.10"


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the lab's authority, and a service's certificate and key."""
    folder = tmp_path_factory.mktemp("trusted")
    certificates.write(folder, ("service",), (SERVICE,))
    return folder


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory, trusted: Path) -> Iterator[Fleet]:
    """Two machines that serve and one whose boot fails."""
    authorities = ((trusted / "ca.pem").read_text(encoding="ascii"),)
    surroundings = Surroundings(services=(METADATA, SERVICE), authorities=authorities)
    with fleet(tmp_path_factory.mktemp("machines") / "lab", surroundings) as lab:
        lab.apply(WORLD)
        booted(lab, "one", "two")
        yield lab


def run(lab: Fleet, name: str, *command: str) -> str:
    done = subprocess.run(lab.instance(name).command(command), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def fetch(lab: Fleet, name: str, address: str, path: str = "hello") -> subprocess.CompletedProcess[str]:
    url = f"http://{address}:{PORT}/{path}"
    command = lab.instance(name).command(["curl", "--silent", "--show-error", "--fail", "--max-time", "3", url])
    return subprocess.run(command, capture_output=True, text=True, check=False)


def pids(lab: Fleet) -> dict[str, int]:
    return {status.name: status.pid for status in lab.statuses()}


def test_a_machine_runs_its_user_data_byte_for_byte_under_its_own_name(standing: Fleet) -> None:
    for each in (ONE, TWO):
        kept = standing.instance(each.name).root.files / "var/lib/cloud/instances" / each.id / "user-data.txt"
        assert kept.read_bytes() == each.user_data
        assert run(standing, each.name, "cat", "/srv/name").strip() == each.name
        assert standing.instance(each.name).wanted() == each
    assert len({run(standing, each.name, "cat", "/etc/machine-id") for each in (ONE, TWO)}) == 2


def test_a_rule_lets_one_machines_programs_through_and_not_anothers(standing: Fleet) -> None:
    until(lambda: fetch(standing, "two", "127.0.0.1").returncode == 0)
    assert fetch(standing, "one", TWO.address).stdout == "hello of user data\n"
    assert fetch(standing, "two", ONE.address).returncode != 0


def test_a_machine_may_not_make_devices_and_may_write_its_control_groups(standing: Fleet) -> None:
    assert run(standing, "one", "cat", "/srv/mknod") == "refused\n"
    groups = run(standing, "one", "cat", "/srv/groups").split()
    assert not [options for options in groups if "ro" in options.split(",")]


def test_a_failed_boot_says_why_and_disturbs_nobody(standing: Fleet) -> None:
    until(lambda: standing.instance("broken").status().phase == "failed", standing.statuses)
    assert standing.instance("broken").status().reason == "platform-boot: secrets: secret x cannot be read; grant it"
    assert [status.phase for status in standing.statuses()] == ["failed", "ready", "ready"]


def test_a_second_application_changes_nothing(standing: Fleet) -> None:
    before = pids(standing)
    assert standing.apply(WORLD) == []
    assert pids(standing) == before


def test_an_instance_is_not_replaced_for_what_only_a_first_boot_reads(standing: Fleet) -> None:
    before = pids(standing)
    other = replace(ONE, user_data=b"#cloud-config\n", identity="another")
    assert standing.apply(world(other, TWO, BROKEN, rules=RULES)) == []
    assert pids(standing) == before
    assert standing.instance("one").wanted() == replace(ONE, identity="another")
    standing.apply(WORLD)


def test_other_rules_reach_running_machines_without_touching_them(standing: Fleet) -> None:
    before = pids(standing)
    assert standing.apply(world(ONE, TWO, BROKEN)) == ["load the packet filter"]
    assert fetch(standing, "one", TWO.address).returncode != 0
    assert standing.apply(WORLD) == ["load the packet filter"]
    assert pids(standing) == before


def test_machines_trust_the_labs_authority_and_nobody_elses(standing: Fleet, trusted: Path, tmp_path: Path) -> None:
    certificates.write(tmp_path, ("service",), (SERVICE,))
    script = (
        "import sys, urllib.request as u; "
        f"sys.stdout.write(u.urlopen('https://{SERVICE}:' + sys.argv[1] + '/', timeout=5).read().decode())"
    )
    for number, folder in ((8443, trusted), (8444, tmp_path)):
        with standing.network.listen(SERVICE, number) as listener:
            threading.Thread(target=serve, args=(listener, folder), daemon=True).start()
            for command in (
                ["curl", "--silent", "--fail", "--max-time", "5", f"https://{SERVICE}:{number}/"],
                ["python3", "-c", script, str(number)],
                ["openssl", "s_client", "-verify_return_error", "-connect", f"{SERVICE}:{number}"],
            ):
                done = subprocess.run(
                    standing.instance("one").command(command),
                    stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                )  # fmt: skip
                assert (done.returncode == 0) == (folder == trusted), (command, done.stderr)


def serve(listener: socket.socket, folder: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with suppress(OSError):
        while True:
            line = listener.accept()[0]
            with suppress(OSError), context.wrap_socket(line, server_side=True) as secure:
                secure.recv(4096)
                secure.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")


def test_a_machine_stops_by_itself_and_comes_back_with_its_root(tmp_path: Path, standing: Fleet) -> None:
    two = standing.instance("two")
    run(standing, "two", "sh", "-c", "echo kept >/srv/kept")
    assert two.stop(), "it had to be killed"
    assert two.status().phase == "stopped"
    assert standing.apply(WORLD) == [], "a machine that an operator stopped is started"
    two.start()
    assert two.status().phase == "booting", "an earlier boot's marks are taken for this one's"
    booted(standing, "two")
    assert run(standing, "two", "cat", "/srv/kept") == "kept\n"


def test_a_killed_machine_is_dead_stays_so_and_can_be_started(standing: Fleet) -> None:
    two = standing.instance("two")
    first = two.status().pid
    os.kill(first, signal.SIGKILL)
    until(lambda: two.status().phase == "dead", two.status)
    assert "killed" in two.status().reason
    assert standing.apply(WORLD) == []
    two.kill()
    two.start()
    booted(standing, "two")
    assert two.status().pid != first
    with pytest.raises(SandboxError, match="no machine nobody"):
        standing.instance("nobody").start()


def test_a_process_that_got_a_machines_id_is_left_alone(standing: Fleet) -> None:
    broken = standing.instance("broken")
    broken.kill()
    identity = broken.folder / "process"
    with subprocess.Popen(["sleep", "600"]) as stranger:
        identity.write_text(f"{stranger.pid} 1\n", encoding="ascii")
        try:
            assert broken.status().phase == "dead"
            broken.stop()
            broken.purge()
            assert stranger.poll() is None
        finally:
            stranger.kill()
    assert "make machine broken" in standing.apply(WORLD)


def test_what_a_machine_is_told_is_only_its_users_to_read(standing: Fleet) -> None:
    seed = standing.instance("one").root.files / "var/lib/cloud/seed/nocloud/user-data"
    assert seed.stat().st_mode & 0o077 == 0
    assert standing.lab.folder.stat().st_mode & 0o077 == 0
    assert "hello of user data" not in json.dumps([status.__dict__ for status in standing.statuses()])
    assert not re.search(rb"hello of user data", (standing.instance("one").folder / "machine.json").read_bytes())
