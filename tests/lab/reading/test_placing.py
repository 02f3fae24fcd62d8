"""Where the operator sits: in a network, and at nobody's address."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from components.plan import addressing
from components.plan.flows import BALANCERS
from components.plan.spec import CLOUDS, PRIMARY, Cloud
from docs.picture import platform
from sandbox.lab.reading.placing import desk, placed
from tests.lab.machines.rig import machine

PLATFORM = platform()
A, B, C = (
    machine("a", b"x", host=10),
    machine("b", b"y", cloud="azure", host=10),
    machine("c", b"", cloud="gcp", host=9),
)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_plan_and_no_group_gives_the_desks_address_to_anybody(cloud: Cloud) -> None:
    region = PLATFORM.regions[cloud]
    taken = {server.address for name in CLOUDS for server in addressing.all_servers(PLATFORM, name)}
    taken |= {address for product in BALANCERS for address in addressing.front_ends(region, product)}
    for subnet in addressing.subnets(region):
        network = IPv4Network(subnet)
        if network.prefixlen > 24:
            continue
        found = desk([replace(A, subnet=subnet)])
        assert found
        address = IPv4Address(found.address)
        assert address in network
        assert found.address not in taken
        assert found.address not in {given for _, given in placed([subnet], 100)}
        # The first four and the last of a subnet are the cloud's own.
        assert address not in {network[0], network[1], network[2], network[3], network[-1]}


def test_the_desk_is_in_the_primary_and_elsewhere_only_when_that_has_no_machine() -> None:
    assert PRIMARY == "aws"
    for machines, cloud in (([C, B, A], "aws"), ([C, B], "azure"), ([C], "gcp")):
        found = desk(machines)
        assert found
        assert found.cloud == cloud
        assert not found.user_data
    assert desk([]) is None


def test_the_desk_stays_where_it_is_while_machines_come_and_go() -> None:
    more = machine("more", b"", host=11)
    assert desk([A, more, C]) == desk([C, A])
