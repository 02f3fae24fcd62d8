"""Regions behind the lab's one switch reach each other through tunnels alone, and only as the receiver's rules say."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import pytest

from sandbox.lab.links.ends import links
from sandbox.lab.links.layout import Gateway, behind_switch, layout
from sandbox.lab.links.needs import missing
from sandbox.lab.links.tunnels import Tunnels
from sandbox.lab.machines import footprint, teardown
from sandbox.lab.machines.firewall import ruleset
from sandbox.lab.machines.fleet import Fleet
from sandbox.lab.machines.lab import METADATA, namespace
from sandbox.lab.machines.processes import started
from sandbox.lab.world import Balancer, Check, Listener, Machine, Network, Rule, World
from tests.lab.links.rig import ALL, HOLD, all_up
from tests.lab.machines.rig import fleet, machine, until

_T = TypeVar("_T")

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]

A, B = machine("a", b"", host=10), machine("b", b"", cloud="azure", host=10)
NEAR = machine("near", b"", host=11)
OPEN, CLOSED, SILENT, FRONT_PORT = 8500, 8501, 8502, 8200
"""Of two ports somebody listens, at the third nobody does."""
EVERYWHERE = ("0.0.0.0/0",)
FRONT = "10.2.1.60"
BALANCER = Balancer(
    "front", "front", "azure", (FRONT,), (Listener(FRONT_PORT, (B.address,), OPEN, Check(1, "/", 1, 1, 1, 1)),), last_resort=True
)  # fmt: skip
SENDS = tuple(Rule(each.name, "out", allows=True, protocol="any", peers=EVERYWHERE) for each in (A, B, NEAR))
TAKES = tuple(
    Rule(each, "in", allows=True, protocol="any", peers=("10.1.0.0/16", "10.2.0.0/16"), ports=(port, port))
    for each, port in ((A.name, OPEN), (B.name, OPEN), (A.name, SILENT), (B.name, SILENT), (BALANCER.id, FRONT_PORT))
)
NETWORKS = (Network("aws", "10.1.0.0/16"), Network("azure", "10.2.0.0/16"))
REFUSED_SECONDS = 0.5
"""How long a dropped packet is waited for."""
_RECVTTL, _TTL = 12, 64


@dataclass
class Switched:
    """A lab of two regions with cables and no machines booted."""

    fleet: Fleet
    tunnels: Tunnels

    def load(self, *rules: Rule) -> None:
        world = World((A, B, NEAR), rules, (BALANCER,), NETWORKS)
        self.fleet.network.load(ruleset(world, (METADATA,)))

    def inside(self, at: Machine, work: Callable[[], _T]) -> _T:
        return self.fleet.network.namespaces.inside(namespace(at.name), work)

    def reaches(self, one: Machine, address: str, port: int = OPEN) -> bool:
        return self.inside(one, lambda: connects(address, port))

    def linked(self) -> None:
        """Waits until every tunnel is up and leads somewhere."""

        def up() -> bool:
            self.tunnels.apply(ALL)
            return all_up(list(self.tunnels.status(ALL))) and self.reaches(A, B.address) and self.reaches(B, A.address)

        until(up, lambda: self.tunnels.status(ALL))

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Nothing passes between gateways, and BGP has noticed."""
        for link in links(ALL):
            self.tunnels.cut(link)
        try:
            until(lambda: not any(status.up for status in self.tunnels.status(ALL)))
            yield
        finally:
            for link in links(ALL):
                self.tunnels.mend(link)

    def gateway(self, cloud: str) -> Gateway:
        found = layout(ALL, behind_switch(NETWORKS)).gateways
        return next(gateway for gateway in found if gateway.region.cloud == cloud)


def connects(address: str, port: int, source: str = "") -> bool:
    try:
        socket.create_connection((address, port), REFUSED_SECONDS, (source, 0) if source else None).close()
    except OSError:
        return False
    return True


