"""Network namespaces of one owner: a run, or something that outlives the process that made it.

Owns their names, the commands put into them, sockets opened inside them and their removal. What a namespace is for is
the layout's business. Nothing is created in, or reachable from, the machine's own namespace.

Dangerous edges:
- A namespace outlives its process. Names of a run carry the owner's process id, so that the next run removes what a
  killed one left behind, and no run touches the namespaces of one that still lives. Lasting ones carry their owner's
  name alone: any process finds them, and only that owner's own teardown removes them.
- `setns` changes the calling thread. It is called in threads that end right after.

Source: setns(2), ip-netns(8).
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from zlib import crc32

from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_T = TypeVar("_T")

FOLDER = Path("/run/netns")
_CLONE_NEWNET = 0x40000000
_END_SECONDS = 3.0
_FORWARDING = {
    "ip_forward": "1",
    # Flows spread over next hops by ports, as the clouds' gateways do, and not by addresses alone.
    "fib_multipath_hash_policy": "1",
    # A packet that passes on its way to another region, where a socket of this very router awaits it, would be taken for
    # that socket's when it first comes by, and be dropped.
    "ip_early_demux": "0",
    "conf/all/rp_filter": "0",
    "conf/default/rp_filter": "0",
    "conf/all/send_redirects": "0",
    "conf/default/send_redirects": "0",
}


class Namespaces:
    """All namespaces of one owner, by short names.

    Args:
        stem: how all their names begin.
        lasting: they belong to the stem and not to this run; a stem must then be no other's beginning.
    """

    def __init__(self, stem: str, *, lasting: bool = False) -> None:
        self._stem = stem
        self._lasting = lasting
        self._prefix = f"{stem}-" if lasting else f"{stem}{os.getpid()}-{time.monotonic_ns() % 10**6:06}-"
        self._names: list[str] = []

    def full(self, name: str) -> str:
        """The name that `ip netns` knows."""
        return self._prefix + name

    def create(self, names: Iterable[str], *, forwarding: bool = True) -> None:
        """Makes namespaces that forward packets, each with its loopback up. Lasting ones may be there already.

        Raises:
            SandboxError: the machine does not let us.
        """
        if not self._lasting:
            sweep(self._stem)
        names = list(names)
        self._names = list(dict.fromkeys([*self._names, *names])) if self._lasting else names
        there = set(self.standing())
        _ip("", [f"netns add {self.full(name)}" for name in names if name not in there])
        for name in names:
            self.ip(name, ["link set lo up"])
            if forwarding:
                self.inside(name, partial(_forward, crc32(name.encode()) or 1))

    def standing(self) -> list[str]:
        """Short names of those that exist, whoever made them."""
        return [name.removeprefix(self._prefix) for name in _listed() if name.startswith(self._prefix)]

    def ip(self, name: str, lines: Sequence[str]) -> None:
        """Runs `ip` commands, one a line, inside one namespace."""
        _ip(self.full(name), lines)

    def links(self, lines: Sequence[str]) -> None:
        """Runs `ip link` commands that name both ends' namespaces themselves."""
        _ip("", lines)

    def command(self, name: str, command: Sequence[str]) -> list[str]:
        """The command as it runs inside a namespace."""
        return ["ip", "netns", "exec", self.full(name), *command]

    def inside(self, name: str, work: Callable[[], _T]) -> _T:
        """Does something as a member of the namespace: a socket opened there stays there."""

        def entered() -> _T:
            with (FOLDER / self.full(name)).open("rb") as handle:
                library = ctypes.CDLL(None, use_errno=True)
                if library.setns(handle.fileno(), _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), f"cannot enter {self.full(name)}")
            return work()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(entered).result()

    def next_hops(self, name: str, prefix: str) -> set[str]:
        """Next hops that the namespace's kernel has for a range."""
        routes = json.loads(_output(["ip", "-n", self.full(name), "-json", "route", "show", "exact", prefix]) or "[]")
        hops = [hop for route in routes for hop in (route.get("nexthops") or [route])]
        return {hop["gateway"] for hop in hops if "gateway" in hop and "dead" not in hop.get("flags", [])}

    def remove(self, names: Iterable[str] | None = None) -> None:
        """Removes these, or all, with every link; processes inside must have ended."""
        gone = list(names) if names is not None else self.standing() if self._lasting else self._names
        _remove([self.full(name) for name in gone])
        self._names = [name for name in self._names if name not in gone]

    def end(self, names: Iterable[str]) -> None:
        """Kills every process inside."""
        _end([self.full(name) for name in names])


def sweep(stem: str) -> None:
    """Removes what owners left behind that are no longer alive, processes inside included."""
    left = []
    for name in _listed():
        owner = re.match(rf"{re.escape(stem)}(\d+)-", name)
        if owner and not Path(f"/proc/{owner[1]}").exists():
            left.append(name)
    _end(left)
    _remove(left)


def _end(full_names: Sequence[str]) -> None:
    pids = [int(pid) for name in full_names for pid in _output(["ip", "netns", "pids", name]).split()]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + _END_SECONDS
    while time.monotonic() < end and any(Path(f"/proc/{pid}").exists() for pid in pids):
        time.sleep(0.02)


def _listed() -> list[str]:
    return sorted(entry.name for entry in FOLDER.iterdir()) if FOLDER.is_dir() else []


def _remove(full_names: Sequence[str]) -> None:
    standing = set(_listed())
    _ip("", [f"netns del {name}" for name in full_names if name in standing])


def _forward(seed: int) -> None:
    for key, value in _FORWARDING.items():
        Path("/proc/sys/net/ipv4", key).write_text(value, encoding="ascii")
    with suppress(FileNotFoundError):
        # Kernels since 6.11. With one seed, a router behind another one sees only flows that chose alike before, and
        # uses one next hop for all of them.
        Path("/proc/sys/net/ipv4/fib_multipath_hash_seed").write_text(str(seed), encoding="ascii")
    with suppress(FileNotFoundError):
        # Neighbour discovery would only delay links and fill captures.
        Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1", encoding="ascii")


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL).stdout


def _ip(namespace: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    command = ["ip", *(["-n", namespace] if namespace else []), "-batch", "-"]
    done = subprocess.run(command, input="\n".join([*lines, ""]), text=True, capture_output=True, check=False)
    if done.returncode:
        raise SandboxError(
            f"`{' '.join(command)}` failed: {done.stderr.strip()}",
            "It needs root, or a user namespace with CAP_NET_ADMIN and CAP_SYS_ADMIN, and a kernel with veth and bridges.",
        )
