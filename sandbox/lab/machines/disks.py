"""Data disks: a sparse file each, which the kernel shows as a block device.

Owns the files and their devices. A disk belongs to nobody: it outlives the machines that it is attached to, whatever
ends them. What it holds is the business of the machine, which formats it if it is blank.

Dangerous edges:
- Inside a machine nothing names devices: each is put at every path where its cloud shows it, and at the kernel's own
  name, by which a file system is found by its UUID.
- Two machines that have the same disk would destroy it, as in a cloud that attached it twice. The cloud is to refuse.

Source: losetup(8), loop(4).
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.lab.machines.processes import until

if TYPE_CHECKING:
    from sandbox.lab.machines.lab import Lab
    from sandbox.lab.world import Disk

_GIB = 1024**3
_PLAIN = re.compile(r"[^A-Za-z0-9._-]")
_DETACH_SECONDS = 10.0
_BLOCKS = Path("/sys/block")


def image(lab: Lab, disk: str) -> Path:
    """A disk's file, whether or not it is there: called by the end of the cloud's id, which may be a long path."""
    digest = hashlib.sha256(disk.encode()).hexdigest()[:12]
    return lab.disks / f"{_PLAIN.sub('_', disk.rpartition('/')[2])[:60]}-{digest}.img"


def attach(lab: Lab, disk: Disk) -> Path:
    """The disk's device, made if need be, with the disk's content as it was left.

    A disk that its cloud has enlarged grows; it never shrinks.
    """
    file = image(lab, disk.id)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab"):
        pass
    grows = file.stat().st_size < disk.gigabytes * _GIB
    if grows:
        os.truncate(file, disk.gigabytes * _GIB)
    for device in devices(file):
        if grows:
            _losetup("--set-capacity", str(device))
        return device
    return Path(_losetup("--find", "--show", "--nooverlap", str(file)).strip())


def devices(file: Path) -> list[Path]:
    """The devices that show a file."""
    return [device for device, back in all_devices().items() if back == str(file)]


def all_devices() -> dict[Path, str]:
    """Every loop device of the host with the file behind it; ` (deleted)` ends the name of one that was removed.

    Read from the kernel itself: `losetup --list` misses devices while others come and go.
    """
    found: dict[Path, str] = {}
    for block in _BLOCKS.glob("loop*"):
        with suppress(OSError):  # no file is behind it, or it went meanwhile
            found[Path("/dev", block.name)] = (block / "loop/backing_file").read_text(encoding="utf-8").rstrip("\n")
    return found


def detach(lab: Lab, disk: str) -> None:
    """Takes the device away and leaves the content."""
    for device in devices(image(lab, disk)):
        release(device)


def destroy(lab: Lab, disk: str) -> None:
    """Removes a disk with its content."""
    detach(lab, disk)
    image(lab, disk).unlink(missing_ok=True)


def detach_all(lab: Lab) -> None:
    """Takes away every device of a lab's disks, also of those whose file somebody removed; looks until none is left."""
    while left := [device for device, back in all_devices().items() if back.startswith(f"{lab.disks}/")]:
        for device in left:
            release(device)


def release(device: Path) -> None:
    """Takes a device away.

    Raises:
        SandboxError: something uses it.
    """
    back = all_devices().get(device)

    # A device in use goes when its last user does, which after a kill is a moment later. One that shows another file by
    # then is somebody else's.
    def gone() -> bool:
        if all_devices().get(device) == back:
            subprocess.run(["losetup", "--detach", str(device)], capture_output=True, check=False)
        return all_devices().get(device) != back

    if back is not None and not until(gone, _DETACH_SECONDS):
        raise SandboxError(
            f"{device} cannot be taken away: something has it mounted.", "Purge the machines that have the disk."
        )


def binds(disk: Disk, device: Path) -> list[str]:
    """What systemd-nspawn is told, so that a machine has the disk from its start."""
    return [f"--bind={device}:{path}" for path in disk.paths] + [f"--bind={device}"]


def _losetup(*arguments: str) -> str:
    done = subprocess.run(["losetup", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SandboxError(
            f"`losetup {arguments[0]}` failed: {done.stderr.strip()}",
            "It needs root and the kernel's loop devices (`modprobe loop`).",
        )
    return done.stdout
