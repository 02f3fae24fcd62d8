"""Declared links become real tunnels: IPsec and BGP between gateways, each link by itself, and what keeps one down."""

from __future__ import annotations

import os
import signal
import socket
import stat
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from sandbox.lab.links.charon import Charon
from sandbox.lab.links.ends import End, links, proposals
from sandbox.lab.links.layout import INTERNET, layout, session
from sandbox.lab.links.needs import missing
from sandbox.lab.links.rendering import spellings
from tests.lab.links.rig import ALL, FIRST, Rig, all_up, down, gateway_of, rig

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("links"), "aws", "azure") as made:
        yield made


def settled(lab: Rig) -> dict[str, int]:
    """Waits until all that is declared is up."""
    lab.settle(ALL, all_up)
    return agreed(lab)


def agreed(lab: Rig) -> dict[str, int]:
    """charon's number of what it has agreed with each peer, at every gateway."""
    return {
        f"{gateway.outside} {name}": found.number
        for gateway in layout(ALL, lab.regions).gateways
        for name, found in Charon(lab.spaces, gateway.name, lab.lab.folder / "links" / gateway.name)
        .associations()
        .items()
    }


def listed(lab: Rig, gateway: str) -> str:
    """What a gateway's charon has agreed, in its own words."""
    return subprocess.run(
        ["swanctl", "--list-sas", "--uri", "unix://charon.vici"],
        cwd=lab.lab.folder / "links" / gateway, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def established(lab: Rig) -> int:
    """How often anything was agreed, at all gateways together."""
    return sum(listed(lab, gateway.name).count(", ESTABLISHED,") for gateway in layout(ALL, lab.regions).gateways)


def others(numbers: dict[str, int]) -> dict[str, int]:
    """Without the first end's tunnel."""
    pair = {f"{FIRST.outside} {session(FIRST)}", f"{FIRST.peer_outside} to_{FIRST.outside.replace('.', '_')}"}
    return {name: number for name, number in numbers.items() if name not in pair}


def test_all_declared_tunnels_come_up_and_carry_both_ways(lab: Rig) -> None:
    numbers = settled(lab)
    assert len(lab.tunnels.status(ALL)) == 4
    assert len(numbers) == established(lab) == 8, "a tunnel was agreed twice, or by one side alone"
    # Router, gateway, gateway, router.
    lab.settle(ALL, lambda _: lab.hops("aws", "azure") == lab.hops("azure", "aws") == 4)
    assert lab.transfers("aws", "azure", 1 << 20)
    for region in lab.regions:
        (other,) = (each for each in lab.regions if each != region)
        assert len(lab.spaces.next_hops(region.router, other.prefix)) == len(layout(ALL, lab.regions).of(region)), (
            "a gateway has no part in it"
        )


def test_the_internet_sees_nothing_but_ipsec(lab: Rig) -> None:
    settled(lab)
    every_protocol = 3
    with lab.spaces.inside(
        INTERNET, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(every_protocol))
    ) as tap:
        tap.setblocking(False)  # noqa: FBT003 - the socket's own interface
        lab.settle(ALL, lambda _: all(lab.reaches("aws", "azure") for _ in range(8)))
        frames: list[bytes] = []
        with suppress(BlockingIOError):
            while True:
                packet, (_, kind, *_) = tap.recvfrom(65536)
                if kind == 0x0800:
                    frames.append(packet)
    assert len(frames) >= 16
    ports = {struct.unpack("!HH", frame[20:24]) for frame in frames}
    assert {frame[9] for frame in frames} == {socket.IPPROTO_UDP}
    assert ports <= {(500, 500), (4500, 4500)}
    assert not any(b"ping" in frame for frame in frames)


def test_applying_the_same_again_does_nothing(lab: Rig) -> None:
    numbers = settled(lab)
    before = lab.processes()
    assert lab.tunnels.apply(reversed(ALL)) == ()
    assert lab.processes() == before
    assert agreed(lab) == numbers


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda end: replace(end, key="another key, of 48 characters, that nobody knows"), "AUTHENTICATION_FAILED"),
        (lambda end: replace(end, ike=proposals(["aes128"], ["sha256"], ["ecp256"])), "NO_PROPOSAL_CHOSEN"),
        (lambda end: replace(end, esp=proposals(["aes128"], ["sha384"], ["modp2048"])), "NO_PROPOSAL_CHOSEN"),
        (lambda end: replace(end, peer_asn=64999), "Bad peer AS"),
        (lambda end: replace(end, inside="169.254.99.1"), "BGP is"),
    ],
    ids=["key", "ike", "esp", "asn", "inside"],
)
def test_what_one_side_declares_otherwise_fails_by_itself_and_touches_no_other_tunnel(
    lab: Rig, change: Callable[[End], End], said: str
) -> None:
    numbers = others(settled(lab))
    changed = change(FIRST)
    declared = [changed if end == FIRST else end for end in ALL]
    found = lab.settle(declared, down(FIRST, said))
    (bad,) = (status for status in found if status.link.why)
    assert bad.why.startswith(bad.link.why)
    assert not any(spelling in bad.why for end in (FIRST, changed) for spelling in spellings(end.key))
    assert others(agreed(lab)) == numbers
    lab.settle(declared, lambda _: lab.reaches("aws", "azure"))
    lab.settle(ALL, all_up)
    assert others(agreed(lab)) == numbers


