"""Which BGP address each instance of the gateway is given, and which of them a tunnel's connection names."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest

from components.clouds.azure.gateway import INSTANCES, addresses_of, inside_addresses
from components.plan.mesh import Pair, Tunnel, pairs_of
from tests.clouds.region import PLATFORM

PAIRS = pairs_of(PLATFORM, "azure")
TUNNELS = [(pair, tunnel) for pair in PAIRS for tunnel in pair.tunnels]


def test_each_instance_has_the_documented_addresses() -> None:
    """Cloud-reference, "VPN mesh"."""
    documented = ("21.2", "22.2", "21.10", "22.10"), ("21.6", "22.6", "21.14", "22.14")
    given = tuple(tuple(inside_addresses(PAIRS, instance)) for instance in range(INSTANCES))
    assert given == tuple(tuple(f"169.254.{end}" for end in ends) for ends in documented)


@pytest.mark.parametrize(("pair", "tunnel"), TUNNELS, ids=lambda item: str(getattr(item, "index", "")))
def test_a_connection_names_its_tunnels_address_and_one_of_the_other_instance(pair: Pair, tunnel: Tunnel) -> None:
    named = addresses_of(pair, tunnel)
    mine = tunnel.end("azure")
    assert named[mine.gateway] == mine.address
    assert all(named[instance] in inside_addresses([pair], instance) for instance in range(INSTANCES))


@pytest.mark.parametrize(("pair", "tunnel"), TUNNELS, ids=lambda item: str(getattr(item, "index", "")))
def test_only_the_tunnels_own_instance_faces_the_peer(pair: Pair, tunnel: Tunnel) -> None:
    """The other one's address must lie in no network that the peer expects on this tunnel."""
    facing = [address for address in addresses_of(pair, tunnel) if IPv4Address(address) in IPv4Network(tunnel.inside)]
    assert facing == [tunnel.end("azure").address]
