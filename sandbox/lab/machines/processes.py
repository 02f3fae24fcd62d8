"""Processes that this library started, told apart from those that got the same id since.

Owns the identity of a process (id and start time, in a file that the process itself writes before it becomes what it
is) and signals to it. A process that only waits to be reaped counts as ended: the machine's first process reaps late.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ENTER = Path(__file__).parent / "enter.sh"
_LAUNCH_SECONDS = 30.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Process:
    """A process as it was when it was started."""

    pid: int
    started: str

    @classmethod
    def read(cls, file: Path) -> Process | None:
        """The process that wrote the file; None if there is none."""
        try:
            pid, started = file.read_text(encoding="ascii").split()
        except (OSError, ValueError):
            return None
        return cls(int(pid), started)

    @property
    def lives(self) -> bool:
        """Whether it still runs."""
        return started(self.pid) == self.started

    def signal(self, number: signal.Signals) -> bool:
        """Sends a signal, to this very process or to none; says whether it ran."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            # The handle is held by now: who has the id at this moment is who gets the signal.
            if not self.lives:
                return False
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)
        return True

    def end(self, limit: float) -> bool:
        """Asks it to end, and kills it if it has not after so many seconds; says whether it ran."""
        ran = self.signal(signal.SIGTERM)
        if ran and not self.ended(limit):
            self.signal(signal.SIGKILL)
            self.ended(limit)
        return ran

    def ended(self, limit: float) -> bool:
        """Waits for its end; says whether it came in time."""
        return until(lambda: not self.lives, limit)


def started(pid: int) -> str | None:
    """When a process started, in a form only fit to compare; None if it does not run."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def launch(command: Sequence[str], *, identity: Path, log: Path, groups: Sequence[Path]) -> Process:
    """Starts a process that outlives this one, inside control groups; its output is added to the log.

    Raises:
        SandboxError: it does not start.
    """
    identity.unlink(missing_ok=True)
    whole = ["setsid", "--fork", "sh", str(_ENTER), str(identity), *map(str, groups), "--", *command]
    environment = {"PATH": os.environ.get("PATH", os.defpath)}
    with log.open("ab") as output:
        subprocess.run(
            whole, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, check=True, close_fds=True
        )
    if not until(identity.exists, _LAUNCH_SECONDS):
        raise SandboxError(
            f"`{command[0]}` does not start: {log.read_text(encoding='utf-8', errors='replace')[-500:].strip()}",
            "Mend what it says; the lab needs root and control groups that it may write.",
        )
    process = Process.read(identity)
    if process is None:
        raise SandboxError(f"{identity} names no process.", "Purge the machine and start it again.")
    return process


def until(holds: Callable[[], bool], limit: float) -> bool:
    """Waits until something holds; says whether it did in time."""
    end = time.monotonic() + limit
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(_POLL_SECONDS)
    return True
