"""Which labs there are, where each lies, and their end.

Owns the way from a lab's name to its folder: the register of this machine knows the labs that run, of whatever tree;
one that nobody registered lies, if anywhere, below this tree's sandbox.

Dangerous edge: `destroy` removes a folder with all that it holds. It takes only what is laid out as a lab of that name,
and what another lab has is never in it.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox import service
from sandbox.errors import SandboxError
from sandbox.lab import daemon
from sandbox.lab.breaking import looking
from sandbox.lab.breaking.breaker import Breaker
from sandbox.lab.machines import footprint, limits, teardown
from sandbox.lab.machines.lab import Lab
from sandbox.lab.place import Place

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Found:
    """A lab of this machine.

    Attributes:
        ready: how many of its machines are.
        memory: bytes that its machines' processes have for themselves.
        followed: whether a process keeps it like its cloud.
    """

    name: str
    folder: Path
    machines: int
    ready: int
    memory: int
    followed: bool


def place(name: str) -> Place:
    """Where a lab lies, whether or not anything is there.

    Raises:
        SandboxError: it cannot be a lab's name, or the lab that has it is not laid out as one of a sandbox.
    """
    Lab(name, Place().above)
    registered = limits.registered(name)
    if registered is None:
        return Place(name)
    found = Place(name, registered.parent.parent)
    if found.lab != registered:
        raise SandboxError(
            f"The lab {name} of this machine lies in {registered}, which is no sandbox's folder for it: what is around "
            "it is unknown and would be taken for its own.",
            "Ask whoever made it; a test's own is swept by the next run of that test.",
        )
    return found


def every() -> list[Found]:
    """All labs of this machine, and those of this tree that a restart of the machine has ended."""
    above = Place().above
    here = {entry.name for entry in above.iterdir() if (entry / "lab").is_dir()} if above.is_dir() else set[str]()
    return [_found(name) for name in sorted({*limits.labs(), *here})]


def destroy(where: Place) -> list[str]:
    """Ends a lab whatever state it is in, and removes its folder; nothing happens where there is none.

    Returns:
        What was ended, a line each.

    Raises:
        SandboxError: something could not be removed; the next call goes on from there.
    """
    done: list[str] = []
    lab = Lab(where.name, where.lab)
    # First: it would make anew what is removed.
    if daemon.stop(where):
        done.append("the follower stopped")
    if where.cloud.is_dir() and service.stop(where.cloud):
        done.append("the simulated cloud stopped")
    if where.lab.exists() or footprint.of(lab):
        machines = len(list(lab.machines.iterdir())) if lab.machines.is_dir() else 0
        teardown.remove(lab)
        done.append(f"{machines} machines removed")
    if where.root.exists():
        shutil.rmtree(where.root)
        done.append(f"{where.root} removed")
    return done


def _found(name: str) -> Found:
    folder = limits.registered(name) or Place(name).lab
    try:
        where = place(name)
        view = looking.look(Breaker(where))
    except SandboxError:
        # It is being made or unmade, or lies where no sandbox has its labs.
        return Found(name, folder, 0, 0, 0, followed=False)
    ready = sum(row.phase == "ready" for row in view.machines)
    return Found(name, where.root, len(view.machines), ready, sum(row.memory for row in view.machines), view.followed)
