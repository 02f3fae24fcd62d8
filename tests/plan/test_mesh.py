"""The mesh plan: nothing is shared, both ends agree, each cloud accepts its part, and no single loss halves a pair."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations

import pytest
from hypothesis import given

from components.mesh import pair_spec
from components.plan import mesh, resilience, secrets
from components.plan.mesh import TUNNELS, Pair, Tunnel, pairs, pairs_of, status
from components.plan.spec import CLOUDS, Cloud, Platform
from tests.plan.platforms import platforms

LINK_LOCAL = IPv4Network("169.254.0.0/16")
AWS_RESERVED = [IPv4Network(f"169.254.{third}.0/30") for third in range(6)] + [IPv4Network("169.254.169.252/30")]
AZURE_RANGE = (IPv4Address("169.254.21.0"), IPv4Address("169.254.22.255"))
METADATA = IPv4Address("169.254.169.254")
"""What machines of all three clouds ask about themselves."""


def tunnels(platform: Platform) -> list[Tunnel]:
    return [tunnel for pair in pairs(platform) for tunnel in pair.tunnels]


def ends(platform: Platform, cloud: Cloud) -> list[tuple[Pair, Tunnel]]:
    return [(pair, tunnel) for pair in pairs_of(platform, cloud) for tunnel in pair.tunnels]


@given(platforms())
def test_every_two_regions_are_joined_by_four_tunnels(platform: Platform) -> None:
    assert [{pair.a, pair.b} for pair in pairs(platform)] == [
        {one, other} for one, other in combinations(sorted(platform.clouds), 2)
    ]
    for pair in pairs(platform):
        assert [tunnel.index for tunnel in pair.tunnels] == list(range(TUNNELS)) == [0, 1, 2, 3]
        assert {tunnel.pair for tunnel in pair.tunnels} == {pair.name}


@given(platforms())
def test_no_inside_range_address_or_key_is_shared(platform: Platform) -> None:
    found = tunnels(platform)
    assert not any(IPv4Network(one.inside).overlaps(IPv4Network(other.inside)) for one, other in combinations(found, 2))
    addresses = Counter(end.address for tunnel in found for end in tunnel.ends)
    assert all(count == 1 for count in addresses.values())
    assert len({tunnel.key for tunnel in found}) == len(found)


@given(platforms())
def test_every_key_is_an_entry_that_the_secret_store_makes_for_a_tunnel(platform: Platform) -> None:
    made = {entry for entry, spec in secrets.ENTRIES.items() if spec.origin == "tunnel-key"}
    assert {tunnel.key for tunnel in tunnels(platform)} <= made == set(mesh.key_entries())


@given(platforms())
def test_no_two_regions_share_an_autonomous_system_and_every_cloud_accepts_it(platform: Platform) -> None:
    by_cloud: dict[Cloud, set[int]] = {}
    for pair in pairs(platform):
        assert set(pair.asns) == {pair.a, pair.b}
        for cloud, asn in pair.asns.items():
            by_cloud.setdefault(cloud, set()).add(asn)
            assert resilience.asn(asn) is None
            assert asn != 65515
            assert not 65517 <= asn <= 65520
            assert 64512 <= asn <= 65534 or 4_200_000_000 <= asn <= 4_294_967_294
    assert all(len(asns) == 1 for asns in by_cloud.values())
    assert len(set[int]().union(*by_cloud.values())) == len(by_cloud)


@given(platforms())
def test_both_ends_of_a_tunnel_are_the_two_hosts_of_its_range(platform: Platform) -> None:
    for tunnel in tunnels(platform):
        network = IPv4Network(tunnel.inside)
        assert network.prefixlen == 30
        assert {end.address for end in tunnel.ends} == set(map(str, network.hosts()))
        one, other = tunnel.ends
        assert (one.cloud, other.cloud) == tuple(sorted((one.cloud, other.cloud)))
        assert tunnel.end(one.cloud) == tunnel.far(other.cloud) == one
        assert tunnel.end(other.cloud) == tunnel.far(one.cloud) == other


@given(platforms())
def test_inside_addresses_are_what_each_cloud_accepts(platform: Platform) -> None:
    for tunnel in tunnels(platform):
        network = IPv4Network(tunnel.inside)
        clouds = {end.cloud for end in tunnel.ends}
        assert network.subnet_of(LINK_LOCAL)
        assert METADATA not in network
        first, second = map(str, network.hosts())
        if "aws" in clouds:
            assert network not in AWS_RESERVED
            assert tunnel.end("aws").address == first
        if "azure" in clouds:
            assert tunnel.end("azure").address == second
            assert AZURE_RANGE[0] <= network[0]
            assert network[-1] <= AZURE_RANGE[1]


@given(platforms())
def test_losing_any_one_gateway_address_leaves_a_pair_two_tunnels_on_two_ways(platform: Platform) -> None:
    for pair in pairs(platform):
        ways = [(tunnel.end(pair.a).gateway, tunnel.end(pair.b).gateway) for tunnel in pair.tunnels]
        assert len(set(ways)) == TUNNELS, "two tunnels join the same two addresses"
        for cloud in (pair.a, pair.b):
            used = Counter(tunnel.end(cloud).gateway for tunnel in pair.tunnels)
            assert sorted(used) == list(range(pair.addresses(cloud)))
            assert len(used) >= 2
            for lost in used:
                assert sum(count for gateway, count in used.items() if gateway != lost) >= 2


@given(platforms())
def test_tunnels_lie_at_gateway_addresses_as_each_cloud_builds_them(platform: Platform) -> None:
    for pair, tunnel in ends(platform, "aws") if "aws" in platform.clouds else ():
        # A connection is two tunnels to one address of the peer, each with an address of its own.
        assert tunnel.end("aws").gateway == tunnel.index
        other = pair.tunnels[tunnel.index ^ 1]
        assert tunnel.far("aws").gateway == other.far("aws").gateway
    for pair, tunnel in ends(platform, "azure") if "azure" in platform.clouds else ():
        # Two instances, and one tunnel to each of the peer's addresses.
        assert tunnel.end("azure").gateway in {0, 1}
        assert len({each.far("azure").gateway for each in pair.tunnels}) == TUNNELS
    for pair, _ in ends(platform, "gcp") if "gcp" in platform.clouds else ():
        # Whole gateways of two addresses.
        assert pair.addresses("gcp") % 2 == 0


@given(platforms())
def test_both_stacks_of_a_pair_derive_the_same_pair_and_write_the_same_spec(platform: Platform) -> None:
    turned = replace(
        platform,
        regions=dict(reversed(list(platform.regions.items()))),
        asns=dict(reversed(list(platform.asns.items()))),
    )
    for one, other in combinations(platform.clouds, 2):
        (mine,) = (pair for pair in pairs_of(platform, one) if pair.peer(one) == other)
        (theirs,) = (pair for pair in pairs_of(turned, other) if pair.peer(other) == one)
        assert mine == theirs
        assert pair_spec(mine) == pair_spec(theirs)
        assert (mine.peer(one), mine.peer(other)) == (other, one)


@given(platforms())
def test_the_shorter_hold_time_counts_and_never_asks_google_to_outpace_azure(platform: Platform) -> None:
    for pair in pairs(platform):
        offered = [mesh.HOLD_SECONDS[cloud] for cloud in (pair.a, pair.b)]
        assert pair.hold_seconds() == min(offered)
        # A session keeps itself alive three times in a hold time; Azure speaks no more often than once a minute when
        # it is not asked to.
        assert set(pair.asns) != {"azure", "gcp"} or pair.hold_seconds() >= 3 * 60


@given(platforms())
def test_a_platforms_own_pairs_are_those_of_its_regions(platform: Platform) -> None:
    for cloud in platform.clouds:
        assert {pair.peer(cloud) for pair in pairs_of(platform, cloud)} == set(platform.clouds) - {cloud}


def test_the_one_transform_set_is_strong_enough_for_every_policy() -> None:
    assert mesh.IKE_VERSION == 2
    assert mesh.CIPHER_BITS >= 256
    assert mesh.HASH_BITS >= 256
    assert mesh.DH_GROUP in range(14, 22)
    assert 32 <= mesh.KEY_LENGTH <= 64
    assert 30 <= mesh.DPD_SECONDS <= 40
    # AWS's bounds: a child's life is the shorter of the two.
    assert 900 <= mesh.CHILD_LIFETIME_SECONDS <= 3600
    assert mesh.CHILD_LIFETIME_SECONDS < mesh.IKE_LIFETIME_SECONDS <= 28_800
    assert mesh.TCP_MSS <= 1350


@pytest.mark.parametrize(
    ("own", "peer", "said"),
    [(False, False, "planned"), (True, False, "half"), (False, True, "half"), (True, True, "up")],
)
def test_a_tunnels_status_is_what_both_stacks_declare(own: bool, peer: bool, said: str) -> None:  # noqa: FBT001 - a table
    assert status(own=own, peer=peer) == said


def test_every_cloud_offers_a_hold_time() -> None:
    assert set(mesh.HOLD_SECONDS) == set(CLOUDS)
