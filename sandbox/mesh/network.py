"""The mesh itself: built, asked, broken, mended and removed.

Owns the order of construction and what each failure does to links. A tunnel is a cable: a link from each gateway into
the internet, joined there by a bridge of its own. Taking a link off its bridge is a silent loss, as on the internet:
both gateways keep their interface up and hear nothing any more.

Dangerous edge: `close` must run; what a killed run leaves is removed by the next one (see `namespaces`).
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING

from components.plan.mesh import HOLD_SECONDS, TCP_MSS
from components.plan.spec import Cloud
from sandbox.errors import SandboxError
from sandbox.mesh.daemons import Daemon, configuration, session
from sandbox.mesh.layout import INTERNET, Failure, Layout, first_hop, layout, machine
from sandbox.mesh.namespaces import Namespaces
from sandbox.toolchain.packages import absent, remedy

if TYPE_CHECKING:
    from types import TracebackType

    from components.plan.mesh import Tunnel
    from components.plan.spec import Platform

STEM = "mesh"
_HEADERS = 40
"""IP and TCP header of a segment: what the tunnel's MTU adds to the plan's segment size."""


def missing() -> str:
    """What the machine lacks to build a mesh; empty if nothing."""
    if os.geteuid() != 0:
        return "root is needed to make network namespaces"
    lacking = absent("mesh")
    return f"not installed: {', '.join(lacking)} (Debian: `{remedy(lacking)}`)" if lacking else ""


class MeshNetwork:
    """A running mesh.

    Args:
        platform: what the plan makes of it.
        hold: BGP hold time that each cloud's gateways offer.
    """

    def __init__(self, platform: Platform, hold: Mapping[Cloud, int] = HOLD_SECONDS) -> None:
        self.plan: Layout = layout(platform)
        self._hold = hold
        self._cleanup = ExitStack()
        self.namespaces = Namespaces(STEM)
        self._daemons: dict[str, Daemon] = {}

    def __enter__(self) -> MeshNetwork:
        with ExitStack() as cleanup:
            folder = Path(tempfile.mkdtemp(prefix="mesh-"))
            cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
            cleanup.callback(self.namespaces.remove)
            self._build()
            for speaker in self.plan.speakers:
                text = configuration(self.plan, speaker, self._hold, folder)
                daemon = Daemon(self.namespaces, speaker, text, folder)
                cleanup.callback(daemon.end)
                self._daemons[speaker.name] = daemon
            for daemon in self._daemons.values():
                daemon.ready()
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the daemons and removes every namespace."""
        self._daemons.clear()
        self._cleanup.close()

    def _build(self) -> None:
        plan, spaces = self.plan, self.namespaces
        machines = {cloud: machine(cloud) for cloud in plan.machines}
        spaces.create([INTERNET, *(s.name for s in plan.speakers), *machines.values()])
        links: list[str] = []
        inside: dict[str, list[str]] = {}
        for cloud, address in plan.machines.items():
            network = plan.networks[cloud]
            router = first_hop(network.prefix)
            links.append(self._veth(machines[cloud], "eth0", network.name, "machines"))
            inside[machines[cloud]] = [
                f"addr add {address}/{router.network.prefixlen} dev eth0",
                "link set eth0 up",
                f"route add default via {router.ip}",
            ]
            inside[network.name] = [f"addr add {router} dev machines", "link set machines up"]
        for gateway in plan.gateways:
            network = plan.networks[gateway.cloud].name
            port = gateway.name.removeprefix(f"{gateway.cloud}-")
            own, other = gateway.uplinks[0]
            links.append(self._veth(gateway.name, "network", network, port))
            inside[network] += [f"addr add {other}/31 dev {port}", f"link set {port} up"]
            commands = [f"addr add {own}/31 dev network", "link set network up"]
            for tunnel, end, _ in gateway.sessions:
                device, wire = _device(tunnel), _wire(tunnel, end.cloud)
                links.append(self._veth(gateway.name, device, INTERNET, wire))
                prefix = IPv4Network(tunnel.inside).prefixlen
                commands += [
                    f"addr add {end.address}/{prefix} dev {device}",
                    f"link set {device} mtu {TCP_MSS + _HEADERS} up",
                ]
            inside[gateway.name] = commands
        inside[INTERNET] = []
        for tunnel in plan.tunnels:
            inside[INTERNET] += [f"link add {_device(tunnel)} type bridge", f"link set {_device(tunnel)} up"]
            for end in tunnel.ends:
                wire = _wire(tunnel, end.cloud)
                inside[INTERNET] += [f"link set {wire} master {_device(tunnel)}", f"link set {wire} up"]
        spaces.links(links)
        for name, lines in inside.items():
            spaces.ip(name, lines)

    def _veth(self, one: str, device: str, other: str, peer: str) -> str:
        full = self.namespaces.full
        return f"link add {device} netns {full(one)} type veth peer name {peer} netns {full(other)}"

    def established(self) -> Counter[Tunnel]:
        """How many of its two ends say that a tunnel's session is established."""
        said = {gateway.name: self._daemons[gateway.name].sessions() for gateway in self.plan.gateways}
        up: Counter[Tunnel] = Counter()
        for gateway in self.plan.gateways:
            for tunnel, _, _ in gateway.sessions:
                up[tunnel] += said[gateway.name].get(session(tunnel.pair, tunnel.index)) == "Established"
        return up

    def await_established(self, limit: float, pairs: frozenset[str] = frozenset()) -> float:
        """Waits until both ends of every tunnel (of these pairs) are established, and inside the regions too.

        Returns:
            Seconds that it took.

        Raises:
            SandboxError: it did not happen in time.
        """
        began = time.monotonic()
        wanted = [tunnel for tunnel in self.plan.tunnels if not pairs or tunnel.pair in pairs]
        while True:
            up = self.established()
            inner = [
                s for network in self.plan.networks.values() for s in self._daemons[network.name].sessions().items()
            ]
            down = [f"{_device(t)}: {up[t]} of 2 ends" for t in wanted if up[t] < len(t.ends)]
            down += [name for name, state in inner if state != "Established"]
            if not down:
                return time.monotonic() - began
            if time.monotonic() - began > limit:
                logs = "\n".join(filter(None, (daemon.log()[-500:] for daemon in self._daemons.values())))
                raise SandboxError(f"Not established after {limit} s: {'; '.join(down)}\n{logs}", "The logs say why.")
            time.sleep(0.1)

    def hold_seconds(self) -> dict[tuple[Tunnel, Cloud], int]:
        """The hold time that each end of each established session has agreed to."""
        found: dict[tuple[Tunnel, Cloud], int] = {}
        for gateway in self.plan.gateways:
            for tunnel, _, _ in gateway.sessions:
                said = self._daemons[gateway.name].ask(f"show protocols all {session(tunnel.pair, tunnel.index)}")
                if agreed := re.search(r"Hold timer: +[\d.]+/(\d+)", said):
                    found[tunnel, gateway.cloud] = int(agreed[1])
        return found

    def next_hops(self, cloud: Cloud, destination: Cloud) -> dict[str, set[str]]:
        """Next hops in each of the region's gateways for another region's range, as the kernel has them."""
        prefix = self.plan.networks[destination].prefix
        found: dict[str, set[str]] = {}
        for gateway in self.plan.gateways:
            if gateway.cloud == cloud:
                found[gateway.name] = self.namespaces.next_hops(gateway.name, prefix)
        return found

    def direct_tunnels(self, cloud: Cloud, destination: Cloud) -> set[int]:
        """Indexes of the tunnels over which the region reaches another one directly, all its gateways together."""
        hops = set[str]().union(*self.next_hops(cloud, destination).values())
        return {
            tunnel.index
            for tunnel in self.plan.tunnels
            if {end.cloud for end in tunnel.ends} == {cloud, destination} and tunnel.far(cloud).address in hops
        }

    def cut(self, failure: Failure) -> None:
        """Lets packets of these tunnels vanish; a dead instance also leaves its region's network."""
        self.namespaces.ip(INTERNET, [f"link set {_wire(t, t.ends[0].cloud)} nomaster" for t in failure.tunnels])
        if failure.instance:
            self.namespaces.ip(failure.instance, ["link set network down"])

    def mend(self, failure: Failure) -> None:
        """Undoes `cut`; sessions come back by themselves."""
        if failure.instance:
            self.namespaces.ip(failure.instance, ["link set network up"])
        wires = [f"link set {_wire(t, t.ends[0].cloud)} master {_device(t)}" for t in failure.tunnels]
        self.namespaces.ip(INTERNET, wires)

    def interface(self, tunnel: Tunnel, cloud: Cloud, *, up: bool) -> None:
        """Takes one end's interface down, as a gateway does that declares its peer dead, or up again."""
        gateway = self.plan.gateway(tunnel, cloud).name
        self.namespaces.ip(gateway, [f"link set {_device(tunnel)} {'up' if up else 'down'}"])


def _device(tunnel: Tunnel) -> str:
    return f"{tunnel.pair}-{tunnel.index}"


def _wire(tunnel: Tunnel, cloud: Cloud) -> str:
    """The internet's end of a gateway's link: names of interfaces have at most 15 characters."""
    return f"{_device(tunnel)}-{'ab'[[end.cloud for end in tunnel.ends].index(cloud)]}"