@pytest.mark.parametrize(("left", "said"), [(0, "NO_PROPOSAL_CHOSEN"), (1, "not responding")], ids=["opener", "other"])
def test_a_tunnel_that_one_side_alone_declares_stays_down(lab: Rig, left: int, said: str) -> None:
    numbers = others(settled(lab))
    end = ALL[left]
    declared = [each for each in ALL[:2] if each == end] + ALL[2:]
    found = lab.settle(declared, down(end, said))
    (alone,) = (status for status in found if len(status.link.ends) == 1)
    assert alone.link.why in alone.why
    assert others(agreed(lab)) == numbers
    lab.settle(ALL, all_up)
    assert others(agreed(lab)) == numbers
    assert established(lab) == 8, "both sides opened it"


def test_what_both_sides_declare_anew_comes_up_so_and_touches_no_other_tunnel(lab: Rig) -> None:
    numbers = others(settled(lab))
    gcm = {"key": "of another time", "ike": proposals(["aes256gcm16"], ["sha384"], ["ecp384"])}
    one = replace(ALL[0], inside="169.254.21.129", peer_inside="169.254.21.130", **gcm)
    other = replace(ALL[1], inside="169.254.21.130", peer_inside="169.254.21.129", **gcm)
    lab.settle([one, other, *ALL[2:]], all_up)
    said = listed(lab, gateway_of(FIRST))
    assert "AES_GCM_16-256/PRF_HMAC_SHA2_384/ECP_384" in said
    assert others(agreed(lab)) == numbers
    lab.settle(ALL, all_up)
    assert others(agreed(lab)) == numbers


def test_a_removed_tunnel_goes_and_no_other_is_touched(lab: Rig) -> None:
    numbers = others(settled(lab))
    lab.settle(ALL[2:], lambda found: len(found) == 3 and all_up(found))
    assert agreed(lab) == numbers
    assert gateway_of(FIRST) not in lab.spaces.standing()
    assert not (lab.lab.folder / "links" / gateway_of(FIRST)).exists()
    peer = subprocess.run(
        ["ip", "-n", lab.spaces.full(gateway_of(ALL[1])), "-brief", "link"], capture_output=True, text=True, check=True
    ).stdout
    assert peer.count("to-") == 1
    lab.settle(ALL, all_up)
    assert others(agreed(lab)) == numbers


@pytest.mark.parametrize(
    ("killed", "which"), [("charon", 0), ("charon", 1), ("bird", 1)], ids=["charon-opener", "charon-other", "bird"]
)
def test_a_killed_daemon_is_back_with_the_next_that_is_applied(lab: Rig, which: int, killed: str) -> None:
    settled(lab)
    (pid,) = lab.process(gateway_of(ALL[which]), killed)
    before = lab.processes()
    os.kill(pid, signal.SIGKILL)
    lab.settle(ALL, lambda found: all_up(found) and lab.reaches("aws", "azure"))
    assert len(before - lab.processes()) == 1
    (new,) = lab.process(gateway_of(ALL[which]), killed)
    assert new != pid
    # What the peers had agreed with the dead one is gone too.
    lab.settle(ALL, lambda _: len(agreed(lab)) == established(lab) == 8)


def test_a_cut_link_goes_down_silently_and_comes_back_when_it_is_mended(lab: Rig) -> None:
    numbers = others(settled(lab))
    (link,) = (link for link in links(ALL) if FIRST in link.ends)
    lab.tunnels.cut(link)
    try:
        gone = down(FIRST, "cut in the lab")
        # Many flows, so that each way is taken by some.
        lab.settle(ALL, lambda found: gone(found) and all(lab.reaches("aws", "azure") for _ in range(16)))
    finally:
        lab.tunnels.mend(link)
    lab.settle(ALL, all_up)
    assert others(agreed(lab)) == numbers


def test_what_protects_traffic_is_agreed_again_when_it_was_lost_alone(lab: Rig) -> None:
    numbers = settled(lab)
    folder = lab.lab.folder / "links" / gateway_of(FIRST)
    subprocess.run(
        ["swanctl", "--terminate", "--child", session(FIRST), "--uri", "unix://charon.vici"],
        cwd=folder, capture_output=True, check=True,
    )  # fmt: skip
    assert not lab.tunnels.status(ALL)[0].up
    lab.settle(ALL, all_up)
    assert agreed(lab) == numbers, "all was agreed anew, and not what was lost"


def test_no_key_is_anywhere_but_in_files_that_nobody_else_reads(lab: Rig) -> None:
    settled(lab)
    folder = lab.lab.folder / "links"
    holding = 0
    for file in (each for each in folder.rglob("*") if each.is_file()):
        content = file.read_bytes()
        if any(spelling.encode() in content for end in ALL for spelling in spellings(end.key)):
            holding += 1
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
            assert file.name == "swanctl.conf"
    assert holding == 6
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
