"""Records and certificates: every endpoint resolves, to the right region, and is vouched for."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from urllib.parse import urlsplit

from hypothesis import given

from components.plan.addressing import all_servers, front_ends, servers
from components.plan.certificates import subject
from components.plan.flows import BALANCERS
from components.plan.records import endpoint, records
from components.plan.secrets import CERTIFIED
from components.plan.spec import CLOUDS, SERVER_ROLE, Platform, product_of
from tests.plan.platforms import platforms


@given(platforms())
def test_every_name_stands_once_with_addresses_of_one_region(platform: Platform) -> None:
    table = records(platform)
    assert len({record.name for record in table}) == len(table)
    networks = [IPv4Network(region.cidr) for region in platform.regions.values()]
    for record in table:
        assert record.addresses
        assert sum(all(IPv4Address(a) in network for a in record.addresses) for network in networks) == 1


@given(platforms())
def test_every_endpoint_resolves_to_its_own_balancer_on_a_port_that_it_serves(platform: Platform) -> None:
    table = {f"{record.name}.{platform.domain}": record.addresses for record in records(platform)}
    for cloud in platform.clouds:
        for product, balanced in BALANCERS.items():
            url = urlsplit(endpoint(platform, cloud, product))
            assert url.scheme == "https"
            assert url.hostname
            assert set(table[url.hostname]) <= set(front_ends(platform.regions[cloud], product))
            assert url.port in {listener.front.first for listener in balanced.listeners}


@given(platforms())
def test_every_server_resolves_to_its_planned_address(platform: Platform) -> None:
    table = {record.name: record.addresses for record in records(platform)}
    for cloud in platform.clouds:
        for server in all_servers(platform, cloud):
            assert table[server.name] == (server.address,)


@given(platforms())
def test_only_a_balancer_with_an_address_a_zone_answers_with_several(platform: Platform) -> None:
    for record in records(platform):
        assert len(record.addresses) in ((1, 3) if record.name.startswith(tuple(BALANCERS)) else (1,))
        if record.name.endswith(("-azure", "-gcp")):
            assert len(record.addresses) == 1


@given(platforms())
def test_a_certificate_vouches_for_every_name_and_address_that_leads_to_its_servers(platform: Platform) -> None:
    for cloud in platform.clouds:
        for product in BALANCERS:
            made = subject(platform, cloud, SERVER_ROLE[product])
            assert urlsplit(endpoint(platform, cloud, product)).hostname in made.dns
            assert {f"{s.name}.{platform.domain}" for s in servers(platform, cloud, product)} <= set(made.dns)
            assert {s.address for s in servers(platform, cloud, product)} <= set(made.addresses)
            assert set(front_ends(platform.regions[cloud], product)) <= set(made.addresses)


@given(platforms())
def test_a_certificate_names_only_its_own_role_and_region(platform: Platform) -> None:
    roles = {"consul-server": "server.{}.consul", "nomad-server": "server.{}.nomad", "nomad-client": "client.{}.nomad"}
    for cloud in platform.clouds:
        for role in CERTIFIED:
            made = subject(platform, cloud, role)
            assert len(made.common_name) <= 64
            special = {name for name in made.dns if name.endswith((".consul", ".nomad"))}
            assert special == ({roles[role].format(cloud)} if role in roles else set())
            foreign = [other for other in CLOUDS if other != cloud]
            assert not [name for name in made.dns if name.partition(".")[0].endswith(tuple(f"-{c}" for c in foreign))]
            assert {name.partition(".")[0].partition("-")[0] for name in made.dns} <= {
                product_of(role), "server", "client", "localhost",
            }  # fmt: skip


@given(platforms())
def test_only_the_primary_answers_to_the_bare_product(platform: Platform) -> None:
    for cloud in platform.clouds:
        dns = subject(platform, cloud, "vault-server").dns
        bare = {f"vault.{platform.domain}", f"vault-primary.{platform.domain}"}
        assert bare & set(dns) == (bare if cloud == platform.primary else set())
