"""Twelve tunnels come up, and what keeps one down is said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from components.plan import mesh
from sandbox.lab.links.ends import End, links, proposals
from tests.deployed import plan

pytestmark = pytest.mark.engine


def test_every_tunnel_of_the_plan_can_come_up_as_both_sides_declare_it(declared: tuple[End, ...]) -> None:
    found = links(declared)
    assert not [link.why for link in found if link.why]
    wanted = Counter(tunnel.pair for pair in mesh.pairs(plan("aws").platform) for tunnel in pair.tunnels)
    assert Counter("-".join(end.cloud for end in link.ends) for link in found) == wanted
    inside = {frozenset(end.inside for end in link.ends) for link in found}
    planned = {
        frozenset(end.address for end in tunnel.ends)
        for pair in mesh.pairs(plan("aws").platform)
        for tunnel in pair.tunnels
    }
    assert inside == planned


def test_no_two_tunnels_share_a_key_and_no_end_tells_its_own(declared: tuple[End, ...]) -> None:
    keys = Counter(end.key for end in declared)
    assert len(keys) == len(declared) // 2
    assert set(keys.values()) == {2}
    assert not any(end.key in repr(end) for end in declared)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda end: replace(end, key="another"), "the pre-shared keys differ"),
        (lambda end: replace(end, ike=proposals(["aes128"], ["sha256"], ["modp2048"])), "no IKE proposal in common"),
        (lambda end: replace(end, esp=proposals(["aes128"], ["sha256"], ["modp2048"])), "no ESP proposal in common"),
        (lambda end: replace(end, inside="169.254.99.1"), "inside addresses do not face each other"),
        (lambda end: replace(end, peer_asn=64999), "AS numbers do not fit"),
        (lambda end: replace(end, peer_outside="198.18.0.9"), "nobody at 198.18.0.9 declares a tunnel"),
    ],
    ids=["key", "ike", "esp", "inside", "asn", "elsewhere"],
)
def test_what_differs_on_one_side_keeps_that_tunnel_down_and_is_said_without_the_key(
    declared: tuple[End, ...], change: Callable[[End], End], why: str
) -> None:
    first, *others = declared
    found = links((change(first), *others))
    down = [link for link in found if link.why]
    assert [link.why for link in found if why in link.why]
    # An end that looks elsewhere leaves the other side alone too.
    assert len(down) == (2 if "nobody" in why else 1)
    assert not any(end.key in link.why for link in down for end in link.ends)


def test_a_tunnel_that_one_side_alone_declares_stays_down(declared: tuple[End, ...]) -> None:
    left = [end for end in declared if end.cloud != "gcp"]
    down = [link for link in links(left) if link.why]
    assert len(down) == len([end for end in declared if end.cloud == "gcp"])
    assert all(re.match(r"nobody at [\d.]+ declares a tunnel to [\d.]+$", link.why) for link in down)
