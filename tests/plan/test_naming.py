"""Names: every cloud takes every name that the plan makes, and tags read alike in all clouds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.plan import naming, secrets, values
from components.plan.addressing import all_servers
from components.plan.flows import BALANCERS
from components.plan.naming import LIMITS, Limit, Names
from components.plan.spec import CLOUDS, PRODUCTS, ROLES, Platform
from tests.plan.platforms import platforms

if TYPE_CHECKING:
    from uuid import UUID

GUID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@given(platforms())
def test_no_cloud_refuses_a_name_of_a_platform_that_is_accepted(platform: Platform) -> None:
    assert values.name(platform.name) is None
    assert list(naming.refused_names(platform)) == []


@given(platforms())
def test_names_of_keys_secrets_groups_and_machines_are_accepted_too(platform: Platform) -> None:
    for cloud in platform.clouds:
        names = Names(platform, cloud)
        made = [(f"{cloud}/secret", names.secret(entry)) for entry in secrets.ENTRIES]
        machines = {"azure": "azure/virtual machine", "gcp": "gcp/compute resource"}
        if cloud in machines:
            made += [(machines[cloud], names.thing(server.name)) for server in all_servers(platform, cloud)]
        if cloud == "aws":
            made += [("aws/security group", names.thing(role)) for role in ROLES]
            made += [("aws/KMS alias", names.key_alias("boundary-worker-auth"))]
        assert [(kind, name, why) for kind, name in made if (why := naming.check(kind, name))] == []


def test_the_longest_name_that_is_accepted_is_one_short_of_the_first_refused() -> None:
    limit = LIMITS["gcp/service account"]
    assert limit.refuses("a" * limit.most) is None
    assert "has 31 characters" in str(limit.refuses("a" * (limit.most + 1)))


@pytest.mark.parametrize(
    ("kind", "accepted", "refused"),
    [
        ("aws/load balancer", "a" * 32, "a" * 33),
        ("aws/load balancer", "a-b", "ab-"),
        ("aws/load balancer", "int-a", "internal-a"),
        ("aws/IAM role", "a" * 64, "a" * 65),
        ("aws/security group", "a-sg", "sg-a"),
        ("aws/KMS alias", "alias/a", "alias/aws/a"),
        ("aws/secret", "a/b", "a b"),
        ("azure/resource group", "rg.a", "rg."),
        ("azure/network resource", "a_", "a."),
        ("azure/virtual machine", "a-b", "a_b"),
        ("azure/key vault", "a" * 24, "a" * 25),
        ("azure/key vault", "a-b", "a--b"),
        ("azure/key vault", "a-1", "1-a"),
        ("azure/secret", "a-b", "a_b"),
        ("azure/managed identity", "abc", "ab"),
        ("gcp/compute resource", "a" * 63, "a" * 64),
        ("gcp/compute resource", "a-b", "A-b"),
        ("gcp/service account", "abcdef", "abcde"),
        ("gcp/key ring", "a_B", "a.b"),
        ("gcp/secret", "a_B", "a.b"),
        ("gcp/DNS zone", "a1", "1a"),
        ("aws/bucket", "a" * 63, "a" * 64),
        ("aws/bucket", "a-b", "a_b"),
        ("azure/storage account", "a" * 24, "a" * 25),
        ("azure/storage account", "1a2", "a-b"),
        ("gcp/bucket", "go-g", "googol"),
        ("gcp/bucket", "a-goog", "a-google"),
    ],
)
def test_a_limit_takes_this_and_refuses_its_neighbour(kind: str, accepted: str, refused: str) -> None:
    assert naming.check(kind, accepted) is None
    assert naming.check(kind, refused)


def test_every_limit_is_keyed_by_its_cloud_and_kind_and_accepts_its_own_bounds() -> None:
    for key, limit in LIMITS.items():
        assert key == f"{limit.cloud}/{limit.kind}"
        assert limit.least <= limit.most
    assert {limit.cloud for limit in LIMITS.values()} == set(CLOUDS)
    assert all(isinstance(limit, Limit) for limit in LIMITS.values())


@given(platforms())
def test_two_platforms_in_one_account_share_no_name(platform: Platform) -> None:
    other = Platform(**{**vars(platform), "name": f"{platform.name[:12]}2x"})
    for cloud in platform.clouds:
        ours, theirs = ({name for _, name in Names(p, cloud).every()} for p in (platform, other))
        assert ours.isdisjoint(theirs)


@given(platforms())
def test_the_key_vaults_global_name_differs_by_subscription_and_environment(platform: Platform) -> None:
    names = Names(platform, "azure")
    elsewhere = Names(Platform(**{**vars(platform), "environment": "test"}), "azure")
    vaults = {names.key_vault(GUID), names.key_vault(GUID.replace("0", "1")), elsewhere.key_vault(GUID)}
    assert len(vaults) == 3
    assert names.key_vault(GUID) == names.key_vault(GUID)


@given(platforms(), st.uuids(), st.uuids())
def test_no_two_buckets_of_the_world_share_a_name(platform: Platform, one: UUID, other: UUID) -> None:
    """In two accounts, of two environments in one, and of all purposes and clouds among each other."""
    elsewhere = Platform(**{**vars(platform), "environment": f"{platform.environment[:60]}-2"})
    accounts = {str(one), str(other)}
    made = [
        _bucket(Names(where, cloud), purpose, account)
        for where in (platform, elsewhere)
        for cloud in platform.clouds
        for purpose in naming.BUCKETS
        for account in accounts
    ]
    assert len(set(made)) == len(made) == 2 * len(platform.clouds) * len(naming.BUCKETS) * len(accounts)
    for cloud in platform.clouds:
        names = Names(platform, cloud)
        kind = "azure/storage account" if cloud == "azure" else f"{cloud}/bucket"
        assert naming.check(kind, names.backups(str(one))) is None
        # Names are judged before the account is known, by names of the same length and letters.
        judged = [len(name) for found, name in names.every() if found == kind]
        assert judged == [len(_bucket(names, purpose, str(one))) for purpose in naming.BUCKETS]


def _bucket(names: Names, purpose: str, account: str) -> str:
    return (names.storage_account if names.cloud == "azure" else names.bucket)(purpose, account)


@given(platforms())
def test_roles_of_one_account_differ_by_region(platform: Platform) -> None:
    for role in ROLES:
        assert platform.regions["aws"].name in Names(platform, "aws").identity(role)


@given(platforms())
def test_tags_hold_what_the_runbook_searches_by_and_fit_every_cloud(platform: Platform) -> None:
    for cloud in platform.clouds:
        for product in (None, *PRODUCTS):
            tags = naming.tags(platform, cloud, product)
            assert tags["Project"] == "hashicorp-multicloud"
            assert {"Environment", "Cloud", "Region", "Cluster", "Product", "Owner", "ManagedBy"} <= set(tags)
            assert all(re.fullmatch(r"[\w .:/=+@-]{1,256}", value) for value in tags.values())
            labels = naming.labels(tags)
            assert labels["project"] == "hashicorp-multicloud"
            assert len(labels) == len(tags)
            assert all(re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key) for key in labels)
            assert all(re.fullmatch(r"[a-z0-9_-]{1,63}", value) for value in labels.values())


@given(st.dictionaries(st.from_regex(r"[A-Z][A-Za-z]{0,20}", fullmatch=True), st.text(max_size=300)))
@example({"Owner": f"{'o' * 62} and others"})
def test_labels_have_googles_form_whatever_the_tag(tags: dict[str, str]) -> None:
    labels = naming.labels(tags)
    assert all(re.fullmatch(r"[a-z0-9_-]{0,63}", value) for value in labels.values())
    assert naming.labels(labels) == labels


@given(platforms())
def test_a_cluster_is_known_by_its_product_on_the_primary_and_by_its_cloud_elsewhere(platform: Platform) -> None:
    for product in BALANCERS:
        found = [naming.service_label(product, cloud, platform.primary) for cloud in platform.clouds]
        assert found == [product if cloud == "aws" else f"{product}-{cloud}" for cloud in platform.clouds]
