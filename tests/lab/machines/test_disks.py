"""A data disk is its machine's only as long as the machine is there: its content outlives every way of losing one.

Runs the platform's own disk step, on machines that boot untrimmed, as their clouds would have them.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from sandbox.lab.machines import disks
from sandbox.lab.machines.lab import Surroundings
from sandbox.lab.machines.needs import missing
from sandbox.lab.world import Disk
from tests.lab.machines.rig import BOOT, booted, fleet, machine, until, user_data, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.lab.machines.fleet import Fleet
    from sandbox.lab.world import Machine

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]

STABLE = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123"
DISK = Disk("vol-0123", 1, (STABLE, "/dev/nvme1n1"))
LIBRARY = "/usr/local/lib/platform"
DATA = user_data(
    {
        f"{LIBRARY}/log.sh": (BOOT / "log.sh").read_text(encoding="utf-8"),
        f"{LIBRARY}/steps/30-disks.sh": (BOOT / "30-disks.sh").read_text(encoding="utf-8"),
        f"{LIBRARY}/steps/99-count.sh": "#!/bin/sh\nset -e\ndate >>/opt/store/boots\nsync\n",
        f"{LIBRARY}/boot.sh": (BOOT / "boot.sh").read_text(encoding="utf-8"),
        "/etc/platform/disks.tsv": f"{STABLE}\t/opt/store\tnobody:nogroup\tdata\n",
        "/etc/systemd/system/platform-boot.service": (
            f"[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart={LIBRARY}/boot.sh\n"
            "[Install]\nWantedBy=multi-user.target\n"
        ),
    },
    ["systemctl", "enable", "--now", "--no-block", "platform-boot.service"],
)


def store(instance: str, *attached: Disk) -> Machine:
    return machine("store", DATA, host=20, instance=instance, disks=attached)


def boots(lab: Fleet) -> int:
    command = lab.instance("store").command(["cat", "/opt/store/boots"])
    return len(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())


def test_a_data_disk_survives_its_machines_death_restart_and_replacement(tmp_path: Path) -> None:
    with fleet(tmp_path / "lab", Surroundings(trimmed=False)) as lab:
        # The cloud attaches the disk after it has made the instance, whose boot waits for it.
        lab.apply(world(store("i-1")))
        until((lab.instance("store").root.files / LIBRARY[1:] / "steps/30-disks.sh").exists, lab.statuses)
        assert lab.apply(world(store("i-1", DISK))) == ["change the disks of store"]
        booted(lab, "store")
        assert boots(lab) == 1

        process = lab.instance("store").status().pid
        os.kill(process, 9)
        until(lambda: lab.instance("store").status().phase == "dead")
        lab.instance("store").kill()
        lab.instance("store").start()
        booted(lab, "store")
        assert boots(lab) == 2

        lab.instance("store").kill()
        changes = lab.apply(world(store("i-2", DISK)))
        assert changes == ["remove machine store", "make machine store"]
        booted(lab, "store")
        assert boots(lab) == 3
        assert not list((lab.instance("store").root.files / "var/lib/cloud/instances").glob("i-1")), (
            "the root is the old one"
        )

        assert lab.apply(world()) == ["load the packet filter", "remove machine store"]
        assert not disks.devices(disks.image(lab.lab, DISK.id))
        assert disks.image(lab.lab, DISK.id).exists(), "the content went with its machine"
        disks.destroy(lab.lab, DISK.id)
        assert not disks.image(lab.lab, DISK.id).exists()


@pytest.fixture
def store_of_disks(tmp_path: Path) -> Iterator[Fleet]:
    with fleet(tmp_path / "lab") as lab:
        yield lab


def test_a_disk_is_sparse_has_one_device_grows_and_never_shrinks(store_of_disks: Fleet) -> None:
    lab = store_of_disks.lab
    device = disks.attach(lab, DISK)
    assert disks.attach(lab, DISK) == device
    file = disks.image(lab, DISK.id)
    assert file.stat().st_blocks * 512 < 1024**2
    for gigabytes, size in ((3, 3), (2, 3)):
        disks.attach(lab, Disk(DISK.id, gigabytes, DISK.paths))
        told = subprocess.run(["blockdev", "--getsize64", device], capture_output=True, text=True, check=True).stdout
        assert int(told) == file.stat().st_size == size * 1024**3


def test_ids_with_slashes_have_files_of_their_own(store_of_disks: Fleet) -> None:
    lab = store_of_disks.lab
    ids = ("projects/p/disks/a", "projects/p/disks/b", "projects_p_disks_a", "../../escape")
    files = {disks.image(lab, id_) for id_ in ids}
    assert len(files) == len(ids)
    assert {file.parent for file in files} == {lab.disks}


def test_a_device_is_seen_at_every_moment_while_others_come_and_go(store_of_disks: Fleet, tmp_path: Path) -> None:
    device = disks.attach(store_of_disks.lab, DISK)
    churn = (
        f"for i in $(seq 100); do truncate -s 1M {tmp_path}/$i && d=$(losetup --find --show {tmp_path}/$i) "
        "&& losetup --detach $d; done"
    )
    with subprocess.Popen(["sh", "-c", churn]) as others:
        looked = 0
        while others.poll() is None or not looked:
            assert disks.all_devices().get(device) == str(disks.image(store_of_disks.lab, DISK.id))
            looked += 1
    assert others.returncode == 0


def test_devices_of_removed_files_and_of_several_disks_all_go(store_of_disks: Fleet) -> None:
    lab = store_of_disks.lab
    devices = {disks.attach(lab, Disk(f"vol-{number}", 1, ("/dev/x",))) for number in range(4)}
    disks.image(lab, "vol-0").unlink()
    assert {device for device, back in disks.all_devices().items() if back.startswith(f"{lab.disks}/")} == devices
    disks.detach_all(lab)
    assert not devices & disks.all_devices().keys()


def test_a_device_that_shows_another_file_by_now_is_left_alone(
    store_of_disks: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = disks.attach(store_of_disks.lab, DISK)
    answers = iter([{device: "/what/was/there"}])
    look = disks.all_devices
    monkeypatch.setattr(disks, "all_devices", lambda: next(answers, None) or look())
    disks.release(device)
    assert disks.devices(disks.image(store_of_disks.lab, DISK.id)) == [device]
