"""labd: the process that keeps one lab like its cloud, round by round, until it is told to end.

Owns the rhythm, and what it says of each round in a file that everybody may read: when, what changed, what failed. A
round that fails is tried again; what has failed stands in the file until a round succeeds.

Dangerous edges:
- One a lab, held by a lock: two would undo each other's work.
- The clouds' services and the balancers are its children. While it is away, machines run on and ask in vain; the next
  one starts the services anew.

Run: `python -m sandbox.lab.daemon NAME`
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.cloud.daemon import inside_file
from sandbox.cloud.index import entry
from sandbox.cloud.store import Store
from sandbox.errors import SandboxError
from sandbox.home import TREE
from sandbox.lab.follower import Follower, lab
from sandbox.lab.machines.lab import DESK
from sandbox.lab.machines.processes import Process, launch, until
from sandbox.lab.place import Place
from sandbox.lab.services.places import RESOLVER
from sandbox.progress import Board
from sandbox.toolchain import cache

if TYPE_CHECKING:
    from collections.abc import Sequence

ROUND_SECONDS = 1.0
_KEPT_CHANGES = 200
_START_SECONDS = 30.0
_END_SECONDS = 30.0


@dataclass(frozen=True)
class Said:
    """What the last round came to.

    Attributes:
        began: when it began, seconds since the epoch; everything on record before then was seen.
        seconds: how long it took.
        changes: the newest changes of all rounds, a line each.
        changed: how many this round made.
        trouble: why the last round failed; empty if it did not.
        tunnels: each tunnel by its ends, with why it is down; empty where it is up.
    """

    began: float
    seconds: float
    changed: int
    changes: tuple[str, ...] = ()
    trouble: str = ""
    tunnels: tuple[tuple[str, str], ...] = ()


def said(place: Place) -> Said | None:
    """What labd said last; None if it never said anything."""
    try:
        found = json.loads(place.status.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    found["changes"] = tuple(found["changes"])
    found["tunnels"] = tuple((one, why) for one, why in found["tunnels"])
    return Said(**found)


def lives(place: Place) -> bool:
    """Whether a lab's labd runs."""
    process = Process.read(place.daemon)
    return process is not None and process.lives


def start(place: Place) -> bool:
    """Starts a lab's labd unless it runs; says whether it was started.

    Raises:
        SandboxError: it does not begin its first round.
    """
    if lives(place):
        return False
    place.status.unlink(missing_ok=True)
    place.lab.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = place.lab / "labd.log"
    # Where tools are cached; a process that is launched has nothing else of its maker's surroundings.
    kept = [f"{name}={os.environ[name]}" for name in cache.VARIABLES if name in os.environ]
    command = [
        "env",
        *kept,
        f"PYTHONPATH={TREE}",
        sys.executable,
        "-m",
        "sandbox.lab.daemon",
        place.name,
        str(place.above),
    ]
    process = launch(command, identity=place.daemon, log=log, groups=())
    if not until(lambda: place.status.exists() or not process.lives, _START_SECONDS) or not process.lives:
        raise SandboxError(
            f"Nothing follows the lab's cloud: {log.read_text(encoding='utf-8', errors='replace')[-800:].strip()}",
            f"Mend what it says; its whole log is {log}.",
        )
    return True


def stop(place: Place) -> bool:
    """Ends a lab's labd; says whether it ran. Machines go on."""
    process = Process.read(place.daemon)
    return process is not None and process.end(_END_SECONDS)


def follow(place: Place) -> None:
    """Be labd until SIGTERM or SIGINT.

    Raises:
        SandboxError: another one follows this lab, or the lab was never made.
    """
    wish = place.wish()
    if wish is None:
        raise SandboxError(f"There is no lab {place.name!r}.", "Make it: `make lab`.")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with (place.lab / "labd.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SandboxError(f"Lab {place.name!r} is followed already.", "One process is enough.") from None
        _say(place, Said(0.0, 0.0, 0))
        store = Store(place.cloud, entry)
        changes = deque[str](maxlen=_KEPT_CHANGES)
        try:
            with Follower(lab(place.name, place.lab), store, Board(), plain=wish.links == "plain") as follower:
                while not ended.is_set():
                    _say(place, _round(place, follower, changes))
                    ended.wait(ROUND_SECONDS)
        finally:
            store.close()


def _round(place: Place, follower: Follower, changes: deque[str]) -> Said:
    began, clock = time.time(), time.monotonic()
    made: Sequence[str] = ()
    tunnels: tuple[tuple[str, str], ...] = ()
    trouble = ""
    try:
        made = follower.round(_disabled(place))
        tunnels = tuple((str(status.link), status.why) for status in follower.tunnels())
    except SandboxError as error:
        trouble = f"{error.what} {error.fix}"
    if follower.desk.stands:
        _lead(place, follower)
    changes.extend(made)
    return Said(began, time.monotonic() - clock, len(made), tuple(changes), trouble, tunnels)


def _lead(place: Place, follower: Follower) -> None:
    """Lets providers that act on products find them: from the desk, by the lab's names."""
    words = f"{follower.fleet.network.namespaces.full(DESK)} {RESOLVER}\n"
    file = inside_file(place.cloud)
    if not file.exists() or file.read_text(encoding="ascii") != words:
        file.write_text(words, encoding="ascii")


def _disabled(place: Place) -> frozenset[str]:
    try:
        return frozenset(json.loads(place.disabled_keys.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return frozenset()


def _say(place: Place, words: Said) -> None:
    scratch = place.status.with_suffix(".part")
    scratch.write_text(json.dumps(asdict(words)), encoding="utf-8")
    scratch.replace(place.status)


if __name__ == "__main__":
    try:
        follow(Place(sys.argv[1], Path(sys.argv[2])))
    except SandboxError as error:
        sys.exit(f"{error.what} {error.fix}")
