"""How a lab stands: every machine with what ails it, what is broken on purpose, what its follower says.

Owns the judgement what counts as failed. Asks nothing of the machines: a machine is told from its console, its journal,
its processes and its mounts, all seen from outside, so that a dead one is told as well as one that runs.

Dangerous edges:
- A boot that ended well says nothing of what fails later. Two things that a console does not show are looked for: a disk
  without space, and a Vault that cannot unseal.
- The journal is the machine's own words; lines of its programs are shown, so a program that logs a secret shows it here.
"""

from __future__ import annotations

import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.lab import daemon
from sandbox.lab.breaking import filling

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.lab.breaking.breaker import Breaker
    from sandbox.lab.breaking.record import Broken
    from sandbox.lab.machines.boot import Phase
    from sandbox.lab.machines.machine import Instance

VAULT = "vault.service"
JOURNAL = Path("var/log/journal")
_UNITS = Path("etc/systemd/system")
_AT_ONCE = 8
_LINES = 400
_LONGEST = 400
# What Vault 1.21 says, and OpenBao 2.7, which tells refusals as a list; the cause is in lines of its own, and Azure's answer
# in more of them.
_SEALED = re.compile(
    r"failed to unseal core|Error (?:parsing Seal configuration|configuring seal \"\w+\"):? ?(?P<cause>.*)"
)
_CAUSE = re.compile(
    r"error decrypting using seal (?P<cause>.+)|^\* (?P<refusal>.+)|\"message\": \"(?P<message>[^\"]+)\""
)
_UNSEALED = re.compile(r"vault is unsealed")
_FAILED: tuple[Phase, ...] = ("failed", "dead")


@dataclass(frozen=True)
class Row:
    """One machine as it stands.

    Attributes:
        reason: why it is not as it should be; empty if nothing is known.
        memory: bytes that its processes have for themselves, without what they share or what is cached.
        broken: what is broken about it on purpose, in words.
    """

    name: str
    cloud: str
    zone: str
    address: str
    phase: Phase
    reason: str
    memory: int
    broken: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether it is not what the cloud wants it to be: dead, failed, or ready with a known ailment."""
        return self.phase in _FAILED or (self.phase == "ready" and bool(self.reason))


@dataclass(frozen=True)
class View:
    """A lab as it stands.

    Attributes:
        followed: whether a process keeps the lab like its cloud.
        trouble: why that process's last round failed, or that it ended.
        tunnels: each tunnel with why it is down; empty where it is up.
        broken: what is broken on purpose beside machines.
    """

    name: str
    machines: tuple[Row, ...]
    followed: bool
    trouble: str
    tunnels: tuple[tuple[str, str], ...]
    broken: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether anything of it failed, on purpose or not."""
        return bool(self.trouble) or any(row.failed for row in self.machines) or any(why for _, why in self.tunnels)


def look(breaker: Breaker) -> View:
    """The lab now."""
    broken = breaker.broken()
    names = sorted(breaker.machines())
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        rows = tuple(row for row in pool.map(lambda name: _row(breaker, name, broken), names) if row)
    said, followed = daemon.said(breaker.place), daemon.lives(breaker.place)
    ended = "" if followed or said is None else f"the follower has ended; see {breaker.place.lab / 'labd.log'}"
    return View(
        breaker.lab.name,
        rows,
        followed,
        ended or (said.trouble if said else ""),
        said.tunnels if said else (),
        tuple(broken.beside()),
    )


def _row(breaker: Breaker, name: str, broken: Broken) -> Row | None:
    instance = breaker.fleet.instance(name)
    machine, status = instance.wanted(), instance.status()
    if machine is None or status.phase == "absent":
        # It went while the others were looked at.
        return None
    reasons = [status.reason, *(_ailments(breaker, instance) if status.pid else [])]
    return Row(
        name,
        machine.cloud,
        machine.zone,
        machine.address,
        status.phase,
        "; ".join(filter(None, reasons)),
        _memory(instance.processes()),
        tuple(broken.of(name)),
    )


def _ailments(breaker: Breaker, instance: Instance) -> list[str]:
    """What ails a running machine that its console does not say."""
    full = [f"full disk: {m.point} has no space left" for m in filling.mounts(breaker.lab, instance) if m.full]
    if (instance.root.files / _UNITS / VAULT).exists():
        full += filter(None, [sealed(journal(instance, VAULT, _LINES))])
    return full


def sealed(journal: str) -> str:
    """Why a Vault is sealed, from its journal; empty if the last that it says of it is good, or nothing."""
    causes: list[str] | None = None
    for line in (part for written in journal.splitlines() for part in _parts(written)):
        if _UNSEALED.search(line):
            causes = None
        elif found := _SEALED.search(line):
            causes = [found["cause"] or ""]
        elif causes is not None and (found := _CAUSE.search(line)):
            causes.append(found["cause"] or found["refusal"] or found["message"])
    if causes is None:
        return ""
    return f"sealed: {' '.join(filter(None, causes)).strip() or 'the key of its seal cannot be used'}"[:_LONGEST]


def _parts(line: str) -> list[str]:
    """What a line says, in the lines that it would be in Vault's plain format: servers log JSON, an error's lines in one."""
    with suppress(ValueError):
        if isinstance(found := json.loads(line), dict):
            return [str(found.get("@message", "")), *str(found.get("error", "")).splitlines()]
    return [line]


def journal(instance: Instance, unit: str, lines: int) -> str:
    """The end of a unit's journal, from outside: works while the machine runs, and after."""
    done = subprocess.run(
        [*journal_command(instance), f"--unit={unit}", f"--lines={lines}", "--output=cat", "--boot"],
        capture_output=True, text=True, check=False, errors="replace",
    )  # fmt: skip
    return done.stdout


def journal_command(instance: Instance) -> list[str]:
    """The command that reads a machine's journal."""
    return ["journalctl", f"--directory={instance.root.files / JOURNAL}", "--quiet", "--no-pager"]


def _memory(pids: Iterable[int]) -> int:
    found = 0
    for pid in pids:
        with suppress(OSError):
            lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines()
            found += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))
    return found
