"""The lab's network: one switch, which is a router, and a cable to each machine.

Owns the switch's namespace, the machines' namespaces and cables (and the operator's), the addresses that the switch itself holds, and the
filter's place in the kernel. What the filter says is `firewall`'s.

A machine has its planned address alone and its subnet's first address as its router, as on GCP; on the switch every
machine is one route. So no machine sees another's frames, and the host's table of neighbours holds two entries a
machine and not one for every pair.

Dangerous edges:
- A switch without a filter would let everything pass: it gets one that lets nothing pass before its first cable.
- Two machines with one address: the one that came last would get the traffic of both. It is refused.

Source: veth(4), ip-route(8), nft(8).
"""

from __future__ import annotations

import json
import socket
import subprocess
from ipaddress import ip_network
from typing import TYPE_CHECKING, TypeVar

from sandbox.errors import SandboxError
from sandbox.lab.machines.firewall import digest_of, ruleset
from sandbox.lab.machines.lab import PORTS, SWITCH, namespace, number, port
from sandbox.lab.world import World
from sandbox.mesh.namespaces import Namespaces

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.lab.machines.lab import Lab
    from sandbox.lab.world import Machine

_T = TypeVar("_T")


class Network:
    """A lab's network; any process may hold one, and all see the same."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.namespaces = Namespaces(lab.stem, lasting=True)

    @property
    def stands(self) -> bool:
        """Whether the switch is there."""
        return SWITCH in self.namespaces.standing()

    def raise_switch(self) -> bool:
        """Makes the switch unless it is there, whole; says whether it made it."""
        if self.stands and self.loaded():
            return False
        self.namespaces.create([SWITCH])
        # The last step, by which a switch that was not finished is told.
        self.load(ruleset(World((), ()), self._lab.surroundings.reachable))
        return True

    def hold(self, addresses: tuple[str, ...]) -> None:
        """Gives the switch addresses of its own, beside those that it has."""
        self.namespaces.ip(SWITCH, [f"address replace {address}/32 dev lo" for address in addresses])

    def inside(self, work: Callable[[], _T]) -> _T:
        """Does something as a member of the switch, such as opening a socket to listen for machines."""
        return self.namespaces.inside(SWITCH, work)

    def listen(self, address: str, number: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """A socket at an address of the switch, which holds it from now on: where machines find a service."""
        self.hold((address,))

        def opened() -> socket.socket:
            listener = socket.socket(socket.AF_INET, kind)
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((address, number))
                if kind == socket.SOCK_STREAM:
                    listener.listen(128)
            except OSError:
                listener.close()
                raise
            return listener

        return self.inside(opened)

    def plug(self, machine: Machine) -> None:
        """Gives a machine its namespace and its cable; nothing passes that the filter does not let.

        Raises:
            SandboxError: another machine has its address.
        """
        self.seat(machine, namespace(machine.name))

    def seat(self, machine: Machine, own: str) -> None:
        """Gives somebody a namespace with a machine's place in the network.

        Raises:
            SandboxError: another machine has the address.
        """
        name = port(machine.name)
        router = ip_network(machine.subnet)[1]
        holder = self.routed(machine.address)
        if holder not in {"", name}:
            raise SandboxError(
                f"{machine.name} cannot have {machine.address}: another machine of the lab has it ({holder}).",
                "Purge that machine first.",
            )
        spaces = self.namespaces
        spaces.create([own], forwarding=False)
        spaces.links([f"link add eth0 netns {spaces.full(own)} type veth peer name {name} netns {spaces.full(SWITCH)}"])
        spaces.ip(own, [
            "link set eth0 up",
            f"address add {machine.address}/32 dev eth0",
            f"route add {router} dev eth0 scope link src {machine.address}",
            f"route add default via {router} src {machine.address}",
        ])  # fmt: skip
        spaces.ip(SWITCH, [
            f"address replace {router}/32 dev lo",
            f"link set {name} alias {machine.name} group {number(machine.cloud)} up",
            f"route replace {machine.address}/32 dev {name}",
        ])  # fmt: skip

    def unplug(self, machine: str) -> None:
        """Takes a machine's namespace and cable away, as far as they are there."""
        name, own = port(machine), namespace(machine)
        if self.stands and name in self.ports():
            # First, and with both ends: a namespace goes when its last process does, the cable shall go now.
            try:
                self.namespaces.ip(SWITCH, [f"link delete {name}"])
            except SandboxError:
                if name in self.ports():  # unless its namespace was just ending
                    raise
        if own in self.namespaces.standing():
            self.namespaces.end([own])
            self.namespaces.remove([own])

    def ports(self) -> list[str]:
        """The cables in the switch, by their names there."""
        rows = json.loads(self._ask("ip", "-json", "link", "show") or "[]")
        return [row["ifname"] for row in rows if row["ifname"].startswith(PORTS)]

    def loaded(self) -> str:
        """Digest of the filter that the kernel has; empty if it has none of ours."""
        return digest_of(self._ask("nft", "--terse", "list", "table", "arp", "lab"))

    def load(self, text: str) -> bool:
        """Gives the kernel the filter, as a whole; says whether it was another.

        Raises:
            SandboxError: the kernel refuses it, and goes on with the one that it has.
        """
        if self.loaded() == digest_of(text):
            return False
        done = subprocess.run(
            self.namespaces.command(SWITCH, ["nft", "--file", "-"]),
            input=text, text=True, capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SandboxError(
                f"The kernel refuses the lab's packet filter: {done.stderr.strip()[:2000]}",
                "It needs nftables with sets, connection tracking and the tables inet and arp.",
            )
        return True

    def remove(self) -> None:
        """Removes every namespace of the lab, with what still runs in one."""
        standing = self.namespaces.standing()
        self.namespaces.end(standing)
        self.namespaces.remove(standing)

    def routed(self, address: str) -> str:
        """Which port leads to an address; empty if none does."""
        rows = json.loads(self._ask("ip", "-json", "route", "show", "exact", f"{address}/32") or "[]")
        return next((str(row["dev"]) for row in rows if row["dev"].startswith(PORTS)), "")

    def _ask(self, *command: str) -> str:
        return subprocess.run(
            self.namespaces.command(SWITCH, command), capture_output=True, text=True, check=False
        ).stdout
