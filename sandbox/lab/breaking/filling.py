"""Data disks that are full: filled by a file of nothing, freed by its removal.

Owns that file, and the looking for a machine's data disks among its mounts. The file takes space of the disk and none
of the host's: what was never written has no place in the disk's image.

Dangerous edge: everything else that a machine has is the host's. Its root, its memory: to fill those would break more
than the machine, and is refused.

Source: fallocate(1), proc_pid_mountinfo(5).
"""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.lab.machines import disks
from sandbox.lab.machines.processes import until

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.lab.machines.lab import Lab
    from sandbox.lab.machines.machine import Instance

FILE = ".filled-by-lab"
_FILL = Path(__file__).parent / "fill.sh"
_MOUNT_SECONDS = 60.0


@dataclass(frozen=True)
class Mount:
    """A data disk inside a running machine.

    Attributes:
        free: bytes that programs other than root's may still take.
        most: bytes that it has.
    """

    point: str
    free: int
    most: int

    @property
    def full(self) -> bool:
        """Whether nothing can be written any more."""
        return self.free == 0 and self.most > 0


def mounts(lab: Lab, instance: Instance) -> list[Mount]:
    """The data disks that a machine has mounted; none if it does not run."""
    leader, machine = instance.leader(), instance.wanted()
    if leader is None or machine is None:
        return []
    devices = {device for disk in machine.disks for device in disks.devices(disks.image(lab, disk.id))}
    numbers = {_number(device) for device in devices if device.exists()}
    found: dict[str, Mount] = {}
    with suppress(OSError):
        for line in Path(f"/proc/{leader.pid}/mountinfo").read_text(encoding="utf-8").splitlines():
            words = line.split()
            # Services that systemd shields see parts of the same disk again; those are mounts of their own namespaces.
            if words[2] in numbers and words[3] == "/":
                facts = os.statvfs(f"/proc/{leader.pid}/root{words[4]}")
                found[words[4]] = Mount(words[4], facts.f_bavail * facts.f_frsize, facts.f_blocks * facts.f_frsize)
    return [found[point] for point in sorted(found)]


def meant(known: Iterable[Mount], path: str, machine: str) -> Mount:
    """The data disk that a path lies on; the only one, where the path is empty.

    Raises:
        SandboxError: it lies on none, or nothing says which.
    """
    points = {mount.point: mount for mount in known}
    if not path:
        if len(points) == 1:
            return next(iter(points.values()))
        raise SandboxError(
            f"{machine} has {'no data disk that is mounted' if not points else 'data disks at ' + ', '.join(points)}: "
            "which one is meant cannot be told.",
            "Name a path on one of them." if points else "Take a machine that has one and runs; `status` shows them.",
        )
    for place in (PurePosixPath(path), *PurePosixPath(path).parents):
        if mount := points.get(str(place)):
            return mount
    raise SandboxError(
        f"{path} of {machine} lies on no data disk: its root and its memory are this host's, which would be full too.",
        f"Name a path on one of {', '.join(points) or 'its data disks; it has none that is mounted'}.",
    )


def fill(instance: Instance, point: str, leave: int) -> None:
    """Fills the disk that a machine has at a mount point.

    Args:
        instance: a machine that runs.
        point: where the disk is mounted.
        leave: bytes that stay free; with 0, root has none left either.

    Raises:
        SandboxError: the machine does not run, or the file cannot be made.
    """
    command = instance.command(["sh", "-s", "--", point, FILE, str(leave)])
    done = subprocess.run(command, input=_FILL.read_text(encoding="utf-8"), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SandboxError(
            f"The disk at {point} of {instance.name} cannot be filled: {done.stderr.strip()[-500:]}",
            "See that it is mounted and may be written.",
        )


def free(lab: Lab, instance: Instance, point: str) -> None:
    """Takes away what fills a disk; waits for a machine that was just started to mount it.

    Raises:
        SandboxError: the machine does not run, or does not mount the disk.
    """
    if not until(lambda: any(mount.point == point for mount in mounts(lab, instance)), _MOUNT_SECONDS):
        raise SandboxError(
            f"{instance.name} has nothing mounted at {point}, so what fills the disk cannot be taken away: "
            f"{instance.status().reason or instance.status().phase}.",
            f"Bring it to mount its disk and restore it again; the file is {FILE}.",
        )
    subprocess.run(instance.command(["rm", "--force", f"{point}/{FILE}"]), capture_output=True, check=True)


def _number(device: Path) -> str:
    number = device.stat().st_rdev
    return f"{os.major(number)}:{os.minor(number)}"
