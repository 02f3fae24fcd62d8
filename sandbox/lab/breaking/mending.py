"""Every break undone: packets, tunnels, keys, machines, disks, clocks.

Owns the order: what a machine needs to boot is mended before it is started, and what only a running machine can mend
comes last. What is mended is struck off at once, so that a repair that was killed or failed is gone on with.

Dangerous edge: a process whose clock was shifted has seen the wrong time. What it wrote with it stays written.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.lab.breaking import clock, cloud, filling
from sandbox.lab.breaking.breaker import shift
from sandbox.lab.breaking.choosing import Choice, chosen

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from sandbox.lab.breaking.breaker import Breaker
    from sandbox.lab.breaking.record import Broken, Fill

_AT_ONCE = 8
_DOWN = ("dead", "stopped")


def restore(breaker: Breaker, names: Collection[str] = ()) -> list[str]:
    """Undoes what is broken about machines, or everything that is broken in the lab.

    Args:
        breaker: the lab's.
        names: of machines; all, and what is no machine's, if there are none.

    Returns:
        What was mended, a line each; nothing where nothing was broken.

    Raises:
        SandboxError: something could not be mended; everything else was.
    """
    with breaker.held():
        if names:
            chosen(breaker.machines().values(), Choice(tuple(names)), breaker.lab.name)
        meant = set(names or breaker.machines())
        done: list[str] = []
        troubles: list[SandboxError] = []
        steps: list[Callable[[], Iterator[str]]] = [
            lambda: _joined(breaker, meant, whole=not names),
            *([] if names else [lambda: _linked(breaker), lambda: _enabled(breaker)]),
            lambda: _started(breaker, meant),
            *(lambda fill=fill: _freed(breaker, fill) for fill in breaker.broken().fills if _is(fill.machine, names)),
            lambda: _timed(breaker, meant, whole=not names),
        ]
        for step in steps:
            try:
                # A line at a time: what was done before a failure was done.
                done.extend(step())
            except SandboxError as error:
                troubles.append(error)
    if troubles:
        said = f" Mended: {'; '.join(done)}." if done else ""
        raise SandboxError(
            f"Not everything could be mended. {' '.join(error.what for error in troubles)}{said}",
            " ".join(error.fix for error in troubles),
        )
    return done


def _is(machine: str, names: Collection[str]) -> bool:
    return not names or machine in names


def _joined(breaker: Breaker, meant: set[str], *, whole: bool) -> Iterator[str]:
    """Lets packets pass again."""
    before = breaker.broken()
    kept = () if whole else tuple(group for group in before.apart if not set(group) & meant)
    after = replace(before, apart=kept)
    if after == before:
        return
    breaker.set_apart(after)
    breaker.note(after)
    for group in before.apart:
        if group not in kept:
            yield f"packets pass to and from {', '.join(group)}"


def _linked(breaker: Breaker) -> Iterator[str]:
    """Mends tunnels that were cut."""
    before = breaker.broken()
    if not before.cut:
        return
    found = cloud.between(cloud.records(breaker.place.cloud), before.cut)
    for link in found:
        breaker.tunnels.mend(link)
    breaker.note(replace(before, cut=()))
    yield f"{len(found)} tunnels mended: {', '.join(f'{one} to {other}' for one, other in before.cut)}"


def _enabled(breaker: Breaker) -> Iterator[str]:
    """Enables keys."""
    before = breaker.broken()
    if not before.keys:
        return
    after = replace(before, keys=())
    breaker.disable(after)
    breaker.note(after)
    for key in before.keys:
        yield f"{key} enabled"


def _started(breaker: Breaker, meant: set[str]) -> Iterator[str]:
    """Starts machines that are down, with their roots and disks as they are."""
    down = [status.name for status in breaker.fleet.statuses() if status.name in meant and status.phase in _DOWN]
    with breaker.fleet.locked(), ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda name: breaker.fleet.instance(name).start(), down))
    for name in down:
        yield f"{name} started"


def _freed(breaker: Breaker, fill: Fill) -> Iterator[str]:
    """Takes away what fills a disk; one whose machine is gone from the cloud is forgotten."""
    if fill.machine in breaker.machines():
        filling.free(breaker.lab, breaker.fleet.instance(fill.machine), fill.point)
        yield f"disk at {fill.point} of {fill.machine} freed"
    before = breaker.broken()
    breaker.note(replace(before, fills=tuple(one for one in before.fills if one != fill)))


def _timed(breaker: Breaker, meant: set[str], *, whole: bool) -> Iterator[str]:
    """Takes shifts of clocks back, wherever processes carry one: a process hands its own on to its forks."""
    before = breaker.broken()
    mended = {skew.machine for skew in before.skews if whole or skew.machine in meant}
    for name in sorted(mended & breaker.machines().keys()):
        pids = {pid for pid in breaker.fleet.instance(name).processes() if clock.shifted(pid)}
        yield f"clock of {name} is true again: {shift(pids, 0)} processes"
    breaker.note(_without_skews(before, mended))


def _without_skews(broken: Broken, machines: set[str]) -> Broken:
    return replace(broken, skews=tuple(skew for skew in broken.skews if skew.machine not in machines))
