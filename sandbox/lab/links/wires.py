"""Cables and interfaces between regions: the internet, each gateway's place on it, each tunnel's interface.

Owns what is built in the kernel, each piece once: it is looked for, and made if it is not there whole. What is said over
it, and which interface of a tunnel is up, is `tunnels`'.

Dangerous edges:
- A piece that was begun and not finished looks like one. Its alias is given last, and a piece without one is made anew.
- What IPsec shall protect must never travel without. The addresses inside have no way in a gateway but the one that
  charon makes, and none on the internet.

Source: ip-link(8), ip-rule(8), nft(8), netdevice(7).
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import subprocess
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.errors import SandboxError
from sandbox.lab.machines.lab import CARRIER
from sandbox.mesh.namespaces import FOLDER
from sandbox.mesh.speech import MAIN_TABLE

from .layout import GATEWAYS, INTERNET, INTERNET_ROUTER, device, network_id, vtep
from .rendering import MTU

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.mesh.namespaces import Namespaces

    from .ends import End
    from .layout import Gateway, Layout, Region

_CUT = Path(__file__).parent / "cut.nft"
_VXLAN_PORT = 4789
_OUTSIDE_MTU = 9000
"""Room for what IPsec and VXLAN add, so that nothing is cut in pieces on one machine."""
_READY = "ready"
_SIOCGIFFLAGS, _IFF_UP = 0x8913, 1
# Where a network of several regions looks for a way, first to last.
_ARRIVED_HERE, _ARRIVED, _PASSING, _LEAVING, _HERE = 20, 21, 22, 23, 32
_LOOKED = {_ARRIVED_HERE, _ARRIVED, _PASSING, _LEAVING, _HERE}


class Wires:
    """What lies between regions.

    Args:
        plain: tunnels run bare between outside addresses.
    """

    def __init__(self, namespaces: Namespaces, *, plain: bool) -> None:
        self._namespaces, self._plain = namespaces, plain

    def standing(self) -> set[str]:
        """Names of the gateways that stand."""
        return {name for name in self._namespaces.standing() if name.startswith(GATEWAYS)}

    def identities(self, plan: Layout) -> dict[str, tuple[int, int]]:
        """Namespaces of a layout that stand, and gateways beside it; one that was made anew has other numbers."""
        names = {INTERNET, *(region.router for region in plan.regions), *(gateway.name for gateway in plan.gateways)}
        standing = {name for name in self._namespaces.standing() if name in names or name.startswith(GATEWAYS)}
        return {name: (facts.st_ino, facts.st_ctime_ns) for name in standing for facts in [self._facts(name)]}

    def internet(self) -> None:
        """Makes the internet, unless it is there."""
        spaces = self._namespaces
        if INTERNET not in spaces.standing():
            spaces.create([INTERNET])
        spaces.ip(INTERNET, [f"address replace {INTERNET_ROUTER}/32 dev lo"])
        if self._nft("list", "table", "ip", "cut").returncode:
            self._told("--file", str(_CUT))

    def gateway(self, gateway: Gateway) -> None:
        """Puts a gateway between its region's router and the internet.

        Raises:
            SandboxError: the region has no router.
        """
        spaces, region = self._namespaces, gateway.region
        standing = set(spaces.standing())
        if region.router not in standing:
            raise SandboxError(
                f"The network of {region.cloud} has no router: {spaces.full(region.router)} is not there.",
                "Raise the lab's network before its tunnels.",
            )
        if gateway.name not in standing:
            spaces.create([gateway.name])
        ready = self._aliases(gateway.name)
        if ready.get("wan") != _READY:
            self._cable(gateway, ready, "wan", INTERNET, gateway.wire, _OUTSIDE_MTU)
            spaces.ip(INTERNET, [
                f"link set {gateway.wire} up",
                f"route replace {gateway.outside}/32 dev {gateway.wire}",
            ])  # fmt: skip
            spaces.ip(gateway.name, [
                f"address replace {vtep(gateway.outside)}/32 dev lo",
                f"route replace unreachable {CARRIER}",
                f"address add {gateway.outside}/32 dev wan",
                "link set wan up",
                f"route add {INTERNET_ROUTER} dev wan scope link src {gateway.outside}",
                f"route add default via {INTERNET_ROUTER} src {gateway.outside}",
                f"link set wan alias {_READY}",
            ])  # fmt: skip
        if ready.get("network") != _READY:
            self._cable(gateway, ready, "network", region.router, gateway.cable)
            spaces.ip(region.router, [
                f"address add {gateway.router_side}/31 dev {gateway.cable}",
                f"link set {gateway.cable} group {region.table} up",
            ])  # fmt: skip
            spaces.ip(gateway.name, [
                f"address add {gateway.own_side}/31 dev network",
                "link set network up",
                f"link set network alias {_READY}",
            ])  # fmt: skip

    def tunnels(self, gateway: Gateway) -> None:
        """Gives each end its interface, and none else. One that has changed is made anew; a new one is down."""
        there = self._aliases(gateway.name)
        wanted = {device(end): end for end in gateway.ends}
        lines = [f"link delete {name}" for name in there if name.startswith("to-") and name not in wanted]
        for name, end in wanted.items():
            local, remote = self._between(end)
            told = f"{local} {end.inside} to {remote} {end.peer_inside}"
            if there.get(name) == told:
                continue
            lines += [
                *([f"link delete {name}"] if name in there else []),
                f"link add {name} type vxlan id {network_id(end)} local {local} remote {remote} dstport {_VXLAN_PORT}",
                f"link set {name} mtu {MTU}",
                f"address add {end.inside} peer {end.peer_inside} dev {name}",
                f"link set {name} alias '{told}'",
            ]
        self._namespaces.ip(gateway.name, lines)

    def up(self, gateway: Gateway, ends: list[End]) -> None:
        """Brings interfaces up that are not; `down` takes them down."""
        names = [device(end) for end in ends]
        low = self._namespaces.inside(gateway.name, lambda: [name for name in names if not _is_up(name)])
        self._namespaces.ip(gateway.name, [f"link set {name} up" for name in low])

    def down(self, gateway: Gateway) -> None:
        there = self._aliases(gateway.name)
        self._namespaces.ip(gateway.name, [f"link set {name} down" for name in there if name.startswith("to-")])

    def guide(self, plan: Layout) -> None:
        """Makes routers that stand for several regions send through tunnels what goes from one to another."""
        shared = [region for region in plan.regions if region.table != MAIN_TABLE]
        for router in sorted({region.router for region in shared}):
            here = [region for region in shared if region.router == router]
            for region in here:
                # What no tunnel leads to ends here, and does not take the short way.
                self._namespaces.ip(router, [f"route replace unreachable default metric 4000 table {region.table}"])
            wanted = {
                *(rule for region in here for gateway in plan.of(region) for rule in _arriving(gateway)),
                *(
                    _rule(_LEAVING, table=str(one.table), source=one.prefix, target=other.prefix)
                    for one, other in permutations(here, 2)
                ),
                _rule(_HERE, table="local"),
            }
            self._rules(router, wanted)

    def unguide(self, regions: tuple[Region, ...]) -> None:
        """Undoes it, where the router still stands."""
        standing = self._namespaces.standing()
        for region in regions:
            if region.table != MAIN_TABLE and region.router in standing:
                self._rules(region.router, set())
                subprocess.run(
                    self._namespaces.command(region.router, ["ip", "route", "flush", "table", str(region.table)]),
                    capture_output=True,
                    check=False,
                )

    def remove(self, gateway: str) -> None:
        """Takes a gateway away, with whatever still runs there."""
        spaces = self._namespaces
        # First, and with both ends: a namespace goes when its last process does, the cables shall go now.
        there = self._aliases(gateway)
        spaces.ip(gateway, [f"link delete {name}" for name in ("wan", "network") if name in there])
        spaces.end([gateway])
        spaces.remove([gateway])

    def remove_internet(self) -> None:
        if INTERNET in self._namespaces.standing():
            self._namespaces.remove([INTERNET])

    def cut(self, one: str, other: str) -> None:
        """Lets everything vanish between two outside addresses; `mend` undoes it."""
        self._told("add", "element", "ip", "cut", "pairs", f"{{ {one} . {other}, {other} . {one} }}")

    def mend(self, one: str, other: str) -> None:
        if frozenset((one, other)) in self.cuts():
            self._told("delete", "element", "ip", "cut", "pairs", f"{{ {one} . {other}, {other} . {one} }}")

    def cuts(self) -> set[frozenset[str]]:
        """Pairs of outside addresses that are cut."""
        said = self._nft("--json", "list", "set", "ip", "cut", "pairs")
        if said.returncode:
            return set()
        (found,) = (part["set"] for part in json.loads(said.stdout)["nftables"] if "set" in part)
        return {frozenset(element["concat"]) for element in found.get("elem", [])}

    def _between(self, end: End) -> tuple[str, str]:
        """Where a tunnel's packets come from and go to."""
        if self._plain:
            return end.outside, end.peer_outside
        return vtep(end.outside), vtep(end.peer_outside)

    def _cable(
        self, gateway: Gateway, there: dict[str, str], name: str, other: str, peer: str, mtu: int | None = None
    ) -> None:
        if name in there:
            self._namespaces.ip(gateway.name, [f"link delete {name}"])
        size = f"mtu {mtu} " if mtu else ""
        full = self._namespaces.full
        self._namespaces.links(
            [f"link add {name} {size}netns {full(gateway.name)} type veth peer name {peer} {size}netns {full(other)}"]
        )

    def _facts(self, namespace: str) -> os.stat_result:
        return (FOLDER / self._namespaces.full(namespace)).stat()

    def _aliases(self, namespace: str) -> dict[str, str]:
        """Interfaces of a namespace, each with its alias."""
        command = ["ip", "-n", self._namespaces.full(namespace), "-json", "link", "show"]
        said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return {row["ifname"]: row.get("ifalias", "") for row in json.loads(said or "[]")}

    def _rules(self, router: str, wanted: set[str]) -> None:
        """Gives a router these rules, and none of ours beside."""
        rows: list[dict[str, Any]] = json.loads(self._asked(router, "ip", "-json", "rule", "show").stdout)
        there = {_read(row) for row in rows if row["priority"] in _LOOKED}
        first = [row for row in rows if row["priority"] == 0]
        lines = [f"rule add {rule}" for rule in sorted(wanted - there)]
        # What is here is looked for later than what has to leave. At every moment it is looked for.
        if wanted and first:
            lines.append("rule delete priority 0 table local")
        if not wanted and not first:
            lines.append("rule add priority 0 table local")
        self._namespaces.ip(router, [*lines, *(f"rule delete {rule}" for rule in sorted(there - wanted))])

    def _told(self, *command: str) -> None:
        done = self._nft(*command)
        if done.returncode:
            raise SandboxError(
                f"The internet between gateways cannot be told what to drop: {done.stderr.strip()[-500:]}",
                "It needs nftables with sets, and the links must have been applied once.",
            )

    def _nft(self, *command: str) -> subprocess.CompletedProcess[str]:
        return self._asked(INTERNET, "nft", *command)

    def _asked(self, namespace: str, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self._namespaces.command(namespace, command), capture_output=True, text=True, check=False)


