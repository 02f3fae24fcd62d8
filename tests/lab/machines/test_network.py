"""What passes between machines and what does not, on the real filter: cables and addresses without anything booted."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import pytest

from sandbox.errors import SandboxError
from sandbox.lab.machines.firewall import digest_of, ruleset
from sandbox.lab.machines.lab import METADATA, SWITCH, namespace, port
from sandbox.lab.machines.needs import missing
from sandbox.lab.world import Balancer, Network, Rule
from tests.lab.machines.rig import fleet, machine, until, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.lab.machines.fleet import Fleet
    from sandbox.lab.world import Machine

_T = TypeVar("_T")

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]

A, B, C = machine("a", b"", host=10), machine("b", b"", host=11), machine("c", b"", cloud="azure", host=10)
OPEN, CLOSED = 8500, 8501
ANYWHERE = ("0.0.0.0/0",)
SENDS = tuple(Rule(m.name, "out", allows=True, protocol="any", peers=ANYWHERE) for m in (A, B, C))
TAKES = Rule("b", "in", allows=True, protocol="tcp", peers=(f"{A.address}/32", "10.2.0.0/16"), ports=(OPEN, OPEN))
RULES = (*SENDS, TAKES)
FRONT = "10.1.1.200"
REFUSED_SECONDS = 0.5
"""How long a dropped packet is waited for; a link of memory answers in less than a thousandth of it."""


@pytest.fixture(scope="module")
def cables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Three machines' cables in a filtered switch; every machine listens on both ports, TCP and UDP."""
    with fleet(tmp_path_factory.mktemp("cables") / "lab") as lab:
        network = lab.network
        network.raise_switch()
        for each in (A, B, C):
            network.plug(each)
        network.hold((METADATA, FRONT))
        listeners = [
            inside(lab, each, lambda n=number: listening(n)) for each in (A, B, C) for number in (OPEN, CLOSED)
        ]
        try:
            yield lab
        finally:
            for listener in listeners:
                listener.close()


@pytest.fixture(autouse=True)
def filtered(cables: Fleet) -> None:
    """Every test begins with the same rules."""
    load(cables, *RULES)


def load(lab: Fleet, *rules: Rule, **more: object) -> None:
    lab.network.load(ruleset(world(A, B, C, rules=rules, **more), (METADATA,)))


def inside(lab: Fleet, at: Machine, work: Callable[[], _T]) -> _T:
    return lab.network.namespaces.inside(namespace(at.name), work)


def listening(number: int) -> socket.socket:
    listener = socket.create_server(("", number))

    def serve() -> None:
        with suppress(OSError):
            while True:
                listener.accept()[0].close()

    threading.Thread(target=serve, daemon=True).start()
    return listener


def connect(address: str, number: int, source: str = "") -> bool:
    try:
        socket.create_connection((address, number), REFUSED_SECONDS, (source, 0) if source else None).close()
    except (TimeoutError, ConnectionRefusedError):
        return False
    return True


def reaches(lab: Fleet, one: Machine, other: Machine, number: int) -> bool:
    return inside(lab, one, lambda: connect(other.address, number))


def test_a_rule_lets_one_flow_through_and_no_other(cables: Fleet) -> None:
    assert reaches(cables, A, B, OPEN)
    assert not reaches(cables, A, B, CLOSED)
    assert not reaches(cables, B, A, OPEN)
    load(cables, *SENDS)
    assert not reaches(cables, A, B, OPEN), "a rule that is gone still lets through"
    load(cables, TAKES)
    assert not reaches(cables, A, B, OPEN), "what nobody lets out comes in"


def test_the_first_rule_that_fits_decides(cables: Fleet) -> None:
    deny = Rule("b", "in", allows=False, protocol="any", peers=ANYWHERE)
    load(cables, *SENDS, deny, TAKES)
    assert not reaches(cables, A, B, OPEN)
    load(cables, *SENDS, TAKES, deny)
    assert reaches(cables, A, B, OPEN)


def test_no_rule_leads_from_a_region_to_another_inside_the_switch(cables: Fleet) -> None:
    assert not reaches(cables, C, B, OPEN)
    networks = (Network("aws", "10.1.0.0/16"), Network("azure", "10.2.0.0/16"))
    load(cables, *RULES, Rule("b", "in", allows=True, protocol="any", peers=ANYWHERE), networks=networks)
    assert reaches(cables, A, B, CLOSED)
    assert not reaches(cables, C, B, OPEN)


def test_a_borrowed_address_is_dropped(cables: Fleet) -> None:
    """A would be let in from another address of its region; it takes it and says so."""
    with inside(cables, B, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as heard:
        heard.bind(("", OPEN))
        heard.settimeout(REFUSED_SECONDS)
        load(cables, *SENDS, Rule("b", "in", allows=True, protocol="udp", peers=(f"{A.address}/32", "10.1.1.77/32")))

        def send(text: bytes, source: str) -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                out.bind((source, 0))
                out.sendto(text, (B.address, OPEN))

        inside(cables, A, lambda: send(b"own", A.address))
        assert heard.recv(16) == b"own"
        own = cables.network.namespaces.full(namespace("a"))
        subprocess.run(["ip", "-n", own, "address", "add", "10.1.1.77/32", "dev", "eth0"], check=True)
        try:
            inside(cables, A, lambda: send(b"borrowed", "10.1.1.77"))
            with pytest.raises(TimeoutError):
                heard.recv(16)
        finally:
            subprocess.run(["ip", "-n", own, "address", "del", "10.1.1.77/32", "dev", "eth0"], check=True)


def asked_by(hardware: bytes, address: str, router: str) -> bytes:
    """A frame in which somebody of that address asks for the router's."""
    sender, target = socket.inet_aton(address), socket.inet_aton(router)
    return (
        b"\xff" * 6
        + hardware
        + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1)
        + hardware
        + sender
        + b"\0" * 6
        + target
    )


