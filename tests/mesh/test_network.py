"""The mesh takes the plan's timers, hears nothing outside its namespaces and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.plan.mesh import HOLD_SECONDS, pairs
from docs.picture import platform
from sandbox.errors import SandboxError
from sandbox.mesh import namespaces
from sandbox.mesh.layout import Failure
from sandbox.mesh.liveness import DeadPeerDetection
from sandbox.mesh.namespaces import FOLDER, Namespaces
from sandbox.mesh.network import STEM, MeshNetwork, missing
from sandbox.mesh.traffic import Traffic

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())

PLATFORM = platform()


def standing(prefix: str) -> list[str]:
    return [entry.name for entry in FOLDER.iterdir() if entry.name.startswith(prefix)] if FOLDER.is_dir() else []


def listening() -> set[str]:
    """Local addresses of the sockets of this test's own network namespace that take connections or packets."""
    rows = [
        line.split()
        for table in ("tcp", "udp")
        for line in Path("/proc/self/net", table).read_text(encoding="ascii").splitlines()[1:]
    ]
    return {row[1] for row in rows if row[1].endswith((":00B3", ":0009", ":01F4"))}


def daemons(network: MeshNetwork) -> list[str]:
    return [
        pid
        for speaker in network.plan.speakers
        for pid in subprocess.run(
            ["ip", "netns", "pids", network.namespaces.full(speaker.name)], capture_output=True, text=True, check=True
        ).stdout.split()
    ]


def test_sessions_agree_on_the_shorter_of_both_clouds_hold_times() -> None:
    with MeshNetwork(PLATFORM) as network:
        network.await_established(30)
        agreed = network.hold_seconds()
    expected = {
        (tunnel, cloud): pair.hold_seconds()
        for pair in pairs(PLATFORM)
        for tunnel in pair.tunnels
        for cloud in (pair.a, pair.b)
    }
    assert agreed == expected


def test_a_mesh_is_heard_in_its_namespaces_alone_and_leaves_nothing_behind() -> None:
    before = listening()
    network = MeshNetwork(PLATFORM)
    pids: list[str] = []

    def broken() -> None:
        with network:
            pids.extend(daemons(network))
            assert standing(network.namespaces.full(""))
            assert listening() == before
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert len(pids) == len(network.plan.speakers)
    assert not standing(network.namespaces.full(""))
    assert not any(Path("/proc", pid).exists() for pid in pids)


def test_a_mesh_that_cannot_start_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.mesh.network.configuration", lambda *_: "nonsense;")
    network = MeshNetwork(PLATFORM)
    with pytest.raises(SandboxError, match=r"does not run: .*syntax error"), network:
        pass
    assert not standing(network.namespaces.full(""))


def test_the_next_run_removes_what_a_killed_one_left_and_nothing_of_a_living_one() -> None:
    # Stems of a test's own: another worker's mesh lives at the same time.
    stem = f"{STEM}test"
    owner = (
        f"import time; from sandbox.mesh.namespaces import Namespaces; spaces = Namespaces({stem!r});"
        "spaces.create(['a']); print(spaces.full('a'), flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", owner], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        left = process.stdout.readline().strip()
        try:
            namespaces.sweep(stem)
            assert standing(left) == [left]
        finally:
            process.kill()
    inside = subprocess.Popen(
        ["ip", "netns", "exec", left, "sh", "-c", "echo in; exec sleep 60"], stdout=subprocess.PIPE, text=True
    )
    assert inside.stdout
    # Not before it is in: what has yet to enter cannot be found there.
    assert inside.stdout.readline() == "in\n"
    living = Namespaces(stem)
    living.create(["b"])
    try:
        assert not standing(left)
        assert inside.wait(5) != 0
        assert standing(living.full("b"))
    finally:
        living.remove()
        inside.stdout.close()
    assert not standing(stem)


def test_dead_peer_detection_ends_a_session_long_before_its_hold_time() -> None:
    with MeshNetwork(PLATFORM, dict.fromkeys(HOLD_SECONDS, 180)) as network:
        network.await_established(30)
        with DeadPeerDetection(network, 2), Traffic(network) as traffic:
            assert traffic.await_flowing(10)
            failure = Failure("one tunnel", network.plan.tunnels[:1])
            began = time.monotonic()
            network.cut(failure)
            time.sleep(1)
            assert traffic.await_flowing(10)
            outage = traffic.outage(began)
            up = network.established()
    assert outage.lost
    assert 1 < outage.seconds < 8
    assert [up[tunnel] for tunnel in network.plan.tunnels] == [0, *[2] * 11]