def _is_up(interface: str) -> bool:
    """Whether an interface of the namespace that the thread is in is up; asked of the kernel itself, for speed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        request = struct.pack("256s", interface.encode())
        (flags,) = struct.unpack_from("16xH", fcntl.ioctl(line, _SIOCGIFFLAGS, request))
    return bool(flags & _IFF_UP)


def _arriving(gateway: Gateway) -> Iterator[str]:
    """Where a router of several regions looks for what a gateway brings: in its own region, and then on, as transit."""
    region, cable = gateway.region, gateway.cable
    for here in (region.prefix, str(CARRIER)):
        yield _rule(_ARRIVED_HERE, table="local", target=here, iif=cable)
    yield _rule(_ARRIVED, table="main", target=region.prefix, iif=cable)
    yield _rule(_PASSING, table=str(region.table), iif=cable)


def _rule(priority: int, *, table: str, source: str = "all", target: str = "", iif: str = "") -> str:
    parts = [f"priority {priority} from {source}", f"to {target}" if target else "", f"iif {iif}" if iif else ""]
    return " ".join([*filter(None, parts), f"table {table}"])


def _read(row: dict[str, Any]) -> str:
    """A rule as `ip` shows it, in the words in which it was given."""
    source = f"{row['src']}/{row['srclen']}" if "srclen" in row else row["src"]
    target = f"{row['dst']}/{row['dstlen']}" if "dstlen" in row else row.get("dst", "")
    return _rule(row["priority"], table=str(row["table"]), source=source, target=target, iif=row.get("iif", ""))
