"""Regions with tunnels between them, as small as can be: a network is a router with one machine, which only sends."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

from components.plan import mesh
from components.plan.spec import Cloud
from docs.picture import platform
from sandbox.lab.links.ends import End, proposals
from sandbox.lab.links.layout import Region
from sandbox.lab.links.tunnels import Status, Tunnels
from sandbox.lab.machines.lab import Lab
from sandbox.mesh.namespaces import FOLDER, Namespaces

PATIENCE = 60.0
"""Far beyond what anything here takes, for a busy machine."""
PLATFORM = platform()
HOLD = dict.fromkeys(mesh.HOLD_SECONDS, 3)
"""The shortest that BGP allows."""
DEAD_AFTER = 600
"""Never, as far as a test is concerned: what comes back must not owe it to this."""
_TTL = 64
_RECVTTL = 12
"""Linux's IP_RECVTTL, which Python does not name."""
_STEM = "tl"
_COUNTER = iter(range(100))
_FIRST: dict[Cloud, int] = {"aws": 16, "azure": 32, "gcp": 48}


def address(cloud: Cloud, number: int) -> str:
    """An outside address of a region's gateway."""
    return f"198.18.0.{_FIRST[cloud] + number}"


def key(tunnel: mesh.Tunnel) -> str:
    """Of a tunnel; with characters that mean something to whoever reads it carelessly."""
    return f'{tunnel.pair}-{tunnel.index}-"}}#\\$0s9f2e7c41d8'


def ends(*clouds: Cloud) -> list[End]:
    """Both sides of the plan's four tunnels between two regions."""
    (pair,) = (pair for pair in mesh.pairs(PLATFORM) if {pair.a, pair.b} == set(clouds))
    return [
        End(
            id=f"{cloud}/{tunnel.pair}-{tunnel.index}",
            cloud=cloud,
            outside=address(cloud, tunnel.end(cloud).gateway),
            peer_outside=address(pair.peer(cloud), tunnel.far(cloud).gateway),
            inside=tunnel.end(cloud).address,
            peer_inside=tunnel.far(cloud).address,
            asn=PLATFORM.asns[cloud],
            peer_asn=PLATFORM.asns[pair.peer(cloud)],
            key=key(tunnel),
            ike=proposals(["aes256"], ["sha256"], ["modp2048"]),
            esp=proposals(["aes256"], ["sha256"], ["modp2048"]),
            dead_after=DEAD_AFTER,
        )
        for tunnel in pair.tunnels
        for cloud in (pair.a, pair.b)
    ]


def host(cloud: Cloud, number: int = 9) -> str:
    """An address of a region."""
    return str(IPv4Network(PLATFORM.regions[cloud].cidr)[number])


ALL = ends("aws", "azure")
FIRST = ALL[0]
"""An end of AWS: it opens its tunnel."""


def all_up(found: list[Status]) -> bool:
    return all(status.up for status in found)


def gateway_of(end: End) -> str:
    return "gateway-" + end.outside.replace(".", "-")


def down(end: End, said: str) -> Callable[[list[Status]], bool]:
    """Whether this end's link is down and says so, and every other is up."""

    def holds(found: list[Status]) -> bool:
        mine = [status for status in found if end.id in {each.id for each in status.link.ends}]
        rest = [status for status in found if status not in mine and len(status.link.ends) > 1]
        return bool(mine) and all(not s.up and said in s.why for s in mine) and all_up(rest)

    return holds


