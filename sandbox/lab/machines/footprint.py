"""What a lab has on the machine, and what the machine looked like before: to see that nothing is left behind.

Owns the looking. Everything that a lab can leave has a kind here; what this cannot see, nobody will miss.

Dangerous edge: others work on the same machine, and what they make meanwhile is not a lab's leftover. What carries
another lab's or another run's name is left out; compare until only what stays is left.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.lab.machines import cgroups, disks, limits
from sandbox.lab.machines.root import NSPAWN
from sandbox.mesh.namespaces import FOLDER, Namespaces

if TYPE_CHECKING:
    from sandbox.lab.machines.lab import Lab

_LAB = re.compile(r"lab-([a-z0-9]+)\b")
_MESH = re.compile(r"\bmesh[a-z]*\d+-")


@dataclass(frozen=True)
class Footprint:
    """A machine at one moment: names of what it has, by kind."""

    kinds: Mapping[str, frozenset[str]]

    @classmethod
    def take(cls) -> Footprint:
        """How this machine looks now."""
        return cls(
            {
                "namespaces": _listed(FOLDER),
                "mounts": _mounts(),
                "devices": frozenset(f"{device} of {back}" for device, back in disks.all_devices().items()),
                "control groups": _groups(),
                "containers": _below(NSPAWN),
                "labs": frozenset(limits.labs()),
                "limits": frozenset(f"{limit} = {limits.value(limit)}" for limit in limits.RAISED),
                "links": _listed(Path("/sys/class/net")),
            }
        )

    def since(self, before: Footprint, lab: Lab) -> list[str]:
        """What is here that was not, without what other labs and meshes have made meanwhile."""
        return [
            f"{kind}: {name}"
            for kind, names in sorted(self.kinds.items())
            for name in sorted(names - before.kinds[kind])
            if not _of_others(name, lab)
        ]


def of(lab: Lab) -> list[str]:
    """All that this lab has on the machine outside its folder, and every process of its machines and in its network."""
    whole = Footprint.take()
    own = [
        f"{kind}: {name}"
        for kind, names in sorted(whole.kinds.items())
        for name in sorted(names)
        if _names(name, lab) or (kind == "labs" and name == lab.name)
    ]
    running = {*cgroups.processes(lab.group), *_networked(lab)}
    return own + [f"process: {pid}" for pid in sorted(running)]


def _networked(lab: Lab) -> set[int]:
    """Processes in the lab's network, such as the daemons of tunnels."""
    spaces = Namespaces(lab.stem, lasting=True)
    asked = [["ip", "netns", "pids", spaces.full(name)] for name in spaces.standing()]
    said = (subprocess.run(command, capture_output=True, text=True, check=False).stdout for command in asked)
    return {int(pid) for line in said for pid in line.split()}


def _names(name: str, lab: Lab) -> bool:
    return lab.name in _LAB.findall(name) or f"{lab.folder}/" in name


def _of_others(name: str, lab: Lab) -> bool:
    found = _LAB.findall(name)
    return (bool(found) and lab.name not in found) or _MESH.search(name) is not None


def _listed(folder: Path) -> frozenset[str]:
    return frozenset(entry.name for entry in folder.iterdir()) if folder.is_dir() else frozenset()


def _below(folder: Path) -> frozenset[str]:
    return frozenset(str(entry) for entry in [folder, *folder.rglob("*")] if entry.exists())


def _mounts() -> frozenset[str]:
    rows = [line.split() for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()]
    # The folder of namespaces becomes a mount of its own with the first namespace ever made, and stays one.
    return frozenset(row[4] for row in rows if row[4] != str(FOLDER))


def _groups() -> frozenset[str]:
    return frozenset(below for hierarchy in cgroups.hierarchies() for below, _, _ in os.walk(hierarchy))
