"""Sizes: every machine has one in every cloud, alike, and none is burstable or starved."""

from __future__ import annotations

import re

import pytest

from components.plan.sizing import CLIENTS, DATABASE, LEAST_SERVERS, SERVERS, machine
from components.plan.spec import CLOUDS, PRODUCTS, RAFT_PRODUCTS, ROLES, Cloud, Profile, Role, quorum
from components.plan.values import voters, workers

PROFILES: tuple[Profile, ...] = ("production", "small")
CORES = {"large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16}


def cores(cloud: Cloud, instance_type: str) -> int:
    """Cores as the cloud writes them into the type's name."""
    if cloud == "aws":
        return CORES[instance_type.partition(".")[2]]
    return int(re.findall(r"D(\d+)s_v5" if cloud == "azure" else r"-(\d+)$", instance_type)[0])


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("profile", PROFILES)
def test_a_role_has_the_same_cores_and_disks_in_every_cloud(profile: Profile, role: Role) -> None:
    sizes = [machine(profile, cloud, role) for cloud in CLOUDS]
    assert len({cores(cloud, machine(profile, cloud, role).instance_type) for cloud in CLOUDS}) == 1
    assert len({(size.data is None, size.audit is None) for size in sizes}) == 1
    assert len({(size.data.iops, size.data.mbps) for size in sizes if size.data}) <= 1


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("role", ROLES)
def test_production_is_larger_than_small_and_never_burstable(role: Role, cloud: Cloud) -> None:
    small, large = machine("small", cloud, role), machine("production", cloud, role)
    assert cores(cloud, small.instance_type) < cores(cloud, large.instance_type)
    assert small.root_gib <= large.root_gib
    if small.data and large.data:
        assert small.data.gib <= large.data.gib
        assert small.data.iops <= large.data.iops
    for size in (small, large):
        assert not re.match(r"t\d|Standard_B|e2-|f1-|g1-", size.instance_type)


def test_state_has_a_disk_of_its_own_and_audit_another() -> None:
    for cloud in CLOUDS:
        with_data = {role for role in ROLES if machine("production", cloud, role).data}
        assert with_data == {f"{product}-server" for product in RAFT_PRODUCTS}
        assert {role for role in ROLES if machine("production", cloud, role).audit} == {"vault-server"}


@pytest.mark.parametrize("profile", PROFILES)
def test_disks_on_gcp_are_large_enough_to_earn_their_speed(profile: Profile) -> None:
    for role in ROLES:
        size = machine(profile, "gcp", role)
        for disk in (size.data, size.audit):
            assert disk is None or disk.gib * 30 >= disk.iops


@pytest.mark.parametrize("profile", PROFILES)
def test_the_profiles_own_numbers_would_be_accepted(profile: Profile) -> None:
    for product in PRODUCTS:
        count = SERVERS[profile][product]
        judge = voters if product in RAFT_PRODUCTS else workers
        assert judge(count) is None
        assert count >= LEAST_SERVERS[profile][product]
    assert 1 <= CLIENTS[profile].minimum <= CLIENTS[profile].maximum


def test_production_survives_the_loss_of_any_one_machine() -> None:
    for product, least in LEAST_SERVERS["production"].items():
        assert least - 1 >= (quorum(least) if product in RAFT_PRODUCTS else 1)


def test_the_database_is_never_burstable_and_has_room_to_grow() -> None:
    for size in DATABASE.values():
        assert re.fullmatch(r"db\.[mr]\w+\.\w+", size.instance_class)
        # Amazon grows a disk only where the most is at least a quarter above what there is.
        assert size.most_gib >= size.gib * 1.26
    assert (
        CORES[DATABASE["small"].instance_class.split(".")[2]]
        < CORES[DATABASE["production"].instance_class.split(".")[2]]
    )
