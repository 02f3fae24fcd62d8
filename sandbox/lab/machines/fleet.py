"""All machines of a lab: brought to what the world says, in any state, any number of times.

Owns the order: the switch and its filter before any cable, what is gone before what comes, all machines side by side.
Says what it changed, and changes nothing where nothing differs.

A machine that died or was stopped is not started again: clouds do not, and an operator who killed one wants to see it
dead. One that was never finished is made anew.

Dangerous edge: one converger a lab at a time, held by a lock in its folder.
"""

from __future__ import annotations

import fcntl
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import ip_network
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.lab.machines import disks, limits
from sandbox.lab.machines.base import base, layer
from sandbox.lab.machines.firewall import ruleset
from sandbox.lab.machines.machine import Instance
from sandbox.lab.machines.network import Network
from sandbox.progress import Board

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sandbox.lab.machines.lab import Lab
    from sandbox.lab.machines.machine import Status
    from sandbox.lab.world import Machine, World

_AT_ONCE = 8
_LOCK = "lock"


class Fleet:
    """A lab's machines.

    Args:
        lab: whose.
        board: where the making of the base image is shown.
    """

    def __init__(self, lab: Lab, board: Board | None = None) -> None:
        self.lab = lab
        self.network = Network(lab)
        self._board = board or Board()

    def instance(self, name: str) -> Instance:
        """One machine, to look at, to break and to mend."""
        return Instance(self.lab, self.network, name)

    def statuses(self) -> list[Status]:
        """All machines of the lab as they are, by name."""
        return [self.instance(name).status() for name in self._names()]

    def apply(self, world: World) -> list[str]:
        """Brings the lab to the world; returns what it changed, a line each.

        Raises:
            SandboxError: something of it cannot be done; what was done stays, and the next call goes on from there.
        """
        _distinct(world.machines)
        with self.locked():
            changes = self._ground()
            image = base(self._board)
            prepared = [self.lab.prepared.resolve()] if self.lab.prepared.exists() else []
            layers = (layer(self.lab, image), *prepared, image)
            self.network.hold(self.held(world))
            if self.network.load(ruleset(world, self.lab.surroundings.reachable)):
                changes.append("load the packet filter")
            wanted = {machine.name: machine for machine in world.machines}
            changes += self._remove(name for name in self._names() if not self._stays(name, wanted.get(name)))
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                for done in pool.map(lambda machine: self._bring(machine, layers), world.machines):
                    changes += done
            self._release_disks(world)
        return changes

    def ground(self) -> list[str]:
        """Makes what services stand on before there is any machine; machines that are there stay. Returns what it changed."""
        with self.locked():
            changes = self._ground()
            self.network.hold(self.lab.surroundings.reachable)
        return changes

    def _ground(self) -> list[str]:
        changes = ["register the lab"] if limits.enter(self.lab) else []
        if self.network.raise_switch():
            changes.append("raise the switch")
        return changes

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps others from changing the lab meanwhile. Its folder holds user data and disks: nobody else reads it."""
        self.lab.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.lab.folder / _LOCK).open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _names(self) -> list[str]:
        folder = self.lab.machines
        return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []

    def held(self, world: World) -> tuple[str, ...]:
        """Addresses that the switch itself has: services, routers, fronts of balancers, databases."""
        routers = {str(ip_network(machine.subnet)[1]) for machine in world.machines}
        fronts = {address for balancer in world.balancers for address in balancer.addresses}
        databases = {database.address for database in world.databases}
        return tuple(sorted({*self.lab.surroundings.reachable, *routers, *fronts, *databases}))

    def _stays(self, name: str, wanted: Machine | None) -> bool:
        """Whether a machine is the instance that is wanted, in its place in the network."""
        there = self.instance(name).wanted()
        if there is None or wanted is None:
            return False
        return (there.id, there.address, there.subnet) == (wanted.id, wanted.address, wanted.subnet)

    def _remove(self, names: Iterable[str]) -> list[str]:
        names = list(names)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda name: self.instance(name).purge(), names))
        return [f"remove machine {name}" for name in names]

    def _bring(self, machine: Machine, layers: tuple[Path, ...]) -> list[str]:
        instance = self.instance(machine.name)
        if not instance.finished:
            instance.purge()
            instance.make(machine, layers)
            instance.start()
            return [f"make machine {machine.name}"]
        return [f"change the disks of {machine.name}"] if instance.update(machine) else []

    def _release_disks(self, world: World) -> None:
        """Takes devices away that no machine has; their content stays until the cloud deletes the disk."""
        used = {str(disks.image(self.lab, disk.id)) for machine in world.machines for disk in machine.disks}
        for device, back in disks.all_devices().items():
            if back.startswith(f"{self.lab.disks}/") and back not in used:
                disks.release(device)


def _distinct(machines: Iterable[Machine]) -> None:
    seen: dict[str, str] = {}
    for machine in machines:
        for fact in (machine.name, machine.address):
            if other := seen.get(fact):
                raise SandboxError(
                    f"{machine.id} and {other} are both {fact}: a machine's name and address are its own in a lab.",
                    "Give one of them another.",
                )
            seen[fact] = machine.id