def listening(port: int, address: str = "") -> socket.socket:
    listener = socket.create_server((address, port))

    def serve() -> None:
        with suppress(OSError):
            while True:
                listener.accept()[0].close()

    threading.Thread(target=serve, daemon=True).start()
    return listener


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switched]:
    with fleet(tmp_path_factory.mktemp("switched") / "lab") as made:
        network = made.network
        network.raise_switch()
        for each in (A, B, NEAR):
            network.plug(each)
        network.hold((METADATA, FRONT))
        switched = Switched(made, Tunnels(made.lab, behind_switch(NETWORKS), plain=True, hold=HOLD))
        held = [switched.inside(each, lambda n=port: listening(n)) for each in (A, B, NEAR) for port in (OPEN, CLOSED)]
        held.append(network.inside(lambda: listening(FRONT_PORT, FRONT)))
        try:
            yield switched
        finally:
            for listener in held:
                listener.close()


@pytest.fixture(autouse=True)
def linked(request: pytest.FixtureRequest) -> None:
    if "lab" in request.fixturenames:
        lab: Switched = request.getfixturevalue("lab")
        lab.load(*SENDS, *TAKES)
        lab.linked()


def test_a_packet_takes_the_tunnels_and_no_other_way(lab: Switched) -> None:
    def arrived(by: Machine) -> int:
        """Routers on the way to B."""
        with lab.inside(B, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as there:
            there.setsockopt(socket.IPPROTO_IP, _RECVTTL, 1)
            there.settimeout(REFUSED_SECONDS * 10)
            there.bind(("", OPEN))
            with lab.inside(by, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as here:
                here.sendto(b"ping", (B.address, OPEN))
            _, [(_, _, left)], _, _ = there.recvmsg(16, 64)
            return _TTL - int.from_bytes(left, sys.byteorder)

    assert arrived(A) == 4, "not switch, gateway, gateway, switch"
    with lab.cut():
        assert not lab.reaches(A, B.address)
        assert not lab.reaches(B, A.address)
        assert not lab.reaches(A, FRONT, FRONT_PORT)
        assert lab.reaches(NEAR, A.address), "a region falls apart with its tunnels"
    lab.linked()


def test_without_tunnels_regions_are_apart(lab: Switched) -> None:
    lab.tunnels.remove()
    assert not lab.reaches(A, B.address)
    assert not lab.reaches(A, FRONT, FRONT_PORT)
    assert lab.reaches(B, FRONT, FRONT_PORT)


def test_both_the_senders_and_the_receivers_rules_decide(lab: Switched) -> None:
    assert not lab.reaches(A, B.address, CLOSED)
    lab.load(*TAKES)
    assert not lab.reaches(A, B.address), "what nobody lets out comes in"
    lab.load(*SENDS, *(rule for rule in TAKES if rule.machine != B.name))
    assert not lab.reaches(A, B.address)
    assert lab.reaches(B, A.address)
    lab.load(*SENDS, *(replace(rule, peers=("10.2.0.0/16",)) for rule in TAKES))
    assert not lab.reaches(A, B.address), "a rule for the own region lets another one in"


def test_an_answer_comes_back_even_if_it_refuses(lab: Switched) -> None:
    """Both halves of the way let it pass: each region remembers what it let through by itself."""
    with pytest.raises(ConnectionRefusedError):
        lab.inside(A, lambda: socket.create_connection((B.address, SILENT), REFUSED_SECONDS * 10))


def test_a_large_answer_passes_though_a_tunnel_takes_less_than_a_cable(lab: Switched) -> None:
    size = 1 << 20
    with lab.inside(B, lambda: socket.create_server(("", SILENT))) as there:

        def answer() -> None:
            line = there.accept()[0]
            with line:
                line.sendall(bytes(size))

        threading.Thread(target=answer, daemon=True).start()
        with lab.inside(A, lambda: socket.create_connection((B.address, SILENT), REFUSED_SECONDS * 20)) as here:
            got = 0
            while part := here.recv(65536):
                got += len(part)
    assert got == size


def test_a_balancer_answers_another_region_as_its_fronts_rules_say(lab: Switched) -> None:
    assert lab.reaches(A, FRONT, FRONT_PORT)
    assert lab.reaches(B, FRONT, FRONT_PORT)
    lab.load(*SENDS, *(rule for rule in TAKES if rule.machine != BALANCER.id))
    assert not lab.reaches(A, FRONT, FRONT_PORT)
    assert not lab.reaches(B, FRONT, FRONT_PORT)


def test_what_the_switch_holds_beside_fronts_is_no_other_regions(lab: Switched) -> None:
    with lab.fleet.network.inside(lambda: listening(CLOSED, FRONT)):
        assert lab.reaches(B, FRONT, CLOSED)
        assert not lab.reaches(A, FRONT, CLOSED)


def test_a_balancer_reaches_its_servers_inside_the_region(lab: Switched) -> None:
    with lab.cut():
        assert lab.fleet.network.inside(lambda: connects(B.address, OPEN, FRONT))
        assert not lab.fleet.network.inside(lambda: connects(B.address, CLOSED, FRONT))
        assert not lab.fleet.network.inside(lambda: connects(A.address, OPEN, FRONT))


def test_a_machine_reaches_no_gateway(lab: Switched) -> None:
    gateway = lab.gateway("aws")
    bgp = 179
    assert lab.fleet.network.inside(lambda: connects(gateway.own_side, bgp, gateway.router_side))
    assert not lab.reaches(A, gateway.own_side, bgp)
    assert not lab.reaches(A, gateway.router_side, bgp)


def sent(source: str, target: str, port: int, text: bytes) -> None:
    """A datagram with whatever source."""
    datagram = struct.pack("!HHHH", 9, port, 8 + len(text), 0) + text
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, _TTL, socket.IPPROTO_UDP, 0, socket.inet_aton(source), socket.inet_aton(target)
    )  # fmt: skip
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as wire:
        wire.sendto(head + datagram, (target, 0))


@pytest.mark.parametrize(
    ("source", "passes"),
    [("10.2.1.99", True), (NEAR.address, False), ("10.1.1.99", False), ("10.3.1.1", False), ("192.0.2.9", False)],
    ids=["other region", "machine", "own region", "region without network", "nobody"],
)
def test_a_gateway_brings_only_what_another_region_sends(lab: Switched, source: str, *, passes: bool) -> None:
    lab.load(*SENDS, *TAKES, Rule(A.name, "in", allows=True, protocol="udp", peers=EVERYWHERE))
    spaces = lab.fleet.network.namespaces
    with lab.inside(A, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as there:
        there.bind(("", CLOSED))
        there.settimeout(REFUSED_SECONDS)
        spaces.inside(lab.gateway("aws").name, lambda: sent(source, A.address, CLOSED, b"told"))
        if passes:
            assert there.recv(16) == b"told"
        else:
            with pytest.raises(TimeoutError):
                there.recv(16)


@pytest.mark.parametrize("source", [B.address, A.address.replace(".10", ".77")], ids=["other region", "own region"])
@pytest.mark.parametrize("target", [NEAR, B], ids=["near", "far"])
def test_a_machine_sends_from_no_address_but_its_own(lab: Switched, source: str, target: Machine) -> None:
    lab.load(*SENDS, *(Rule(each.name, "in", allows=True, protocol="udp", peers=EVERYWHERE) for each in (NEAR, B)))
    with lab.inside(target, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as there:
        there.bind(("", CLOSED))
        there.settimeout(REFUSED_SECONDS)
        lab.inside(A, lambda: sent(A.address, target.address, CLOSED, b"own"))
        assert there.recv(16) == b"own"
        lab.inside(A, lambda: sent(source, target.address, CLOSED, b"borrowed"))
        with pytest.raises(TimeoutError):
            there.recv(16)


def test_nothing_is_left_of_tunnels_whose_lab_is_removed(tmp_path: Path) -> None:
    """Their daemons outlive whoever made them; they end with the lab, whatever ranges its regions had."""
    with fleet(tmp_path / "lab") as made:
        made.network.raise_switch()
        made.network.load(ruleset(World(networks=NETWORKS), ()))
        tunnels = Tunnels(made.lab, behind_switch(NETWORKS), hold=HOLD)

        def up() -> bool:
            tunnels.apply(ALL)
            return all_up(list(tunnels.status(ALL)))

        until(up, lambda: tunnels.status(ALL))
        running = {int(line.removeprefix("process: ")) for line in footprint.of(made.lab) if line.startswith("process")}
        names = {Path("/proc", str(pid), "comm").read_text(encoding="ascii").strip() for pid in running}
        assert names >= {"charon", "bird"}
        teardown.remove(made.lab)
        assert not [pid for pid in running if started(pid)]
        assert footprint.of(made.lab) == []
