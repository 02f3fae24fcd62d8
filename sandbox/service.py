"""Keeps the simulated cloud of a sandbox running, with the code that the tree holds now.

Starting, finding and stopping the process is the simulated cloud's own business (`sandbox.cloud.daemon`). This adds
that one with older code is replaced without asking: its state outlives the process, so nobody loses anything.
"""

from __future__ import annotations

import hashlib
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.cloud import daemon
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from sandbox.progress import Board

CODE = Path(daemon.__file__).parent


def ensure(state: Path, board: Board) -> daemon.Running:
    """The running simulated cloud whose state is in the folder `state`, started if need be."""
    port_file, mark, code = daemon.port_file(state), state / "code", fingerprint()
    try:
        if not mark.exists() or mark.read_text(encoding="utf-8") != code:
            daemon.stop(port_file)
        with board.step("starting the simulated cloud"), warnings.catch_warnings():
            # The process outlives its handle on purpose.
            warnings.simplefilter("ignore", ResourceWarning)
            running = daemon.start(state, port_file)
    except daemon.DaemonError as error:
        raise SandboxError(
            str(error), "`make clean` removes the sandbox with its state, if nothing else helps."
        ) from error
    mark.write_text(code, encoding="utf-8")
    return running


def stop(state: Path) -> bool:
    """Stops it; says whether it ran."""
    try:
        return daemon.stop(daemon.port_file(state))
    except daemon.DaemonError as error:
        raise SandboxError("The simulated cloud does not stop.", str(error)) from error


def fingerprint() -> str:
    """Changes when the simulated cloud's code or the installed packages do."""
    digest = hashlib.sha256()
    for file in [*sorted(CODE.rglob("*.py")), Path(sys.prefix) / ".installed"]:
        with suppress(FileNotFoundError):
            facts = file.stat()
            digest.update(f"{file}:{facts.st_mtime_ns}:{facts.st_size}\n".encode())
    return digest.hexdigest()
