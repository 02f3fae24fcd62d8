"""Both sides of a tunnel find its names and numbers by themselves, and what daemons are told is what was declared."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.plan.mesh import DPD_SECONDS, TCP_MSS
from sandbox.errors import SandboxError
from sandbox.lab.links import rendering
from sandbox.lab.links.ends import End
from sandbox.lab.links.layout import (
    Layout,
    Region,
    device,
    initiates,
    layout,
    network_id,
    session,
    vtep,
)
from tests.lab.links.rig import HOLD, PLATFORM, ends

REGIONS = tuple(Region(cloud, region.cidr, f"network-{cloud}") for cloud, region in PLATFORM.regions.items())
ALL = [end for pair in combinations(sorted(PLATFORM.clouds), 2) for end in ends(*pair)]
OUTSIDE = st.integers(int(IPv4Address("198.18.0.0")), int(IPv4Address("198.19.255.255"))).map(
    lambda number: str(IPv4Address(number))
)


def whole(found: list[End] = ALL) -> Layout:
    return layout(found, REGIONS)


def far(end: End) -> End:
    (other,) = (each for each in ALL if (each.outside, each.peer_outside) == (end.peer_outside, end.outside))
    return other


@pytest.mark.parametrize("end", ALL, ids=lambda end: end.id)
def test_both_ends_agree_on_what_carries_the_tunnel_and_on_who_opens_it(end: End) -> None:
    other = far(end)
    assert network_id(end) == network_id(other)
    assert initiates(end) != initiates(other)
    told, heard = rendering.tunnel(end), rendering.tunnel(other)
    assert (told["own_vtep"], told["peer_vtep"]) == (heard["peer_vtep"], heard["own_vtep"])
    assert told["secret"] == heard["secret"]


def test_a_gateway_tells_its_tunnels_apart() -> None:
    gateways = whole().gateways
    assert sum(len(gateway.ends) for gateway in gateways) == len(ALL)
    for gateway in gateways:
        for naming in (device, session, network_id):
            assert len({naming(end) for end in gateway.ends}) == len(gateway.ends)


@given(st.sets(OUTSIDE, min_size=2, max_size=8))
def test_no_two_addresses_of_the_simulated_clouds_share_a_name_or_an_address_inside(addresses: set[str]) -> None:
    (region, *_) = REGIONS
    found = [replace(ALL[0], outside=address, peer_outside="198.18.255.1") for address in addresses]
    gateways = layout(found, [region]).gateways
    for gateway in gateways:
        assert all(len(name) <= 15 for name in (gateway.cable, gateway.wire, device(gateway.ends[0])))
    inside = [
        address for gateway in gateways for address in (gateway.own_side, gateway.router_side, vtep(gateway.outside))
    ]
    assert len(set(inside)) == 3 * len(addresses)
    assert all(IPv4Address(address) in IPv4Network("100.64.0.0/10") for address in inside)
    assert len({name for gateway in gateways for name in (gateway.name, gateway.cable, gateway.wire)}) == 3 * len(
        addresses
    )


def test_adding_or_removing_tunnels_changes_nothing_for_the_others() -> None:
    few = {gateway.outside: gateway for gateway in whole(ALL[:8]).gateways}
    for gateway in whole().gateways:
        if gateway.outside in few:
            less = few[gateway.outside]
            assert (less.name, less.own_side, less.cable) == (gateway.name, gateway.own_side, gateway.cable)
            texts = [rendering.gateway_speech(each, HOLD) for each in (less, gateway)]
            sessions = [re.findall(r"protocol bgp \w+ \{.*?\n\}", text, re.DOTALL) for text in texts]
            assert set(sessions[0]) <= set(sessions[1])


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([ALL[0], replace(ALL[0], outside="198.34.0.16")], "cannot both be gateways"),
        ([ALL[0], replace(ALL[0], cloud="gcp")], "Two regions hold"),
        ([ALL[0], replace(ALL[0], id="another")], "2 tunnels to"),
    ],
    ids=["bits", "regions", "twice"],
)
def test_what_could_not_be_told_apart_is_refused(found: list[End], said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        whole(found)


def test_an_end_without_its_regions_network_is_refused() -> None:
    with pytest.raises(SandboxError, match="whose network the lab does not have"):
        layout(ALL, REGIONS[:1])


def test_charon_is_told_exactly_what_each_end_declares() -> None:
    end = replace(
        ALL[0], ike=frozenset({"aes256-sha256-modp2048", "aes128-sha256-ecp256"}), esp=frozenset({"aes256gcm16-ecp384"})
    )
    (gateway,) = whole([end]).gateways
    text = rendering.tunnels(gateway)
    assert re.findall(r"^ +proposals = (.*)$", text, re.MULTILINE) == ["aes128-sha256-ecp256, aes256-sha256-modp2048"]
    assert re.findall(r"^ +esp_proposals = (.*)$", text, re.MULTILINE) == ["aes256gcm16-ecp384"]
    assert re.findall(r"^ +(?:id|id-own|id-peer) = (.*)$", text, re.MULTILINE) == [end.outside, end.peer_outside] * 2
    assert re.findall(r"^ +version = (.*)$", text, re.MULTILINE) == ["2"]
    # The peer's own address may not be among what is protected: what protects would have to be protected too.
    assert not any(end.peer_outside in line for line in re.findall(r"_ts = .*", text))


@given(st.text(min_size=1, max_size=64))
def test_no_key_means_anything_to_the_parser(key: str) -> None:
    (gateway,) = whole([replace(ALL[0], key=key)]).gateways
    (said,) = re.findall(r"^ +secret = 0s([A-Za-z0-9+/=]+)$", rendering.tunnels(gateway), re.MULTILINE)
    assert base64.b64decode(said).decode() == key


@pytest.mark.parametrize("seconds", [DPD_SECONDS, 45, 60])
def test_a_silent_peer_is_dead_when_the_end_says(seconds: int) -> None:
    delay = rendering.dpd_delay(replace(ALL[0], dead_after=seconds))
    assert abs(delay + rendering.GIVE_UP_SECONDS - seconds) < 1


def test_a_segment_of_the_plan_fits_a_tunnel() -> None:
    assert rendering.MTU - 20 - 20 == TCP_MSS


def test_bgp_speaks_as_the_end_declares_and_advertises_its_region_alone() -> None:
    end = replace(ALL[0], asn=64999, peer_asn=64998)
    (gateway,) = whole([end]).gateways
    text = rendering.gateway_speech(gateway, HOLD)
    assert f"local {end.inside} as 64999;" in text
    assert f"neighbor {end.peer_inside} as 64998;" in text
    assert re.findall(r"^ +route (\S+) via", text, re.MULTILINE) == [PLATFORM.regions[end.cloud].cidr]
    assert end.key not in text
