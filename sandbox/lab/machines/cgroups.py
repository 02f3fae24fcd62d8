"""Control groups: one a machine in every hierarchy of the host, whichever version that has.

They are how all processes of a machine are found, also those whose parents are gone, and how they end together.

Dangerous edge: on a host with the first version, a set of processors that was not given any refuses every process, so a
new one gets its parent's.

Source: cgroups(7).
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.lab.machines.processes import until

ROOT = Path("/sys/fs/cgroup")
_GIVEN = ("cpuset.cpus", "cpuset.mems")
_END_SECONDS = 20.0


def hierarchies() -> list[Path]:
    """The host's hierarchies; one where it has the second version only."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    return sorted(
        entry for entry in ROOT.iterdir() if not entry.is_symlink() and (entry / "cgroup.procs").exists()
    ) if ROOT.is_dir() else []  # fmt: skip


def folders(group: str) -> list[Path]:
    """A group's folder in every hierarchy, whether or not it is there."""
    return [hierarchy / group for hierarchy in hierarchies()]


def make(group: str) -> list[Path]:
    """Makes a group, with those above it; returns its folders."""
    for hierarchy in hierarchies():
        folder = hierarchy
        for part in Path(group).parts:
            above, folder = folder, folder / part
            folder.mkdir(exist_ok=True)
            for name in _GIVEN:
                given = folder / name
                if given.exists() and not given.read_text(encoding="ascii").strip():
                    given.write_text((above / name).read_text(encoding="ascii"), encoding="ascii")
    return folders(group)


def processes(group: str) -> set[int]:
    """Ids of all processes in a group and below."""
    found: set[int] = set()
    for folder in folders(group):
        for below, _, _ in os.walk(folder):
            with suppress(OSError):
                found |= {int(pid) for pid in Path(below, "cgroup.procs").read_text(encoding="ascii").split()}
    # A process of a namespace that cannot be seen from here reads as 0.
    return found - {0}


def end(group: str) -> None:
    """Kills every process of a group, also those that they start meanwhile.

    Raises:
        SandboxError: one does not end.
    """

    def none_left() -> bool:
        left = processes(group)
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    if not until(none_left, _END_SECONDS):
        raise SandboxError(
            f"Processes {sorted(processes(group))} of {group} do not end: the kernel waits for something of theirs.",
            "See in what state they are (`ps`); what they hold cannot be removed before.",
        )


def remove(group: str) -> None:
    """Removes a group without processes, and all below it.

    Raises:
        SandboxError: it is in use.
    """

    def gone() -> bool:
        for folder in folders(group):
            for below, _, _ in os.walk(folder, topdown=False):
                with suppress(OSError):
                    Path(below).rmdir()
        return not any(folder.exists() for folder in folders(group))

    if not until(gone, _END_SECONDS):
        raise SandboxError(f"Control group {group} cannot be removed: it is in use.", "End what runs in it.")
