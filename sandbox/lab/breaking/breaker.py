"""The breaks themselves: each is written down, then made; every one of them says what it broke.

Owns the order of a break and nothing of how it is done. Only machines, processes, disks, packets and keys of one lab are
touched, and what the cloud has on record never changes: the follower sees no reason to mend anything.

Dangerous edge: one break or repair a lab at a time, held by a lock of its own. The fleet's lock is held only while
machines are killed or started, or the follower would wait for a disk to be filled.
"""

from __future__ import annotations

import fcntl
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from sandbox.errors import SandboxError
from sandbox.lab.breaking import apart, clock, cloud, filling, record
from sandbox.lab.breaking.choosing import Choice, chosen
from sandbox.lab.breaking.record import Fill, Skew
from sandbox.lab.links.tunnels import Tunnels
from sandbox.lab.machines import limits
from sandbox.lab.machines.fleet import Fleet
from sandbox.lab.machines.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from sandbox.lab.breaking.cloud import Pair
    from sandbox.lab.breaking.record import Broken
    from sandbox.lab.machines.machine import Instance
    from sandbox.lab.place import Place
    from sandbox.lab.world import Machine

Signal = Literal["KILL", "TERM"]
_AT_ONCE = 8
_LOCK = "breaking.lock"


class Breaker:
    """A lab that exists, to be broken.

    Raises:
        SandboxError: there is none of that name.
    """

    def __init__(self, place: Place) -> None:
        if not place.lab.is_dir():
            raise SandboxError(
                f"There is no lab {place.name!r} in {place.root}.",
                f"This machine has {', '.join(limits.labs()) or 'none'}; `make lab` makes one.",
            )
        self.place = place
        self.lab = Lab(place.name, place.lab)
        self.fleet = Fleet(self.lab)
        self.tunnels = Tunnels(self.lab, ())

    def machines(self) -> dict[str, Machine]:
        """The lab's machines as they were made, by name."""
        wanted = (self.fleet.instance(status.name).wanted() for status in self.fleet.statuses())
        return {machine.name: machine for machine in wanted if machine}

    def broken(self) -> Broken:
        """What is broken on purpose now."""
        return record.read(self.lab.folder)

    def kill(self, choice: Choice, signal: Signal) -> list[str]:
        """Ends machines: by KILL as if their power failed, by TERM as if they were shut down. They stay so.

        Where a region as a whole is meant, its tunnels are cut too: its gateways are gone with it.
        """
        with self.held():
            names = [machine.name for machine in chosen(self.machines().values(), choice, self.lab.name)]
            whole = bool(choice.region) and not any((choice.names, choice.role, choice.zone))
            lost = {machine.cloud for name, machine in self.machines().items() if whole and name in names}
            # First: a region whose tunnels cannot be cut would be lost by half.
            cut = self._cut({pair for each in lost for pair in self._joined(each)})
            ended: Callable[[Instance], object] = _kill if signal == "KILL" else _stop
            with self.fleet.locked():
                self._each(names, ended)
            return [*cut, *(f"{name} {'killed' if signal == 'KILL' else 'shut down'}" for name in names)]

    def kill_unit(self, choice: Choice, unit: str, signal: Signal) -> list[str]:
        """Ends the main process of a unit; what the machine's own init does then is its business.

        Raises:
            SandboxError: a machine does not run, or the unit does not run on it; the others were signalled.
        """
        with self.held():
            names = [machine.name for machine in chosen(self.machines().values(), choice, self.lab.name)]
            said = [self._signalled(name, unit, signal) for name in names]
        if refused := [why for why in said if why]:
            raise SandboxError(
                f"{len(names) - len(refused)} of {len(names)} were signalled; not {'; '.join(refused)}.",
                "Name a unit that runs there; `lab ssh MACHINE -- systemctl list-units` shows them.",
            )
        return [f"{unit} of {name} got SIG{signal}" for name in names]

    def partition(self, choice: Choice) -> list[str]:
        """Lets nothing pass to or from machines; those of one zone still reach each other, named ones are each alone."""
        with self.held():
            names = [machine.name for machine in chosen(self.machines().values(), choice, self.lab.name)]
            groups = [(name,) for name in names] if choice.names else [tuple(names)]
            broken = self.broken()
            for group in groups:
                broken = broken.with_group(group)
            self.note(broken)
            self.set_apart(broken)
            return [f"nothing passes to or from {', '.join(group)}" for group in groups]

    def cut(self, pairs: Collection[Pair]) -> list[str]:
        """Cuts every tunnel of pairs of regions."""
        with self.held():
            return self._cut(pairs)

    def cut_region(self, word: str) -> list[str]:
        """Cuts a region off from all others; inside it everything goes on.

        Raises:
            SandboxError: no tunnel leads there.
        """
        with self.held():
            region = self._cloud_of(word)
            pairs = self._joined(region)
            if not pairs:
                raise SandboxError(
                    f"No tunnel leads to {word}, so there is nothing to cut it off from.", "`lab status` shows tunnels."
                )
            return self._cut(pairs)

    def fill(self, name: str, path: str, leave: int) -> list[str]:
        """Fills a data disk but for some bytes.

        Args:
            name: the machine's.
            path: where the disk is mounted, or anywhere below; empty for the only one.
            leave: bytes that stay free.
        """
        with self.held():
            instance = self._named(name)
            mount = filling.meant(filling.mounts(self.lab, instance), path, name)
            self.note(self.broken().with_fill(Fill(name, mount.point)))
            filling.fill(instance, mount.point, leave)
            return [f"disk at {mount.point} of {name} filled, {leave} bytes left of {mount.most}"]

    def skew(self, name: str, unit: str, seconds: int) -> list[str]:
        """Shifts the clock that running processes of a machine see.

        Raises:
            SandboxError: none runs, or this machine cannot do it.
        """
        with self.held():
            instance = self._named(name)
            pids = instance.processes(unit)
            if not pids:
                raise SandboxError(
                    f"No process of {unit or name} runs{f' on {name}' if unit else ''}: nobody would see another time.",
                    "`lab status` shows what runs; a unit is named as systemd does, `consul.service`.",
                )
            skew = Skew(name, unit, seconds)
            self.note(self.broken().with_skew(skew))
            done = shift(pids, seconds)
            return [f"{skew if seconds else f'clock of {unit or name} is true again'}: {done} processes of {name}"]

    def key(self, word: str, *, disabled: bool) -> list[str]:
        """Disables a key of a cloud's key service, or enables it again; the follower takes it up in its next round."""
        with self.held():
            ids = [key.id for key in cloud.keys(cloud.records(self.place.cloud), word)]
            broken = self.broken().with_keys(ids, disabled=disabled)
            self.note(broken)
            self.disable(broken)
            return [f"{id_} {'disabled' if disabled else 'enabled'}" for id_ in ids]

    # What repairs need too

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps others from breaking or mending the lab meanwhile."""
        with (self.lab.folder / _LOCK).open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def note(self, broken: Broken) -> None:
        """Writes down what is broken."""
        record.write(self.lab.folder, broken)

    def set_apart(self, broken: Broken) -> None:
        """Gives the switch the groups that are set apart."""
        there = self.machines()
        groups = [[there[name].address for name in group if name in there] for group in broken.apart]
        apart.set_apart(self.fleet.network.namespaces, [group for group in groups if group])

    def disable(self, broken: Broken) -> None:
        """Tells the follower which keys are disabled."""
        scratch = self.place.disabled_keys.with_suffix(".part")
        scratch.write_text(json.dumps(broken.keys), encoding="utf-8")
        scratch.replace(self.place.disabled_keys)

    # How

    def _cut(self, pairs: Collection[Pair]) -> list[str]:
        if not pairs:
            return []
        found = cloud.between(cloud.records(self.place.cloud), pairs)
        if not found:
            raise SandboxError(
                f"No tunnel leads from {' or from '.join(f'{one} to {other}' for one, other in sorted(pairs))}.",
                "`lab status` shows the tunnels; the mesh needs both regions up.",
            )
        self.note(self.broken().with_cuts(pairs))
        for link in found:
            self.tunnels.cut(link)
        return [f"{len(found)} tunnels cut: {', '.join(f'{one} to {other}' for one, other in sorted(pairs))}"]

    def _joined(self, region: str) -> set[Pair]:
        # A lab without a cloud of its own has machines and no tunnels.
        return (
            cloud.pairs_of(cloud.records(self.place.cloud), cloud.region(region))
            if self.place.cloud.is_dir()
            else set()
        )

    def _cloud_of(self, word: str) -> str:
        """The cloud of a region, which may be named as the cloud names it."""
        return next((machine.cloud for machine in self.machines().values() if machine.region == word), word)

    def _named(self, name: str) -> Instance:
        chosen(self.machines().values(), Choice((name,)), self.lab.name)
        return self.fleet.instance(name)

    def _signalled(self, name: str, unit: str, signal: Signal) -> str:
        """Signals a unit's main process; says why not, if it could not."""
        instance = self.fleet.instance(name)
        if instance.leader() is None:
            return f"{name}, which does not run"
        command = instance.command(["systemctl", "kill", "--kill-whom=main", f"--signal={signal}", "--", unit])
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return f"{name}: {done.stderr.strip()}" if done.returncode else ""

    def _each(self, names: Iterable[str], act: Callable[[Instance], object]) -> None:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda name: act(self.fleet.instance(name)), names))


def shift(pids: Iterable[int], seconds: int) -> int:
    """Shifts the clocks of processes; says how many there were, without those that ended meanwhile."""
    done = 0
    for pid in sorted(pids):
        try:
            clock.shift(pid, seconds)
        except ProcessLookupError:
            continue
        done += 1
    return done


def _kill(instance: Instance) -> None:
    instance.kill()


def _stop(instance: Instance) -> None:
    instance.stop()