@dataclass
class Rig:
    """A lab of networks without machines."""

    lab: Lab
    spaces: Namespaces
    regions: tuple[Region, ...]
    tunnels: Tunnels
    hold: Mapping[Cloud, int]

    def settle(self, declared: Iterable[End], holds: Callable[[list[Status]], bool]) -> list[Status]:
        """Applies until something holds of the links, and fails with how they stand when it does not come."""
        declared = list(declared)
        end = time.monotonic() + PATIENCE
        while True:
            self.tunnels.apply(declared)
            found = list(self.tunnels.status(declared))
            if holds(found):
                return found
            assert time.monotonic() < end, "\n".join(f"{s.link.ends[0].id}: {s.up} {s.why}" for s in found)
            time.sleep(0.2)

    def reaches(self, one: Cloud, other: Cloud) -> bool:
        """Whether a packet comes from a region's machine to the other's, and an answer back."""
        return self.hops(one, other) > 0

    def hops(self, one: Cloud, other: Cloud, *, front: bool = False) -> int:
        """Routers between two regions' machines, or the other region's front; 0 if no answer comes back."""
        with self._socket(other, front=front) as there, self._socket(one) as here:
            there.setsockopt(socket.IPPROTO_IP, _RECVTTL, 1)
            try:
                here.sendto(b"ping", there.getsockname())
                said, [(_, _, left)], _, sender = there.recvmsg(16, 64)
                there.sendto(said, sender)
                return _TTL - int.from_bytes(left, sys.byteorder) if here.recv(16) == b"ping" else 0
            except OSError:
                return 0

    def transfers(self, one: Cloud, other: Cloud, size: int) -> bool:
        """Whether a stream arrives whole: its segments are as large as the machines' own cables let them be."""
        with self._socket(other, socket.SOCK_STREAM) as there, self._socket(one, socket.SOCK_STREAM) as here:
            there.listen()
            here.settimeout(PATIENCE)
            here.connect(there.getsockname())
            with there.accept()[0] as arrived, ThreadPoolExecutor(1) as pool:
                arrived.settimeout(PATIENCE)
                sent = pool.submit(lambda: (here.sendall(bytes(size)), here.shutdown(socket.SHUT_WR)))
                got = 0
                while part := arrived.recv(65536):
                    got += len(part)
                sent.result()
            return got == size

    def _socket(
        self, cloud: Cloud, kind: socket.SocketKind = socket.SOCK_DGRAM, *, front: bool = False
    ) -> socket.socket:
        """At a region's machine, or at an address that its router holds, as balancers do."""

        def opened() -> socket.socket:
            line = socket.socket(socket.AF_INET, kind)
            line.settimeout(1)
            line.bind((host(cloud, 1) if front else host(cloud), 0))
            return line

        (router,) = (region.router for region in self.regions if region.cloud == cloud)
        return self.spaces.inside(router if front else f"machine-{cloud}", opened)

    def process(self, namespace: str, program: str) -> list[int]:
        """Ids of a program's processes in a namespace."""
        said = subprocess.run(
            ["ip", "netns", "pids", self.spaces.full(namespace)], capture_output=True, text=True, check=False
        ).stdout
        return [int(pid) for pid in said.split() if Path("/proc", pid, "comm").read_text().strip() == program]

    def processes(self) -> set[int]:
        """Every process in a namespace of this lab."""
        return {
            int(pid)
            for name in self.spaces.standing()
            for pid in subprocess.run(
                ["ip", "netns", "pids", self.spaces.full(name)], capture_output=True, text=True, check=False
            ).stdout.split()
        }


@contextmanager
def rig(
    folder: Path, *clouds: Cloud, plain: bool = False, shared: bool = False, hold: Mapping[Cloud, int] = HOLD
) -> Iterator[Rig]:
    """Networks of these regions, each with a router of its own or all with one; all is gone afterwards.

    First that goes which killed test runs left behind.
    """
    sweep()
    lab = Lab(f"{_STEM}{os.getpid()}x{next(_COUNTER)}", folder)
    spaces = Namespaces(lab.stem, lasting=True)
    regions = tuple(
        Region(cloud, PLATFORM.regions[cloud].cidr, "switch", 100 + index)
        if shared
        else Region(cloud, PLATFORM.regions[cloud].cidr, f"network-{cloud}")
        for index, cloud in enumerate(clouds)
    )
    tunnels = Tunnels(lab, regions, plain=plain, hold=hold)
    try:
        spaces.create({region.router for region in regions})
        for region in regions:
            _plug(spaces, region)
        yield Rig(lab, spaces, regions, tunnels, hold)
    finally:
        tunnels.remove()
        spaces.remove()


def _plug(spaces: Namespaces, region: Region) -> None:
    """A machine on its router, as the lab's machines are on theirs."""
    machine, port = f"machine-{region.cloud}", f"m-{region.cloud}"
    spaces.create([machine], forwarding=False)
    spaces.links([
        f"link add eth0 netns {spaces.full(machine)} type veth peer name {port} netns {spaces.full(region.router)}"
    ])  # fmt: skip
    router = host(region.cloud, 1)
    spaces.ip(region.router, [
        f"address add {router}/32 dev lo",
        f"link set {port} up",
        f"route add {host(region.cloud)}/32 dev {port}",
    ])  # fmt: skip
    spaces.ip(machine, [
        "link set eth0 up",
        f"address add {host(region.cloud)}/32 dev eth0",
        f"route add {router} dev eth0 scope link src {host(region.cloud)}",
        f"route add default via {router} src {host(region.cloud)}",
    ])  # fmt: skip


def sweep() -> None:
    """Removes what test runs left that are no longer alive."""
    stems = {found[1]: found[2] for name in _namespaces() if (found := re.match(rf"(lab-{_STEM}(\d+)x\d+)-", name))}
    for stem, owner in stems.items():
        if not Path("/proc", owner).exists():
            spaces = Namespaces(stem, lasting=True)
            spaces.end(spaces.standing())
            spaces.remove()


def _namespaces() -> list[str]:
    return [entry.name for entry in FOLDER.iterdir()] if FOLDER.is_dir() else []
