"""A lab that follows a simulated cloud: what is on record there exists here.

Owns the order of one round: services learn first (a machine that boots asks them at once), then machines, the operator's
desk, databases and balancers, and tunnels last: machines boot while these come up. A round changes nothing where nothing differs,
and reads records only when they have changed, so that it may run as often as anybody likes.

Dangerous edges:
- The services and the balancers are this process's children and end with it; machines and tunnels go on.
- What the services are told holds every secret in plain. It goes through their pipe and nowhere else.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from sandbox.errors import SandboxError
from sandbox.home import TREE
from sandbox.lab import reading
from sandbox.lab.databases import server as databases
from sandbox.lab.links.layout import behind_switch
from sandbox.lab.links.reading import ends
from sandbox.lab.links.tunnels import Tunnels
from sandbox.lab.machines.desk import Desk
from sandbox.lab.machines.fleet import Fleet
from sandbox.lab.machines.lab import SWITCH, Lab, Surroundings
from sandbox.lab.reading.registered import NotReadError
from sandbox.lab.services import places
from sandbox.lab.services.authority import authority, certificate
from sandbox.lab.services.feed import feed, resources
from sandbox.lab.world import Balancer, World
from sandbox.toolchain import cache

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from types import TracebackType

    from sandbox.cloud.store import Record, Store
    from sandbox.lab.links.ends import End
    from sandbox.lab.links.tunnels import Status
    from sandbox.progress import Board

_BALANCERS = TypeAdapter(tuple[Balancer, ...])
_END_SECONDS = 10.0
_SERVICES = "services"


def lab(name: str, folder: Path) -> Lab:
    """A lab whose machines trust and find its own cloud."""
    services = services_folder(folder)
    services.mkdir(mode=0o700, parents=True, exist_ok=True)
    trusted = certificate(services).decode()
    return Lab(name, folder, Surroundings(places.RESOLVER, places.ADDRESSES, (trusted,)))


def services_folder(folder: Path) -> Path:
    """Where the clouds' interfaces keep what outlives them."""
    return folder / _SERVICES


class Follower:
    """One lab, while this process lives.

    Args:
        plain: tunnels between regions run without IPsec.
    """

    def __init__(self, followed: Lab, store: Store, board: Board, *, plain: bool = False) -> None:
        self._store = store
        self._lab = followed
        self._folder = followed.folder
        self.fleet = Fleet(followed, board)
        self.desk = Desk(followed, self.fleet.network)
        self._plain = plain
        self._authority = authority(services_folder(followed.folder))
        self._tunnels = Tunnels(followed, (), plain=plain)
        self._records: list[Record] = []
        self._declared: tuple[World, tuple[End, ...]] = World(), ()
        self._ends: tuple[End, ...] = ()
        self._told: tuple[list[Record], Collection[str]] | None = None
        self._services: subprocess.Popen[bytes] | None = None
        self._balancing: subprocess.Popen[bytes] | None = None
        self._balancers: tuple[Balancer, ...] = ()

    def __enter__(self) -> Follower:
        self.fleet.ground()
        self._services = self._child(_SERVICES, "sandbox.lab.services", str(services_folder(self._folder)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in (self._services, self._balancing):
            _end(child)

    def round(self, disabled: Collection[str] = frozenset()) -> list[str]:
        """Brings the lab to what is on record; returns what it changed, a line each.

        Args:
            disabled: ids of keys that an operator has disabled, whatever is on record.

        Raises:
            SandboxError: something of it cannot be done; what was done stays.
        """
        records = self._store.everything()
        if records != self._records:
            self._declared = _read(records)
            self._records = records
        world, declared = self._declared
        self._tell(records, disabled)
        changes = self.fleet.apply(world)
        if world.desk and self.desk.make(world.desk):
            changes.append("place the operator's desk")
        changes += databases.apply(self._lab, self.fleet.network.namespaces, world.databases, self._authority)
        changes += self._balance(world.balancers)
        regions = behind_switch(world.networks)
        if regions != self._tunnels.regions:
            self._tunnels = Tunnels(self._lab, regions, plain=self._plain)
        changes += self._tunnels.apply(declared)
        self._ends = declared
        return changes

    def tunnels(self) -> tuple[Status, ...]:
        """How the tunnels stand that the last whole round was about."""
        return self._tunnels.status(self._ends)

    def _tell(self, records: list[Record], disabled: Collection[str]) -> None:
        services = self._services
        if services is None or services.stdin is None or services.stdout is None or services.poll() is not None:
            raise SandboxError("The clouds' services do not run.", "Start the lab again.")
        if self._told == (records, disabled):
            return
        self._told = None
        world = self._declared[0]
        asking = [*world.machines, *([world.desk] if world.desk else [])]
        line = feed(resources(records), asking, disabled, world.databases).dump()
        services.stdin.write(line)
        services.stdin.flush()
        said = services.stdout.readline().decode().strip()
        if said != "ready":
            log = (self._folder / f"{_SERVICES}.log").read_text(encoding="utf-8")[-1000:]
            raise SandboxError(
                f"The clouds' services cannot take what is on record: {said or log}", "Mend what it says."
            )
        self._told = records, disabled

    def _balance(self, balancers: Sequence[Balancer]) -> list[str]:
        if tuple(balancers) == self._balancers and self._balancing and self._balancing.poll() is None:
            return []
        _end(self._balancing)
        self._balancers = tuple(balancers)
        file = self._folder / "balancers.json"
        file.write_bytes(_BALANCERS.dump_json(self._balancers))
        self._balancing = self._child("balancers", "sandbox.lab.balancing", str(file))
        return [f"balance {each.name} of {each.cloud}" for each in balancers]

    def _child(self, name: str, module: str, argument: str) -> subprocess.Popen[bytes]:
        words = ["env", f"PYTHONPATH={TREE}", sys.executable, "-m", module, argument]
        with (self._folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                self.fleet.network.namespaces.command(SWITCH, words),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if name == _SERVICES else log,
                stderr=log,
                # Where tools are cached, and nothing else of this process's surroundings.
                env={name: os.environ[name] for name in ("PATH", *cache.VARIABLES) if name in os.environ},
            )


def _read(records: list[Record]) -> tuple[World, tuple[End, ...]]:
    """What shall exist, and what tunnels there shall be."""
    found = resources(records)
    try:
        return reading.world(found), ends(found)
    except KeyError as error:
        raise SandboxError(
            f"What is on record is not whole: {error} is named and not there.",
            "Wait for the update that makes it; if none runs, see what it left behind.",
        ) from error
    except NotReadError as error:
        raise SandboxError(
            f"The lab cannot build what is on record, so it stays as it is: {error}.",
            "Declare it as the platform's program does, or teach sandbox/lab to read it.",
        ) from error


def _end(child: subprocess.Popen[bytes] | None) -> None:
    if child is None:
        return
    # As a context it closes the pipes and waits for the end.
    with child:
        child.terminate()
        try:
            child.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
