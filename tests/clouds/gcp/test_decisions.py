"""What the package decides by itself, without any cloud."""

from __future__ import annotations

import dataclasses
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.clouds.gcp.balancer import expected_body
from components.clouds.gcp.compute import image_path
from components.clouds.gcp.firewall import ranges
from components.clouds.gcp.gateway import peer_interfaces, place
from components.clouds.gcp.network import egress_addresses, proxy_subnet
from components.clouds.gcp.seal import locations
from components.clouds.gcp.storage import below, subject
from components.plan import addressing
from components.plan.backup import WRITING_ROLES, prefixes
from components.plan.federation import federated
from components.plan.flows import BALANCERS
from components.plan.mesh import pairs_of
from components.plan.spec import Region, Role
from tests.clouds.gcp.region import STACK
from tests.clouds.region import PLATFORM

REGION = PLATFORM.regions["gcp"]
LEADER = BALANCERS["consul"].check


def _regions() -> st.SearchStrategy[Region]:
    """Regions of every size that the plan takes."""
    blocks = st.sampled_from(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]).map(IPv4Network)

    def within(block: IPv4Network) -> st.SearchStrategy[str]:
        prefixes = st.integers(max(addressing.SMALLEST_PREFIX, block.prefixlen), addressing.LARGEST_PREFIX)
        return prefixes.flatmap(
            lambda prefix: st.integers(0, 2 ** (prefix - block.prefixlen) - 1).map(
                lambda number: str(IPv4Network((int(block.network_address) + (number << (32 - prefix)), prefix)))
            )
        )

    return blocks.flatmap(within).map(lambda cidr: dataclasses.replace(REGION, cidr=cidr))


@given(_regions(), st.data())
def test_a_leader_of_the_region_passes_the_check_and_no_leader_fails(region: Region, data: st.DataObject) -> None:
    body = expected_body(LEADER, region)
    network = IPv4Network(region.cidr)
    address = IPv4Address(data.draw(st.integers(int(network[0]), int(network[-1]))))
    assert body
    assert f'"{address}:8300"'.startswith(body)
    assert not '""'.startswith(body)


def test_a_check_that_reads_no_body_expects_none() -> None:
    assert expected_body(BALANCERS["vault"].check, REGION) is None


@given(_regions())
def test_proxies_stand_apart_from_every_machine(region: Region) -> None:
    proxies = IPv4Network(proxy_subnet(region))
    machines = [
        IPv4Network(subnet(region, zone))
        for subnet in (addressing.server_subnet, addressing.client_subnet)
        for zone in range(addressing.ZONES)
    ]
    assert proxies.subnet_of(IPv4Network(region.cidr))
    assert not any(proxies.overlaps(other) for other in machines)
    assert proxies.prefixlen <= 26, "Google takes no smaller subnet for proxies"


@pytest.mark.parametrize(
    ("purpose", "recoverable", "places"),
    [
        ("vault-seal", True, ("us",)),
        ("nomad-keyring", True, ("us",)),
        ("secrets", True, ("us-west1", "us-central1")),
        ("backup", True, ("us",)),
        ("disk", False, ("us-west1",)),
        ("audit", False, ("us-west1",)),
    ],
)
def test_a_key_lies_where_it_outlives_what_it_must(
    purpose: str,
    recoverable: bool,  # noqa: FBT001 - a row of the table
    places: tuple[str, ...],
) -> None:
    assert locations(REGION, purpose, recoverable=recoverable) == places


@pytest.mark.parametrize(("name", "place"), [("europe-west4", "europe"), ("asia-east1", "asia")])
def test_other_continents_have_multi_regions_too(name: str, place: str) -> None:
    assert locations(dataclasses.replace(REGION, name=name), "vault-seal", recoverable=True) == (place,)


def test_an_image_is_named_in_full() -> None:
    assert image_path(STACK.image) == "projects/ubuntu-os-cloud/global/images/ubuntu-2404-noble-amd64-v20250701"


def test_sources_mean_whole_regions_and_peers_leave_out_the_own_one() -> None:
    assert ranges(STACK, ("peers",)) == ["10.1.0.0/16", "10.2.0.0/16"]
    assert ranges(STACK, ("mesh",)) == ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"]
    alone = dataclasses.replace(PLATFORM, regions={"gcp": REGION})
    assert ranges(dataclasses.replace(STACK, platform=alone), ("peers",)) == []


def test_a_gateway_of_google_has_two_interfaces_and_leads_each_to_the_peers_addresses_in_awss_order() -> None:
    layout = {
        pair.name: {
            gateway: [
                (place(tunnel)[1], list(peer_interfaces(pair, gateway)).index(tunnel.far("gcp").gateway))
                for tunnel in pair.tunnels
                if place(tunnel)[0] == gateway
            ]
            for gateway in {place(tunnel)[0] for tunnel in pair.tunnels}
        }
        for pair in pairs_of(PLATFORM, "gcp")
    }
    assert layout == {
        # Interfaces 0 and 1 of the peer are one connection of AWS, and it ends at one interface of ours.
        "aws-gcp": {0: [(0, 0), (0, 1), (1, 2), (1, 3)]},
        "azure-gcp": {0: [(0, 0), (1, 1)], 1: [(0, 0), (1, 1)]},
    }


@given(st.integers(1, 7), st.integers(3, 60))
def test_the_nat_never_runs_out_of_ports(servers: int, clients: int) -> None:
    platform = dataclasses.replace(
        PLATFORM, servers={"consul": servers}, clients=dataclasses.replace(PLATFORM.clients, maximum=clients)
    )
    needed = (servers + clients + addressing.ZONES) * 8192
    assert 0 <= egress_addresses(platform) * 64512 - needed < 64512


def test_a_writer_reaches_every_name_of_its_sets_and_no_other() -> None:
    reached: dict[Role, str] = {role: below("b", prefixes(role, "gcp")) for role in WRITING_ROLES}
    assert reached["vault-server"] == 'resource.name.startsWith("projects/_/buckets/b/objects/vault/gcp/")'
    for role, condition in reached.items():
        assert condition.count("startsWith") == len(prefixes(role, "gcp"))
        assert all(f"/objects/{name}" in condition for name in prefixes(role, "gcp"))


def test_a_role_of_aws_is_known_by_its_name_and_a_token_by_its_subject() -> None:
    # A session's ARN has the role's name and not its path.
    assert subject(federated("aws", "210987654321", "", "arn:aws:iam::210987654321:role/team/vault", "gcp")) == "vault"
    assert subject(federated("azure", "", "tenant", "1b2c/3d", "gcp")) == "1b2c/3d"
