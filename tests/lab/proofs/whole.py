"""Whole labs for proofs: made from nothing as `make lab` makes them, looked at, and gone afterwards.

Owns the way from a wish to a lab and what a proof asks of it. Builds nothing by itself: what is proven is what a person
gets. A lab has a folder of its own, so that several runs, and a person's labs, stand beside it.
"""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

import config
from components.plan import addressing
from components.plan.spec import SERVER_ROLE
from config.files import settings
from sandbox.errors import SandboxError
from sandbox.home import TREE
from sandbox.lab import operator
from sandbox.lab.breaking import labs
from sandbox.lab.breaking.breaker import Breaker
from sandbox.lab.links import needs as links_needs
from sandbox.lab.machines import limits, needs
from sandbox.lab.machines.footprint import Footprint
from sandbox.lab.machines.root import LOCKS
from sandbox.lab.place import Place
from sandbox.lab.up import Made, up
from sandbox.progress import Board
from tests.lab.machines.rig import lab_name
from tests.lab.machines.rig import sweep as sweep_machines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from components.plan.spec import Cloud, Role, Stack
    from sandbox.lab.machines.fleet import Fleet
    from sandbox.lab.machines.machine import Status
    from sandbox.lab.operator import Operator
    from sandbox.lab.place import Wish

_WIDTH = 120


def lacking(wish: Wish) -> str:
    """What this machine lacks for such a lab; empty if nothing."""
    return needs.missing() or links_needs.missing(plain=wish.links == "plain")


@dataclass(frozen=True)
class Whole:
    """A lab.

    Attributes:
        wish: what it was made with.
        made: what its making came to.
        before: how the machine looked that it stands on.
    """

    place: Place
    wish: Wish
    made: Made
    before: Footprint

    @property
    def fleet(self) -> Fleet:
        return self.breaker.fleet

    @cached_property
    def breaker(self) -> Breaker:
        return Breaker(self.place)

    def changes_nothing(self) -> None:
        """The same command once more finds all as it should be, and leaves every machine as it is."""
        before = self.statuses()
        again = up(self.place, self.wish, Board())
        assert again.healthy, again.health
        assert not again.changed
        assert self.statuses() == before, "a machine was made anew"

    def statuses(self) -> list[Status]:
        return self.fleet.statuses()

    def plan(self, cloud: Cloud) -> Stack:
        """A region's plan, read from the lab's own stack file."""
        return config.parse(settings(TREE, self.place.stack_files / f"Pulumi.{cloud}.yaml"), stack=cloud)

    def members(self) -> dict[tuple[Cloud, Role], list[Status]]:
        """The machines of each region and role, in the order of their names."""
        found: dict[tuple[Cloud, Role], list[Status]] = {}
        planned: dict[str, tuple[Cloud, Role]] = {
            server.address: (cloud, SERVER_ROLE[server.product])
            for cloud in self.wish.regions
            for server in addressing.all_servers(self.plan(cloud).platform, cloud)
        }
        for status in self.statuses():
            machine = self.fleet.instance(status.name).wanted()
            assert machine
            # Everything that has no planned address belongs to a group, and clients are the only one.
            found.setdefault(planned.get(status.address, (machine.cloud, "nomad-client")), []).append(status)
        return found

    @cached_property
    def operator(self) -> Operator:
        """Whoever works at the lab's desk, with all that he has to know."""
        return operator.of(self.place, Board())

    def verdicts(self) -> list[tuple[str, ...]]:
        """What the morning check says: (subject, check, server, verdict), in its own order."""
        document: dict[str, Any] = self.operator.health("--json").document
        return [
            (subject["name"], row["check"], row["server"], row["verdict"])
            for subject in document["subjects"]
            for row in subject["outcomes"]
        ]

    def kept_user_data(self, name: str) -> bytes:
        """What a machine's own init system has kept of its first boot."""
        (kept,) = self.fleet.instance(name).root.files.glob("var/lib/cloud/instances/*/user-data.txt")
        return kept.read_bytes()

    def run(self, name: str, *command: str) -> str:
        """What a command says inside a machine, which must succeed."""
        words = self.fleet.instance(name).command(command)
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{name}: {done.stderr}"
        return done.stdout


@contextmanager
def whole(folder: Path, wish: Wish) -> Iterator[Whole]:
    """A lab from nothing, gone afterwards; first those go that killed test runs left behind."""
    sweep()
    before = Footprint.take()
    place = Place(lab_name(), folder)
    try:
        yield Whole(place, wish, up(place, wish, Board()), before)
    finally:
        labs.destroy(place)


def sweep() -> None:
    """Removes labs of test runs that are no longer alive: whole ones first, whose follower would make machines anew."""
    for name in limits.labs():
        owner = re.fullmatch(r"t(\d+)x\d+", name)
        if owner and not Path("/proc", owner[1]).exists():
            # One that is laid out otherwise has no follower.
            with suppress(SandboxError):
                labs.destroy(labs.place(name))
    sweep_machines()


def told(lab: Whole) -> Sequence[str]:
    """Where the time and the memory of its making went, a line each, with the regions in front."""
    console = Console(width=_WIDTH)
    with console.capture() as shown:
        console.print(lab.made.phases)
    regions = ", ".join(lab.wish.regions)
    return [f"lab of {regions}: {line.strip()}" for line in shown.get().splitlines() if re.search(r"\d", line)]


def processes(place: Place) -> list[str]:
    """Command lines that name a lab's folder, whoever runs them."""
    found: list[str] = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(place.root) in line or f"{place.above} {place.name}" in line:
                found.append(line)
    return found


def containers_of_others(place: Place) -> set[str]:
    """What a footprint calls the locks of other labs' machines: their names are the numbers of a root, and no lab's."""
    found: set[str] = set()
    for name in limits.labs():
        folder = limits.registered(name)
        for root in folder.glob("machines/*/root") if folder and name != place.name else ():
            with suppress(OSError):
                facts = root.stat()
                found.add(f"containers: {LOCKS}/inode-{facts.st_dev}:{facts.st_ino}")
    return found
