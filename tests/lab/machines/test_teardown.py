"""Nothing of a lab outlives its removal, in whatever state its owner left it; two labs do not meet."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.errors import SandboxError
from sandbox.lab.machines import footprint, limits, teardown
from sandbox.lab.machines.fleet import Fleet
from sandbox.lab.machines.footprint import Footprint
from sandbox.lab.machines.lab import Lab
from sandbox.lab.machines.needs import missing
from sandbox.lab.world import Disk
from tests.lab.machines.rig import booted, fleet, lab_name, machine, until, user_data, world

if TYPE_CHECKING:
    from sandbox.lab.world import World

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]

DATA = user_data({}, ["true"])
OWNER = """
import os, pydoc, signal, sys
from pathlib import Path
from sandbox.lab.machines.fleet import Fleet
from sandbox.lab.machines.lab import Lab
from tests.lab.machines.test_teardown import WORLD
if len(sys.argv) > 3:
    # Dies where it would call something, or right after.
    where, _, name = sys.argv[3].rpartition(".")
    holder, after = pydoc.locate(where), sys.argv[4:] == ["after"]
    called = getattr(holder, name)
    def dies(*given, **named):
        if after:
            called(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(holder, name, dies)
Fleet(Lab(sys.argv[1], Path(sys.argv[2]))).apply(WORLD)
print("applied", flush=True)
sys.stdin.read()
"""
WORLD: World = world(
    *(machine(f"m{n}", DATA, host=10 + n, disks=(Disk(f"vol-{n}", 1, (f"/dev/xvd{n}",)),)) for n in range(2))
)


def owned(lab: Lab, *dying: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, lab.name, str(lab.folder), *dying],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip


def kill(owner: subprocess.Popen[str]) -> None:
    owner.send_signal(signal.SIGKILL)
    owner.communicate()


def test_nothing_is_left_of_a_lab_whose_owner_was_killed(tmp_path: Path) -> None:
    before = Footprint.take()
    lab = Lab(lab_name(), tmp_path / "lab")
    with owned(lab) as owner:
        try:
            assert owner.stdout
            assert owner.stdout.readline() == "applied\n"
        finally:
            kill(owner)
    try:
        booted(Fleet(lab), "m0", "m1")
        of = footprint.of(lab)
        kinds = {entry.partition(":")[0] for entry in of}
        assert kinds >= {"namespaces", "mounts", "devices", "control groups", "containers", "labs", "process"}, of
    finally:
        teardown.remove(lab)
    assert footprint.of(lab) == []
    assert not lab.folder.exists()
    left = set(Footprint.take().since(before, lab))

    def gone() -> bool:
        # What others on this machine make and unmake meanwhile does not stay.
        left.intersection_update(Footprint.take().since(before, lab))
        return not left

    until(gone, lambda: left)
    teardown.remove(lab)


@pytest.mark.parametrize(
    "dying",
    [
        ("sandbox.lab.machines.fleet.layer",),
        ("sandbox.lab.machines.network.Network.load",),
        ("sandbox.lab.machines.network.Network.plug",),
        ("sandbox.lab.machines.network.Network.plug", "after"),
        ("sandbox.lab.machines.machine.Instance.start",),
        ("sandbox.lab.machines.machine.launch",),
        ("sandbox.lab.machines.machine.launch", "after"),
    ],
    ids=" ".join,
)
def test_an_owner_killed_anywhere_leaves_what_the_next_one_finishes(tmp_path: Path, dying: tuple[str, ...]) -> None:
    lab = Lab(lab_name(), tmp_path / "lab")
    try:
        with owned(lab, *dying) as owner:
            owner.communicate()
        assert owner.returncode == -signal.SIGKILL
        Fleet(lab).apply(WORLD)
        assert {status.phase for status in Fleet(lab).statuses()} <= {"booting", "ready"}
        assert Fleet(lab).apply(WORLD) == []
    finally:
        teardown.remove(lab)
    assert footprint.of(lab) == []


@pytest.mark.parametrize(
    "dying", [("sandbox.lab.machines.network.Network.load",), ("sandbox.lab.machines.machine.launch", "after")]
)
def test_nothing_is_left_of_a_lab_that_was_never_finished(tmp_path: Path, dying: tuple[str, ...]) -> None:
    lab = Lab(lab_name(), tmp_path / "lab")
    with owned(lab, *dying) as owner:
        owner.communicate()
    assert footprint.of(lab)
    teardown.remove(lab)
    assert footprint.of(lab) == []


def test_a_device_whose_file_somebody_removed_goes_with_the_lab(tmp_path: Path) -> None:
    lab = Lab(lab_name(), tmp_path / "lab")
    with owned(lab) as owner:
        assert owner.stdout
        assert owner.stdout.readline() == "applied\n"
        for image in lab.disks.iterdir():
            image.unlink()
        kill(owner)
    assert [entry for entry in footprint.of(lab) if "(deleted)" in entry]
    teardown.remove(lab)
    assert footprint.of(lab) == []


def test_one_labs_end_is_not_anothers(tmp_path: Path) -> None:
    with fleet(tmp_path / "one") as one, fleet(tmp_path / "other") as other:
        same = world(machine("m", DATA, host=10))
        one.apply(same)
        other.apply(same)
        booted(one, "m")
        teardown.remove(one.lab)
        assert footprint.of(one.lab) == []
        booted(other, "m")
        assert other.apply(same) == []
        assert all(limits.value(limit) >= raised for limit, raised in limits.RAISED.items())


def test_a_lab_of_a_name_that_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    with fleet(tmp_path / "one") as one:
        one.apply(world())
        with pytest.raises(SandboxError, match=r"There is a lab .* already"):
            Fleet(Lab(one.lab.name, tmp_path / "other")).apply(world())


def test_what_a_lab_does_not_have_cannot_be_overlooked(tmp_path: Path) -> None:
    """The comparison itself sees a namespace, a device and a mount that somebody left."""
    before = Footprint.take()
    with fleet(tmp_path / "lab") as lab:
        lab.network.raise_switch()
        found = Footprint.take().since(before, lab.lab)
        assert f"namespaces: {lab.lab.stem}-switch" in found
        assert footprint.of(lab.lab)
