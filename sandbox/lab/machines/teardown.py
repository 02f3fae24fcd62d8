"""The end of a lab: nothing of it is left on the machine, whatever state it was in and whoever made it.

Owns the order: processes first, because they hold everything else, and tunnels with theirs before the switch that they
lead to; then mounts, cables, devices, control groups, files, and at last the limits that the lab raised. Works from what is found on the machine and not from what was written down:
the process that made the lab may have been killed at any moment.

Dangerous edge: `remove` destroys the disks too, with all that they hold.
"""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from components.plan.spec import CLOUDS
from sandbox.errors import SandboxError
from sandbox.lab.links.layout import behind_switch
from sandbox.lab.links.tunnels import Tunnels
from sandbox.lab.machines import cgroups, disks, footprint, limits
from sandbox.lab.machines.fleet import Fleet
from sandbox.lab.machines.root import LOCKS, NSPAWN, PROPAGATED
from sandbox.lab.world import Network

if TYPE_CHECKING:
    from sandbox.lab.machines.lab import Lab

_AT_ONCE = 8


def remove(lab: Lab) -> None:
    """Removes a lab with everything of it; nothing happens where there is none.

    Raises:
        SandboxError: something could not be removed; the message names it.
    """
    fleet = Fleet(lab)
    with fleet.locked():
        cgroups.end(lab.group)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda status: fleet.instance(status.name).purge(), fleet.statuses()))
        # Whatever ranges the regions had: what their gateways made is found by its name.
        Tunnels(lab, behind_switch(Network(cloud, "") for cloud in CLOUDS)).remove()
        _unmount(lab)
        fleet.network.remove()
        disks.detach_all(lab)
        cgroups.remove(lab.group)
        # The folders of containers, and those around them if they are nobody's now.
        for folder in [*PROPAGATED.glob(f"{lab.container('')}*"), PROPAGATED, LOCKS, NSPAWN]:
            with suppress(OSError):
                folder.rmdir()
        limits.leave(lab)
        shutil.rmtree(lab.folder, ignore_errors=True)
    if left := footprint.of(lab):
        raise SandboxError(
            f"Lab {lab.name} is not gone: {'; '.join(left)}",
            "Another process may be making it anew: end that one, and remove the lab again.",
        )


def _unmount(lab: Lab) -> None:
    """Unmounts whatever lies below the lab's folder, the innermost first."""
    rows = [line.split() for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()]
    for point in sorted((row[4] for row in rows if row[4].startswith(f"{lab.folder}/")), reverse=True):
        if subprocess.run(["umount", point], capture_output=True, check=False).returncode:
            subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)
