"""Machines for tests: small user data that do what a test wants to see, and labs that end with their test."""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from components.plan.spec import Cloud
from sandbox.errors import SandboxError
from sandbox.lab.machines import limits, teardown
from sandbox.lab.machines.fleet import Fleet
from sandbox.lab.machines.lab import Lab, Surroundings
from sandbox.lab.world import Disk, Machine, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PATIENCE = 180.0
"""Far beyond what anything here takes, for a busy machine."""
BOOT = Path(__file__).parents[3] / "components/templates/boot"
SUBNETS: dict[Cloud, str] = {"aws": "10.1.1.0/24", "azure": "10.2.1.0/24", "gcp": "10.3.1.0/24"}
_COUNTER = iter(range(100))


def user_data(files: Mapping[str, str], *commands: list[str]) -> bytes:
    """A cloud-config of scripts and the commands that run at the end of the boot."""
    document = {
        "write_files": [{"path": path, "permissions": "0755", "content": text} for path, text in files.items()],
        "runcmd": list(commands),
    }
    return b"#cloud-config\n" + yaml.safe_dump(document).encode()


def machine(
    name: str, data: bytes, *, cloud: Cloud = "aws", host: int, instance: str = "", disks: tuple[Disk, ...] = ()
) -> Machine:
    """A machine of a test; its subnet is its cloud's only one."""
    subnet = SUBNETS[cloud]
    address = subnet.replace("0/24", str(host))
    return Machine(instance or f"i-{name}", name, cloud, "here", "a", address, subnet, data, disks=disks)


def lab_name() -> str:
    """One that tells whose test it is, for whoever finds its remains."""
    return f"t{os.getpid()}x{next(_COUNTER)}"


@contextmanager
def fleet(folder: Path, surroundings: Surroundings | None = None) -> Iterator[Fleet]:
    """A lab that is gone afterwards; first those are that killed test runs left behind."""
    sweep()
    lab = Lab(lab_name(), folder, surroundings or Surroundings())
    try:
        yield Fleet(lab)
    finally:
        teardown.remove(lab)


def sweep() -> None:
    """Removes labs of test runs that are no longer alive."""
    for name in limits.labs():
        owner = re.fullmatch(r"t(\d+)x\d+", name)
        place = limits.registered(name)
        if owner and place and not Path("/proc", owner[1]).exists():
            with suppress(SandboxError):
                teardown.remove(Lab(name, place))


def until(holds: Callable[[], object], why: Callable[[], object] = lambda: "") -> None:
    """Waits for something, and says what is there instead when it does not come."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, why()
        time.sleep(0.05)


def booted(fleet: Fleet, *names: str) -> None:
    """Waits until machines are ready, and fails with the reason of one that will not be."""

    def settled() -> bool:
        return all(fleet.instance(name).status().phase != "booting" for name in names)

    until(settled, fleet.statuses)
    statuses = [fleet.instance(name).status() for name in names]
    assert [status.phase for status in statuses] == ["ready"] * len(names), statuses


def world(*machines: Machine, **more: object) -> World:
    """A world of machines, and what else a test needs in it."""
    return World(machines, **{"rules": (), **more})
