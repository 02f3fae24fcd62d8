"""The platform's vocabulary, geography, federation and promises."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.plan import checks, geography, objectives, values
from components.plan.facts import Facts
from components.plan.federation import TRUSTED, federated
from components.plan.server import ServerSpec
from components.plan.sizing import machine
from components.plan.spec import (
    CLOUDS,
    PRODUCTS,
    ROLES,
    SERVER_ROLE,
    Platform,
    Stack,
    cluster_name,
    product_of,
    quorum,
    server_name,
)
from tests.plan.platforms import platforms, ranges, stacks


def test_every_role_belongs_to_one_product_and_every_product_has_servers() -> None:
    assert {product_of(role) for role in ROLES} == set(PRODUCTS)
    assert {product_of(role) for role in SERVER_ROLE.values()} == set(PRODUCTS)
    assert set(ROLES) - set(SERVER_ROLE.values()) == {"nomad-client"}


@given(st.integers(1, 99))
def test_a_quorum_is_the_smallest_number_that_two_sides_cannot_both_have(voters: int) -> None:
    assert 2 * quorum(voters) > voters >= 2 * (quorum(voters) - 1)


@given(stacks())
def test_a_region_has_all_others_as_peers_and_never_itself(stack: Stack) -> None:
    platform = stack.platform
    peers = platform.peers(stack.cloud)
    assert stack.region not in peers
    assert {region.cloud for region in (*peers, stack.region)} == set(platform.clouds)
    assert stack.is_primary == (stack.cloud == platform.primary)


@given(platforms())
def test_clouds_come_in_the_platforms_order_however_they_are_written(platform: Platform) -> None:
    turned = Platform(**{**vars(platform), "regions": MappingProxyType(dict(reversed(list(platform.regions.items()))))})
    assert turned.clouds == platform.clouds
    assert turned.peers("aws") == platform.peers("aws")


def test_server_names_count_from_one() -> None:
    assert server_name("consul", "aws", 0) == "consul-aws-1"
    assert cluster_name("vault", "gcp") == "vault-gcp"


def test_a_machine_serves_the_product_of_its_role() -> None:
    size = machine("small", "aws", "nomad-client")
    assert ServerSpec("nomad-client", "nomad-client", None, None, size, (), (), (), (), ()).product == "nomad"


def test_nothing_readable_breaks_no_rule() -> None:
    assert list(checks.problems(Facts())) == []


@given(ranges(1))
def test_every_private_range_that_the_plan_fits_is_accepted(cidrs: list[str]) -> None:
    assert values.cidr(cidrs[0]) is None


@given(platforms())
def test_regions_zones_and_recovery_of_the_three_clouds_are_accepted(platform: Platform) -> None:
    for cloud, region in platform.regions.items():
        assert geography.region(cloud, region.name) is None
        assert geography.zones(cloud, region.name, region.zones) is None
        assert geography.recovery(cloud, region.name, region.recovery) is None
        for other in CLOUDS:
            assert geography.is_region(other, region.name) == (other == cloud)


def test_azures_pairs_are_regions_with_zones_and_lead_elsewhere() -> None:
    for name, pair in geography.AZURE_PAIRS.items():
        assert geography.region("azure", name) is None
        assert geography.is_region("azure", pair)
        assert pair != name


@pytest.mark.parametrize(
    "name",
    ["us-east-1", "eu-central-2", "ap-southeast-7", "ap-northeast-1", "ca-west-1", "me-south-1", "us-gov-east-1"],
)
def test_regions_of_aws_are_known_by_their_spelling(name: str) -> None:
    assert [cloud for cloud in CLOUDS if geography.is_region(cloud, name)] == ["aws"]


@pytest.mark.parametrize(
    "name", ["europe-west10", "northamerica-northeast2", "asia-southeast1", "me-central1", "europe-southwest1"]
)
def test_regions_of_gcp_are_known_by_their_spelling(name: str) -> None:
    assert [cloud for cloud in CLOUDS if geography.is_region(cloud, name)] == ["gcp"]


def test_machines_of_other_clouds_prove_themselves_to_whom_they_can_convince() -> None:
    azure = federated("azure", "subscription-1", "tenant-1", "object-1", "aws")
    assert (azure.issuer, azure.subject) == ("https://sts.windows.net/tenant-1/", "object-1")
    gcp = federated("gcp", "project-1", "unused", "account-1", "aws")
    assert (gcp.issuer, gcp.subject, gcp.audience) == (
        "https://accounts.google.com",
        "account-1",
        TRUSTED["gcp", "aws"],
    )
    with pytest.raises(ValueError, match="no proof"):
        federated("aws", "", "", "", "azure")


def test_a_certificate_is_renewed_long_before_it_ends_and_never_outlives_its_root() -> None:
    assert 24 < objectives.CERTIFICATE_RENEWAL_HOURS < objectives.CERTIFICATE_HOURS < objectives.CA_HOURS


@given(platforms())
def test_a_zones_label_tells_region_and_zone_on_every_cloud(platform: Platform) -> None:
    labels = [region.zone_label(zone) for region in platform.regions.values() for zone in range(len(region.zones))]
    assert len(set(labels)) == len(labels)
    for region in platform.regions.values():
        for zone, name in enumerate(region.zones):
            label = region.zone_label(zone)
            assert label.startswith(region.name)
            assert label.endswith(name)
