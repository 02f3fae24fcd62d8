"""Which labs this machine has, and what the machine allows while it has any.

Owns a small register below /run, which a restart of the machine empties as it ends every lab, and the kernel's limits
that many machines on one host would reach. The first lab raises them, the last one puts back what was there.

Dangerous edge: a limit that somebody else has set since is theirs, and stays.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.lab.machines.lab import Lab

REGISTER = Path("/run/hashicorp-multicloud-labs")
RAISED = {"fs/inotify/max_user_instances": 8192}
"""The init process of every machine takes a few of these; the usual 128 are enough for about thirty machines."""
_LIMITS = "limits"


def enter(lab: Lab) -> bool:
    """Writes a lab into the register and raises the limits; says whether the lab was new.

    Raises:
        SandboxError: a lab of that name lies elsewhere.
    """
    with _locked():
        entry = REGISTER / lab.name
        place = registered(lab.name)
        if place is not None:
            if place != lab.folder:
                raise SandboxError(
                    f"There is a lab {lab.name} already, in {place}: two of one name would be one.",
                    "Destroy it, or give this one another name.",
                )
            return False
        _raise()
        entry.write_text(str(lab.folder), encoding="utf-8")
    return True


def leave(lab: Lab) -> None:
    """Takes a lab out; the last one puts the limits back."""
    with _locked():
        (REGISTER / lab.name).unlink(missing_ok=True)
        if not labs():
            _restore()
            with suppress(FileNotFoundError):
                REGISTER.rmdir()


def registered(name: str) -> Path | None:
    """Where a lab of that name lies; None if there is none."""
    try:
        return Path((REGISTER / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def labs() -> list[str]:
    """Names of the labs of this machine."""
    return sorted(entry.name for entry in REGISTER.iterdir() if entry.name != _LIMITS) if REGISTER.is_dir() else []


def value(limit: str) -> int:
    """A limit as it is now."""
    return int(Path("/proc/sys", limit).read_text(encoding="ascii"))


def _raise() -> None:
    before = _before()
    for limit, wanted in RAISED.items():
        now = value(limit)
        if now < wanted:
            before.setdefault(limit, now)
            # Written down first: what is raised without a record would stay raised.
            (REGISTER / _LIMITS).write_text(json.dumps(before), encoding="ascii")
            Path("/proc/sys", limit).write_text(str(wanted), encoding="ascii")


def _restore() -> None:
    for limit, was in _before().items():
        if value(limit) == RAISED.get(limit):
            Path("/proc/sys", limit).write_text(str(was), encoding="ascii")
    (REGISTER / _LIMITS).unlink(missing_ok=True)


def _before() -> dict[str, int]:
    try:
        return json.loads((REGISTER / _LIMITS).read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return {}


@contextmanager
def _locked() -> Iterator[None]:
    """Holds the register's folder itself, which the last lab removes: no lock file is left behind."""
    while True:
        REGISTER.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):
            handle = os.open(REGISTER, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                if _same(handle):
                    yield
                    return
            finally:
                os.close(handle)


def _same(handle: int) -> bool:
    """Whether the folder that was locked is still the one that others find."""
    try:
        return os.path.samestat(os.fstat(handle), REGISTER.stat())
    except FileNotFoundError:
        return False
