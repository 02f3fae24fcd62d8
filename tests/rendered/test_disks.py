"""The disk step on real block devices: blank is formatted, what is ours is kept, anything else is left untouched."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.products.machines import Case
from tests.rendered.entered import Entered, blank, entered, loop_device
from tests.rendered.rig import rig

STEP = "/usr/local/lib/platform/steps/30-disks.sh"
FAILED = "platform-boot: FAILED at step disks:"
DEVICE = "/dev/disk/by-id/google-data"
USER = "groupadd --gid 703 nomad; useradd --uid 703 --gid 703 nomad"


@dataclass(frozen=True)
class Disk:
    """A Nomad server with one disk."""

    machine: Entered
    image: Path
    device: str

    def boot(self, then: str = "true", before: str = "true", patience: int = 5) -> subprocess.CompletedProcess[str]:
        """The disk step on a fresh start of the machine, and a command after it."""
        return self.machine.run(f"{USER}\n{before}\n{STEP}\n{then}", patience)

    @property
    def digest(self) -> str:
        """All that is on the disk."""
        return hashlib.sha256(self.image.read_bytes()).hexdigest()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A blank disk that the machine finds by a device node of its own."""
    made = rig(tmp_path / "machine", Case("gcp", "nomad-server"))
    machine = entered(made, tmp_path)
    image = blank(tmp_path / "disk")
    with loop_device(image) as device:
        made.table("disks", (device, "/opt/nomad", "nomad:nomad", "data"))
        yield Disk(machine, image, device)


def on_image(*command: str) -> Callable[[Path], object]:
    """A command that prepares the disk's content."""
    return lambda image: subprocess.run([*command, str(image)], check=True, capture_output=True)


def test_a_blank_disk_is_formatted_mounted_by_uuid_and_given_to_its_owner(disk: Disk) -> None:
    done = disk.boot("findmnt -no FSTYPE,OPTIONS /opt/nomad; blkid -p -o export $(findmnt -no SOURCE /opt/nomad); "
                     "stat -c '%U:%G %a' /opt/nomad; cat /etc/fstab; cat /systemctl")  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout
    uuid = next(
        line.removeprefix("UUID=") for line in said.splitlines() if line.startswith("UUID=") and " " not in line
    )
    assert "LABEL=nomad-data\n" in said
    assert "nomad:nomad 750\n" in said
    assert f"UUID={uuid} /opt/nomad ext4 noatime,nodev,nosuid,nofail,x-systemd.device-timeout=300" in said
    assert "ext4   rw,nosuid,nodev,noatime" in said
    assert said.endswith("daemon-reload\n")


def test_data_survives_the_machine(disk: Disk) -> None:
    assert disk.boot("echo raft >/opt/nomad/log").returncode == 0
    done = disk.boot("cat /opt/nomad/log")
    assert done.returncode == 0, done.stderr
    assert "formatting" not in done.stdout
    assert done.stdout.endswith("raft\n")


def test_a_second_run_changes_nothing(disk: Disk) -> None:
    done = disk.boot(f"cp /etc/fstab /before; {STEP}; cmp /before /etc/fstab; grep -c . /etc/fstab")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\n1\n")


def test_another_disk_for_the_same_mount_replaces_its_line(disk: Disk) -> None:
    done = disk.boot(
        "cat /etc/fstab",
        before="printf '%s\\n' '/dev/sda1 / ext4 defaults 0 1' 'UUID=0000 /opt/nomad ext4 noatime 0 2' >/etc/fstab",
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split()[1] for line in done.stdout.splitlines() if " ext4 " in line]
    assert lines == ["/", "/opt/nomad"]
    assert "UUID=0000" not in done.stdout


FOREIGN: dict[str, Callable[[Path], object]] = {
    "the same program's file system under another label": on_image("mkfs.ext4", "-q", "-L", "vault-data"),
    "a file system without a label": on_image("mkfs.ext4", "-q"),
    "swap": on_image("mkswap", "-L", "nomad-data"),
    "a partition table": lambda image: subprocess.run(
        ["sfdisk", "--quiet", str(image)], input="label: gpt\n,\n", text=True, check=True
    ),
    "bytes that no tool knows": lambda image: image.write_bytes(b"raft log of an unknown kind".ljust(16 << 20, b"\0")),
    "bytes at the end of the first mebibyte": lambda image: image.write_bytes((b"\0" * ((1 << 20) - 1) + b"x").ljust(16 << 20, b"\0")),
}  # fmt: skip


@pytest.mark.parametrize("content", FOREIGN)
def test_a_disk_with_anything_else_is_refused_and_left_as_it_is(disk: Disk, content: str) -> None:
    FOREIGN[content](disk.image)
    before = disk.digest
    done = disk.boot()
    assert done.returncode == 1
    console = disk.machine.console.read_text()
    assert console.startswith(f"{FAILED} disk /dev/loop")
    assert console.count("\n") == 1
    assert disk.digest == before


def test_a_disk_that_never_appears_is_named(disk: Disk) -> None:
    disk.machine.made.table("disks", (DEVICE, "/opt/nomad", "nomad:nomad", "data"))
    assert disk.boot(patience=1).returncode == 1
    assert disk.machine.console.read_text() == (
        f"{FAILED} disk {DEVICE} did not appear in 1 s; attach it to this machine, then reboot it\n"
    )


def test_something_else_at_the_mount_point_is_refused(disk: Disk) -> None:
    done = disk.boot(before="mkdir -p /opt/nomad; mount -t tmpfs tmpfs /opt/nomad")
    assert done.returncode == 1
    assert "something else than disk" in disk.machine.console.read_text()
