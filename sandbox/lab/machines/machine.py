"""One machine: an instance's own user data, run by a real init in a root, a network and control groups of its own.

Owns its life: made, started, stopped, killed, started again with the same root, purged. Its state is in files below the
lab's folder (`Machine` as it is wanted, the process with its start time, the last start), so that any process can find,
signal and purge it. Does not own its root, its disks or its cable: it asks for them.

The user data come in a file; the machine's identity comes from the metadata service, by its address.

Dangerous edges:
- A machine has the host's kernel and is no prison: it may administer its own network and mounts. It may not make device
  nodes, so it has no disk but its own.
- A kill ends processes. What they wrote and did not sync is still with the kernel, and so is on the disk afterwards.

Source: systemd-nspawn(1).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.lab.machines import boot, cgroups, disks
from sandbox.lab.machines.boot import Boot, Phase
from sandbox.lab.machines.lab import namespace
from sandbox.lab.machines.processes import Process, launch, started
from sandbox.lab.machines.root import PROPAGATED, Root
from sandbox.lab.world import Disk, Machine
from sandbox.mesh.namespaces import FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.lab.machines.lab import Lab
    from sandbox.lab.machines.network import Network

STOP_SECONDS = 90.0
_END_SECONDS = 10.0
_HOT_SWAP = Path(__file__).parent / "hotswap.sh"
# What Vault (locked memory) and Nomad (networks of tasks, sandboxes of tasks) use of a cloud's machine, and a container
# does not have of itself.
_RIGHTS = (
    "--capability=CAP_IPC_LOCK,CAP_NET_ADMIN",
    "--drop-capability=CAP_MKNOD",
    "--system-call-filter=@keyring @memlock landlock_create_ruleset landlock_add_rule landlock_restrict_self",
)


@dataclass(frozen=True)
class Status:
    """A machine as it is.

    Attributes:
        id: the instance; empty if there is none of that name.
        reason: why it is not ready, where that is known.
        pid: of the process whose end is the machine's; 0 if none runs.
    """

    name: str
    phase: Phase
    id: str = ""
    address: str = ""
    reason: str = ""
    pid: int = 0


class Instance:
    """A machine by its name, whether or not it exists."""

    def __init__(self, lab: Lab, network: Network, name: str) -> None:
        self.name = name
        self._lab = lab
        self._network = network
        self.folder = lab.place(name)
        self.root = Root(self.folder, lab.container(name))
        self.console = self.folder / "console.log"
        self._wanted = self.folder / "machine.json"
        self._user_data = self.folder / "user-data"
        self._identity = self.folder / "process"
        self._boot = self.folder / "boot.json"
        self._stopped = self.folder / "stopped"
        self._finished = self.folder / "finished"
        self._group = f"{lab.group}/{name}"

    # What it is

    def wanted(self) -> Machine | None:
        """The machine as it was made, whole; None if it is not there or was never finished."""
        try:
            found = json.loads(self._wanted.read_text(encoding="utf-8"))
            found["user_data"] = self._user_data.read_bytes()
        except (FileNotFoundError, ValueError):
            return None
        found["disks"] = tuple(Disk(**{**disk, "paths": tuple(disk["paths"])}) for disk in found["disks"])
        return Machine(**found)

    @property
    def finished(self) -> bool:
        """Whether it was made and once started; its maker may have ended before."""
        return self.wanted() is not None and self._finished.exists()

    def status(self) -> Status:
        """What it does now, and why it failed if it did."""
        machine = self.wanted()
        if machine is None:
            return Status(self.name, "absent")
        process, begun = Process.read(self._identity), self._begun()
        if process is None or begun is None or not process.lives:
            if self._stopped.exists():
                return Status(self.name, "stopped", machine.id, machine.address)
            return Status(self.name, "dead", machine.id, machine.address, self._cause(begun))
        verdict = boot.judge(begun, self.root.files, self.console)
        return Status(self.name, verdict.phase, machine.id, machine.address, verdict.reason, process.pid)

    def _cause(self, begun: Boot | None) -> str:
        if begun is None:
            return "it was never started"
        verdict = boot.judge(begun, self.root.files, self.console)
        return (
            verdict.reason
            or f"it ended by itself or was killed; its last words: {boot.last_words(begun, self.console)}"
        )

    def _begun(self) -> Boot | None:
        try:
            return Boot(**json.loads(self._boot.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def leader(self) -> Process | None:
        """The machine's own first process, in whose namespaces everything inside happens; None if it does not run."""
        process = Process.read(self._identity)
        if process is None or not process.lives:
            return None
        for pid in sorted(cgroups.processes(self._group)):
            with suppress(OSError, StopIteration):
                lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
                ids = next(line for line in lines if line.startswith("NSpid:")).split()[1:]
                since = started(pid)
                if len(ids) == 2 and ids[1] == "1" and since:
                    return Process(pid, since)
        return None

    def processes(self, unit: str = "") -> set[int]:
        """Ids, as the host counts, of all processes inside, or of those of one unit, such as `consul.service`."""
        leader = self.leader()
        if leader is None:
            return set()
        inside = _namespace_of(leader.pid)
        found = {pid for pid in cgroups.processes(self._group) if _namespace_of(pid) == inside}
        return {pid for pid in found if not unit or unit in _groups_of(pid)}

    def command(self, command: Sequence[str]) -> list[str]:
        """The command as it runs inside, with the host's privileges: it proves nothing of what a machine may do.

        Raises:
            SandboxError: the machine does not run.
        """
        leader = self.leader()
        if leader is None:
            raise SandboxError(f"{self.name} does not run: {self.status().phase}.", "Start it first.")
        return ["nsenter", "--target", str(leader.pid), "--mount", "--uts", "--ipc", "--net", "--pid", *command]

    # What is done to it

    def make(self, machine: Machine, layers: tuple[Path, ...]) -> None:
        """Makes all of a machine that is not there, short of starting it.

        Args:
            machine: as the cloud has it.
            layers: what its root is made of, the upper ones first.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._user_data.touch(0o600)
        self._user_data.write_bytes(machine.user_data)
        self.root.lay(machine, layers)
        self._network.plug(machine)
        # Last: without this file there is no machine.
        self._note(machine)

    def start(self) -> None:
        """Starts it, with its root and disks as they are; nothing happens if it runs.

        Raises:
            SandboxError: there is none, or it does not start.
        """
        machine = self.wanted()
        if machine is None:
            raise SandboxError(f"There is no machine {self.name} in lab {self._lab.name}.", "See `lab status`.")
        process = Process.read(self._identity)
        if process and process.lives:
            return
        self._release()
        self.root.mount()
        flags = [flag for disk in machine.disks for flag in disks.binds(disk, disks.attach(self._lab, disk))]
        size = self.console.stat().st_size if self.console.exists() else 0
        self._boot.write_text(json.dumps(asdict(Boot(time.time(), size))), encoding="ascii")
        self._stopped.unlink(missing_ok=True)
        groups = cgroups.make(self._group)
        launch([*self._command(machine), *flags], identity=self._identity, log=self.console, groups=groups)
        self._finished.touch()

    def stop(self, limit: float = STOP_SECONDS) -> bool:
        """Shuts it down as an operator does, and by force after a time; says whether it went by itself."""
        process = Process.read(self._identity)
        willing = process is None or not process.signal(signal.SIGTERM) or process.ended(limit)
        if self.folder.exists():
            self._stopped.touch()
        self._release()
        return willing

    def kill(self) -> None:
        """Ends all its processes at once, as if the power failed; root and disks stay."""
        self._release()

    def purge(self) -> None:
        """Leaves nothing of it but its disks, whatever state it is in."""
        self._release()
        self._network.unplug(self.name)
        cgroups.remove(self._group)
        with suppress(FileNotFoundError):
            (PROPAGATED / self._lab.container(self.name)).rmdir()
        if self.folder.exists():
            # First: a machine that is half removed is no machine.
            self._wanted.unlink(missing_ok=True)
            shutil.rmtree(self.folder)

    def update(self, machine: Machine) -> bool:
        """Takes what its cloud changes of an instance that goes on; says whether its disks changed, running or not.

        Other user data are for a machine's first boot alone, which is over.
        """
        before = self.wanted()
        if before is None or before == replace(machine, user_data=before.user_data):
            return False
        old, new = ({disk.id: disk for disk in of.disks} for of in (before, machine))
        self._note(machine)
        for disk in (disk for id_, disk in new.items() if old.get(id_) != disk):
            self._swap("add", disk, disks.attach(self._lab, disk))
        for disk in (disk for id_, disk in old.items() if id_ not in new):
            for device in disks.devices(disks.image(self._lab, disk.id)):
                self._swap("remove", disk, device)
        return old != new

    # How

    def _swap(self, verb: str, disk: Disk, device: Path) -> None:
        if self.leader() is None:
            return
        number = device.stat().st_rdev
        numbers = (str(os.major(number)), str(os.minor(number)))
        command = self.command(["sh", "-s", "--", verb, *numbers, str(device), *disk.paths])
        done = subprocess.run(
            command, input=_HOT_SWAP.read_text(encoding="utf-8"), text=True, capture_output=True, check=False
        )
        if done.returncode:
            raise SandboxError(
                f"Disk {disk.id} cannot be changed while {self.name} runs: {done.stderr.strip()}",
                "Stop the machine first.",
            )

    def _command(self, machine: Machine) -> list[str]:
        return [
            "systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--console=read-only",
            "--resolv-conf=off", "--timezone=off", "--link-journal=no",
            f"--directory={self.root.point}",
            f"--machine={self._lab.container(self.name)}",
            f"--hostname={machine.name}",
            f"--uuid={self._lab.identifier(machine.id)}",
            f"--network-namespace-path={FOLDER / self._network.namespaces.full(namespace(self.name))}",
            *_RIGHTS,
        ]  # fmt: skip

    def _note(self, machine: Machine) -> None:
        kept = asdict(machine)
        del kept["user_data"]
        scratch = self._wanted.with_suffix(".new")
        scratch.write_text(json.dumps(kept), encoding="utf-8")
        scratch.replace(self._wanted)

    def _release(self) -> None:
        """Ends every process, then lets go of the root: the first would keep the second in use."""
        cgroups.end(self._group)
        process = Process.read(self._identity)
        if process and not process.ended(_END_SECONDS):
            raise SandboxError(f"Process {process.pid} of {self.name} does not end.", "See what it waits for (`ps`).")
        self.root.unmount()


def _groups_of(pid: int) -> set[str]:
    """Names of the control groups, at every depth, that a process is in."""
    with suppress(OSError):
        return set(re.split(r"[/\n]", Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8")))
    return set()


def _namespace_of(pid: int) -> str:
    """In which of the kernel's process tables a process counts itself; empty if it is gone."""
    with suppress(OSError):
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    return ""