def neighbours(lab: Fleet, at: Machine) -> set[str]:
    """Addresses that the switch has learnt from a machine's cable."""
    listed = lab.network.namespaces.command(SWITCH, ["ip", "-json", "neighbour", "show", "dev", port(at.name)])
    rows = json.loads(subprocess.run(listed, capture_output=True, text=True, check=True).stdout or "[]")
    return {row["dst"] for row in rows if "lladdr" in row}


def test_the_switch_learns_no_borrowed_address(cables: Fleet) -> None:
    def ask(address: str) -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
            wire.bind(("eth0", 0))
            wire.send(asked_by(wire.getsockname()[4], address, "10.1.1.1"))

    inside(cables, A, lambda: ask("10.1.1.77"))
    inside(cables, A, lambda: ask(A.address))
    until(lambda: A.address in neighbours(cables, A))
    assert "10.1.1.77" not in neighbours(cables, A)


def test_services_are_reached_whatever_the_rules_say_and_the_rest_of_the_switch_as_they_say(cables: Fleet) -> None:
    network = cables.network
    with network.listen(METADATA, 80), network.listen(FRONT, 80):
        load(cables)
        assert inside(cables, A, lambda: connect(METADATA, 80))
        assert not inside(cables, A, lambda: connect(FRONT, 80))
        load(cables, Rule("a", "out", allows=True, protocol="tcp", peers=(f"{FRONT}/32",), ports=(80, 80)))
        assert inside(cables, A, lambda: connect(FRONT, 80))


def test_a_service_sees_the_machines_own_address(cables: Fleet) -> None:
    with cables.network.listen(METADATA, 81) as service:
        service.settimeout(REFUSED_SECONDS * 10)
        inside(cables, A, lambda: connect(METADATA, 81))
        line, (peer, _) = service.accept()
        line.close()
    assert peer == A.address


def test_what_the_switch_sends_is_judged_by_the_receivers_rules(cables: Fleet) -> None:
    def probe(number: int) -> bool:
        return cables.network.inside(lambda: connect(B.address, number, FRONT))

    assert not probe(OPEN)
    load(cables, Rule("b", "in", allows=True, protocol="tcp", peers=(f"{FRONT}/32",), ports=(OPEN, OPEN)))
    assert probe(OPEN)
    assert not probe(CLOSED)


def test_another_table_of_the_switch_outlives_the_filter(cables: Fleet) -> None:
    """What somebody breaks on purpose stays broken while the filter changes."""
    spaces = cables.network.namespaces
    drop = "add table inet broken; add chain inet broken every { type filter hook forward priority 1; policy drop; }"
    subprocess.run(spaces.command(SWITCH, ["nft", drop]), check=True)
    try:
        load(cables, *RULES, replace(TAKES, ports=(CLOSED, CLOSED)))
        assert not reaches(cables, A, B, OPEN)
    finally:
        subprocess.run(spaces.command(SWITCH, ["nft", "delete table inet broken"]), check=True)
    assert reaches(cables, A, B, OPEN)


def test_a_filter_that_the_kernel_refuses_leaves_the_one_that_is_there(cables: Fleet) -> None:
    network = cables.network
    before = network.loaded()
    text = ruleset(world(A, B, C), (METADATA,)).replace("policy drop", "policy nonsense")
    with pytest.raises(SandboxError, match="refuses the lab's packet filter"):
        network.load(text)
    assert network.loaded() == before == digest_of(ruleset(world(A, B, C, rules=RULES), (METADATA,)))
    assert reaches(cables, A, B, OPEN)


def test_a_switch_without_rules_lets_nothing_pass(cables: Fleet) -> None:
    load(cables)
    assert not reaches(cables, A, B, OPEN)
    assert not cables.network.raise_switch(), "a switch that stands is made anew"


def test_two_machines_cannot_have_one_address(cables: Fleet) -> None:
    twin = machine("d", b"", host=10)
    with pytest.raises(SandboxError, match=r"10\.1\.1\.10: another machine"):
        cables.network.plug(twin)
    with pytest.raises(SandboxError, match=r"are both 10\.1\.1\.10"):
        cables.apply(world(A, twin))
    assert namespace("d") not in cables.network.namespaces.standing()


def test_the_switch_holds_fronts_and_routers(cables: Fleet) -> None:
    balancer = Balancer("id", "front", "aws", ("10.1.1.201",), (), last_resort=False)
    held = cables.held(world(A, C, balancers=(balancer,)))
    assert {"10.1.1.1", "10.2.1.1", "10.1.1.201", METADATA} <= set(held)
