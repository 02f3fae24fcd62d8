"""The process that is the simulated cloud: start, find, stop.

Owns the state folder's lock (one process a state), the port file ("port pid start-time", written when the port answers,
removed at the end) and the log. The port file tells a launcher or a command whether the cloud runs; the start time
guards against a process id that somebody else got since.
"""

from __future__ import annotations

import fcntl
import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.cloud.faults import Faults
from sandbox.cloud.index import entry
from sandbox.cloud.operations import Cloud
from sandbox.cloud.reaching import Reach
from sandbox.cloud.schema import SchemaBook
from sandbox.cloud.store import Store

FAULTS_VARIABLE: Final = "SIMULATED_CLOUD_FAULTS"
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 10.0
_log: Final = logging.getLogger(__name__)


class DaemonError(Exception):
    """The simulated cloud cannot start or stop; the message says what to do."""


@dataclass(frozen=True)
class Running:
    """A simulated cloud that runs now."""

    port: int
    pid: int


def port_file(state: Path) -> Path:
    """Where the daemon of a state folder writes its port, unless told otherwise."""
    return state / "port"


def log_file(state: Path) -> Path:
    """Where it writes its log."""
    return state / "cloud.log"


def faults_file(state: Path) -> Path:
    """Where fault rules are read from: `faults.yaml` of the state folder, or the environment's choice."""
    return Path(os.environ.get(FAULTS_VARIABLE) or state / "faults.yaml")


def inside_file(state: Path) -> Path:
    """Where a lab says from within which network real products are reached; see `reaching`."""
    return state / "inside"


def running(port_path: Path) -> Running | None:
    """The daemon that wrote a port file, if it still runs."""
    try:
        port, pid, started = port_path.read_text().split()
    except (OSError, ValueError):
        return None
    return Running(int(port), int(pid)) if _started(int(pid)) == started else None


def serve(state: Path, port_path: Path, cache: Path | None = None) -> None:
    """Be the simulated cloud until SIGTERM or SIGINT.

    Raises:
        DaemonError: another process serves this state.
    """
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DaemonError(
                f"a simulated cloud already serves {state}: two would overwrite each other's state. "
                "Use it, or stop it with `python -m sandbox.cloud stop`"
            ) from None
        logging.basicConfig(
            filename=log_file(state), level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
        )
        from sandbox.cloud.server import serve as answer  # noqa: PLC0415  # gRPC and Pulumi: .5 s that `stop` spares

        store = Store(state, entry)
        server, port = answer(Cloud(store, SchemaBook(cache), Faults(faults_file(state)), Reach(inside_file(state))))
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        gc.collect()
        gc.freeze()  # what was imported stays; the collector need not walk it again
        _announce(port_path, port)
        _log.info("serving %s on port %d", state, port)
        ended.wait()
        port_path.unlink(missing_ok=True)
        server.stop(grace=1.0).wait()
        store.close()
        _log.info("stopped")


def start(state: Path, port_path: Path, cache: Path | None = None) -> Running:
    """Start the simulated cloud in the background, unless it runs; returns when it answers.

    Raises:
        DaemonError: it did not come up.
    """
    found = running(port_path)
    if found:
        return found
    state.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "sandbox.cloud", "serve", "--state", str(state), "--port-file", str(port_path)]
    with log_file(state).open("ab") as log:
        child = subprocess.Popen(
            [*command, *(["--cache", str(cache)] if cache else [])],
            cwd=Path(__file__).parents[2], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        found = running(port_path)
        if found:
            return found
        if child.poll() is not None:
            break
        time.sleep(0.02)
    else:
        child.terminate()
    raise DaemonError(f"the simulated cloud did not come up; the end of {log_file(state)} says why")


def stop(port_path: Path) -> bool:
    """Stop the simulated cloud and wait for its end; whether it ran.

    Raises:
        DaemonError: it does not end.
    """
    found = running(port_path)
    if found is None:
        return False
    os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline:
        if _started(found.pid) is None:
            return True
        time.sleep(0.02)
    raise DaemonError(f"the simulated cloud (process {found.pid}) does not end; see its log, then end it by hand")


def _announce(port_path: Path, port: int) -> None:
    port_path.parent.mkdir(parents=True, exist_ok=True)
    scratch = port_path.with_suffix(f".{os.getpid()}")
    scratch.write_text(f"{port} {os.getpid()} {_started(os.getpid())}\n")
    scratch.replace(port_path)


def _started(pid: int) -> str | None:
    """When a process started, in a form only fit to compare; None if it does not run."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return _started_by_ps(pid)
    return None if fields[0] == "Z" else fields[19]


def _started_by_ps(pid: int) -> str | None:
    """The same where there is no /proc."""
    if Path("/proc/self").exists():
        return None
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip().replace(" ", "-") or None
