"""The address plan: nothing collides, and no zone can take a quorum with it."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations

import pytest
from hypothesis import given

from components.plan import addressing
from components.plan.flows import BALANCERS
from components.plan.spec import RAFT_PRODUCTS, Platform, Region, quorum, server_name
from tests.plan.platforms import platforms

RESERVED = {0, 1, 2, 3, 255}
"""Host numbers that a cloud keeps for itself in each /24 (the last of GCP's, 254, is above every planned one)."""


def fixed(platform: Platform) -> list[str]:
    """Every address that the plan gives away, in all regions."""
    found: list[str] = []
    for cloud in platform.clouds:
        found += [server.address for server in addressing.all_servers(platform, cloud)]
        for product in BALANCERS:
            found += addressing.front_ends(platform.regions[cloud], product)
    return found


@given(platforms())
def test_subnets_lie_in_their_region_and_never_overlap(platform: Platform) -> None:
    for region in platform.regions.values():
        subnets = [IPv4Network(cidr) for cidr in addressing.subnets(region)]
        assert all(subnet.subnet_of(IPv4Network(region.cidr)) for subnet in subnets)
        assert not any(one.overlaps(other) for one, other in combinations(subnets, 2))


@given(platforms())
def test_no_address_is_given_twice_or_taken_from_the_cloud(platform: Platform) -> None:
    addresses = fixed(platform)
    assert max(Counter(addresses).values()) == 1
    assert RESERVED.isdisjoint(int(IPv4Address(address)) % 256 for address in addresses)


@given(platforms())
def test_servers_and_front_ends_stand_in_the_server_subnet_of_their_zone(platform: Platform) -> None:
    for cloud in platform.clouds:
        region = platform.regions[cloud]
        for server in addressing.all_servers(platform, cloud):
            assert IPv4Address(server.address) in IPv4Network(addressing.server_subnet(region, server.zone))
        for product in BALANCERS:
            for zone, address in enumerate(addressing.front_ends(region, product)):
                assert IPv4Address(address) in IPv4Network(addressing.server_subnet(region, zone))


@given(platforms())
def test_clients_never_take_a_planned_address(platform: Platform) -> None:
    planned = [IPv4Address(address) for address in fixed(platform)]
    for region in platform.regions.values():
        for zone in range(addressing.ZONES):
            clients = IPv4Network(addressing.client_subnet(region, zone))
            assert not any(address in clients for address in planned)


@given(platforms())
def test_databases_stand_apart_from_every_machine(platform: Platform) -> None:
    planned = [IPv4Address(address) for address in fixed(platform)]
    for region in platform.regions.values():
        blocks = [IPv4Network(addressing.database_subnet(region, zone)) for zone in range(addressing.ZONES)]
        assert len(set(blocks)) == addressing.ZONES
        assert {str(block) for block in blocks} <= set(addressing.subnets(region))
        assert not any(address in block for address in planned for block in blocks)


@given(platforms())
def test_the_loss_of_any_zone_leaves_every_cluster_its_quorum(platform: Platform) -> None:
    for product in RAFT_PRODUCTS:
        zones = Counter(server.zone for server in addressing.servers(platform, "aws", product))
        voters = zones.total()
        assert voters == platform.servers[product]
        assert all(voters - lost >= quorum(voters) for lost in zones.values())


@given(platforms())
def test_servers_are_named_and_counted_as_configured(platform: Platform) -> None:
    for cloud in platform.clouds:
        servers = addressing.all_servers(platform, cloud)
        assert [server.name for server in servers] == [
            server_name(product, cloud, index) for product, count in platform.servers.items() for index in range(count)
        ]


@given(platforms())
def test_adding_servers_moves_none(platform: Platform) -> None:
    fewer = Platform(**{**vars(platform), "servers": dict.fromkeys(platform.servers, 1)})
    for product in platform.servers:
        assert addressing.servers(fewer, "aws", product) == addressing.servers(platform, "aws", product)[:1]


def test_the_runbooks_addresses_are_the_plans() -> None:
    for number in (1, 2, 3):
        region = Region("aws", "us-west-2", ("a", "b", "c"), f"10.{number}.0.0/16", "us-east-2")
        assert [addressing.server_subnet(region, zone) for zone in range(3)] == [
            f"10.{number}.{zone}.0/24" for zone in (1, 2, 3)
        ]


def test_subnets_of_the_edge_are_as_large_as_the_clouds_demand() -> None:
    edge = addressing.edge_subnets(Region("azure", "westus2", ("1", "2", "3"), "10.2.0.0/16", "westcentralus"))
    least = {"bastion": 26, "gateway": 27, "resolver-inbound": 28, "resolver-outbound": 28, "endpoints": 28}
    assert set(edge) == set(least)
    assert all(IPv4Network(cidr).prefixlen <= least[purpose] for purpose, cidr in edge.items())


def test_a_product_without_balancer_has_no_front_end() -> None:
    region = Region("aws", "us-west-2", ("a", "b", "c"), "10.1.0.0/16", "us-east-2")
    with pytest.raises(ValueError, match="boundary"):
        addressing.front_ends(region, "boundary")


def test_one_subnet_holds_the_most_clients_and_the_machines_that_a_rolling_update_adds() -> None:
    region = Region("gcp", "us-west1", ("a", "b", "c"), "10.3.0.0/16", "us-central1")
    usable = IPv4Network(addressing.client_subnet(region, 0)).num_addresses - len(RESERVED)
    assert usable == addressing.MAX_CLIENTS + addressing.ZONES
