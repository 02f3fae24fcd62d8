"""What Google Cloud refuses of disks, machines and groups: each refusal beside its accepted neighbour."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cloud.client import Client, RefusedError
from tests.sandbox.cloud.gcp.ground import DISK, GROUP, INSTANCE, SUBNETWORK, ZONE, Ground, ground, key

MEMBERSHIP = "gcp:compute/instanceGroupMembership:InstanceGroupMembership"
TEMPLATE = "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate"
MANAGER = "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager"
AUTOSCALER = "gcp:compute/regionAutoscaler:RegionAutoscaler"
POLICY = {"type": "PROACTIVE", "minimalAction": "REPLACE", "maxSurgeFixed": 3, "maxUnavailableFixed": 0}
ZONES = [f"us-west1-{letter}" for letter in "abc"]


@pytest.mark.parametrize("type_", [DISK, GROUP])
def test_a_zone_exists(cloud: Client, type_: str) -> None:
    assert "does not exist" in str(cloud.failures(type_, {"name": "it", "zone": "us-west1-z"}))
    assert cloud.failures(type_, {"name": "it", "zone": ZONE}) == []


def test_a_disk_has_a_size_and_only_grows(cloud: Client) -> None:
    assert "10 to 65536" in str(cloud.failures(DISK, {"name": "it", "zone": ZONE, "size": 9}))
    assert "4096 or 16384" in str(cloud.failures(DISK, {"name": "it", "zone": ZONE, "physicalBlockSizeBytes": 512}))
    made = cloud.create(DISK, {"name": "it", "zone": ZONE, "size": 100})
    assert not cloud.diff(made, {**made.inputs, "size": 200}).replaces
    assert "size" in cloud.diff(made, {**made.inputs, "size": 50}).replaces
    assert "zone" in cloud.diff(made, {**made.inputs, "zone": ZONES[1]}).replaces


def test_a_disk_is_attached_in_its_zone_and_once(cloud: Client) -> None:
    found = ground(cloud)
    near = cloud.create(DISK, {"name": "near", "zone": ZONE}, "near")
    far = cloud.create(DISK, {"name": "far", "zone": ZONES[1]}, "far")

    def attached(disk: str) -> list[dict[str, str]]:
        return [{"source": disk, "deviceName": "data"}]

    with pytest.raises(RefusedError, match="must be in the same zone"):
        found.boot(attachedDisks=attached(far.id))
    machine = found.boot(attachedDisks=attached(near.id))
    with pytest.raises(RefusedError, match="already being used by"):
        found.boot("two", attachedDisks=attached(near["selfLink"]))
    with pytest.raises(RefusedError, match="already being used by"):
        cloud.delete(near)
    cloud.delete(machine)
    assert found.boot("two", attachedDisks=attached(near.id)).id


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hostname": "vault-gcp-1"}, "fully qualified"),
        ({"hostname": "Vault.example.com"}, "fully qualified"),
        ({"attachedDisks": [{"source": "a", "deviceName": "x"}, {"source": "b", "deviceName": "x"}]}, "must differ"),
        ({"metadata": {"user data": "x"}}, "not a metadata key"),
        ({"metadata": {"user-data": "x" * 262145}}, "at most 262144"),
        ({"metadata": dict.fromkeys("abc", "x" * 180000)}, "all values together"),
        ({"scheduling": {"provisioningModel": "SPOT", "onHostMaintenance": "MIGRATE"}}, "cannot migrate"),
    ],
)
def test_a_machine_is_described_as_google_takes_it(cloud: Client, changes: dict[str, Any], said: str) -> None:
    found = ground(cloud)
    fine = {"hostname": "vault-gcp-1.example.com", "metadata": {"user-data": "x" * 262144}}
    assert said in str(cloud.failures(INSTANCE, found.machine(**changes)))
    assert cloud.failures(INSTANCE, found.machine(**fine)) == []


def test_machines_have_addresses_of_their_own_in_their_region(cloud: Client) -> None:
    found = ground(cloud)
    inside = {"name": "far", "network": found.network.id, "ipCidrRange": "10.3.9.0/24", "region": "us-central1"}
    far = cloud.create(SUBNETWORK, inside, "far")

    def at(address: str) -> list[dict[str, str]]:
        return [{"subnetwork": found.subnetwork.id, "networkIp": address}]

    with pytest.raises(RefusedError, match="does not lie in the region"):
        found.boot(networkInterfaces=[{"subnetwork": far.id}])
    with pytest.raises(RefusedError, match="outside the subnetwork"):
        found.boot(networkInterfaces=at("10.3.2.10"))
    found.boot(networkInterfaces=at("10.3.1.10"))
    with pytest.raises(RefusedError, match="already being used"):
        found.boot("two", networkInterfaces=at("10.3.1.10"))
    # Whoever asks for none gets the lowest that is free.
    assert found.boot("two")["networkInterfaces"][0]["networkIp"] == "10.3.1.2"


def test_a_machines_disks_need_a_key_that_serves(cloud: Client) -> None:
    found = ground(cloud)
    boot = found.machine()["bootDisk"]
    with pytest.raises(RefusedError, match="Permission denied"):
        found.boot(bootDisk={**boot, "kmsKeySelfLink": key(cloud, user=None, name="closed").id})
    assert found.boot(bootDisk={**boot, "kmsKeySelfLink": key(cloud).id}).id


def test_a_change_that_needs_a_stop_says_so(cloud: Client) -> None:
    made = ground(cloud).boot()
    larger = {**made.inputs, "machineType": "n2-standard-4"}
    with pytest.raises(RefusedError, match="allow_stopping_for_update"):
        cloud.update(made, larger)
    assert cloud.update(made, {**made.inputs, "metadata": {"a": "b"}}).id == made.id
    assert cloud.update(made, {**larger, "allowStoppingForUpdate": True})["machineType"] == "n2-standard-4"


def test_a_machine_is_replaced_by_another_image_not_by_other_metadata(cloud: Client) -> None:
    made = ground(cloud).boot()
    newer = {"initializeParams": {"image": "projects/ubuntu-os-cloud/global/images/newer"}}
    assert "bootDisk.initializeParams.image" in cloud.diff(made, {**made.inputs, "bootDisk": newer}).replaces
    assert not cloud.diff(made, {**made.inputs, "metadata": {"user-data": "new"}}).replaces


def test_the_guard_counts_as_the_last_update_left_it(cloud: Client) -> None:
    made = ground(cloud).boot(deletionProtection=True)
    with pytest.raises(RefusedError, match="Deletion Protection is enabled"):
        cloud.delete(made)
    cloud.delete(cloud.update(made, {**made.inputs, "deletionProtection": False}))


def test_a_machine_joins_a_group_of_its_zone_and_network_by_name(cloud: Client) -> None:
    found, other = ground(cloud), ground(cloud, "other")
    machine = found.boot()
    group, far, strange = found.group(), found.group("far", zone=ZONES[1]), other.group("strange")

    def member(joined: str, zone: str = ZONE) -> dict[str, str]:
        return {"instance": machine["selfLink"], "instanceGroup": joined, "zone": zone}

    assert "not its path" in str(cloud.failures(MEMBERSHIP, member(group.id)))
    with pytest.raises(RefusedError, match="does not lie in the zone"):
        cloud.create(MEMBERSHIP, member(far["name"], ZONES[1]))
    with pytest.raises(RefusedError, match="does not stand in the network"):
        cloud.create(MEMBERSHIP, member(strange["name"]))
    made = cloud.create(MEMBERSHIP, member(group["name"]))
    with pytest.raises(RefusedError, match="memberAlreadyExists"):
        cloud.create(MEMBERSHIP, member(group["name"]), "again")
    with pytest.raises(RefusedError, match="already being used by"):
        cloud.delete(group)
    # A machine that goes leaves its groups by itself.
    cloud.delete(machine)
    assert cloud.read(MEMBERSHIP, made.id).id == ""
    cloud.delete(group)


def _template(found: Ground, **changes: object) -> dict[str, Any]:
    return {
        "namePrefix": "nomad-client-",
        "machineType": "n2-standard-4",
        "disks": [{"boot": True, "sourceImage": "projects/p/global/images/i"}],
        "networkInterfaces": [{"subnetwork": found.subnetwork.id}],
        **changes,
    }


def test_a_template_is_never_changed_and_each_has_a_name_of_its_own(cloud: Client) -> None:
    found = ground(cloud)
    one, two = (cloud.create(TEMPLATE, _template(found), name) for name in ("one", "two"))
    assert one["name"] != two["name"]
    assert one["name"].startswith("nomad-client-")
    assert len(one["name"]) == len("nomad-client-") + 26
    assert "labels" in str(cloud.diff(one, _template(found, labels={"owner": "me"})).replaces)
    assert "together with name" in str(cloud.failures(TEMPLATE, _template(found, name="mine")))
    assert cloud.failures(TEMPLATE, _template(found, namePrefix=None, name="mine")) == []


def _group(template: str, **changes: object) -> dict[str, Any]:
    return {
        "name": "it",
        "baseInstanceName": "it",
        "region": "us-west1",
        "distributionPolicyZones": ZONES,
        "versions": [{"instanceTemplate": template}],
        "updatePolicy": POLICY,
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"updatePolicy": {**POLICY, "maxSurgeFixed": 2}}, "at least the number of zones"),
        ({"updatePolicy": {**POLICY, "maxUnavailableFixed": 1}}, "at least the number of zones"),
        ({"updatePolicy": {**POLICY, "maxSurgeFixed": 0}}, "cannot both be 0"),
        ({"updatePolicy": {**POLICY, "replacementMethod": "RECREATE"}}, "must be 0 with"),
        ({"distributionPolicyZones": ["us-central1-a"]}, "does not lie in us-west1"),
        ({"baseInstanceName": "n" * 59}, "at most 58"),
    ],
)
def test_a_regional_group_rolls_by_zones(cloud: Client, changes: dict[str, Any], said: str) -> None:
    assert said in str(cloud.failures(MANAGER, _group("t", **changes)))
    assert cloud.failures(MANAGER, _group("t")) == []


def test_a_template_in_use_stays_and_a_group_is_scaled_by_one(cloud: Client) -> None:
    template = cloud.create(TEMPLATE, _template(ground(cloud)))
    with pytest.raises(RefusedError, match="referenced resource cannot be found"):
        cloud.create(MANAGER, _group("projects/p/regions/us-west1/instanceTemplates/none"))
    group = cloud.create(MANAGER, _group(template["selfLink"]))
    with pytest.raises(RefusedError, match="already being used by"):
        cloud.delete(template)
    scaling = {"name": "it", "region": "us-west1", "target": group.id}
    bounds = {"minReplicas": 3, "maxReplicas": 9, "cpuUtilization": {"target": 0.7}}
    for wrong, said in (({"maxReplicas": 2}, "less than minReplicas"), ({"cpuUtilization": {"target": 70}}, "at most")):
        assert said in str(cloud.failures(AUTOSCALER, {**scaling, "autoscalingPolicy": {**bounds, **wrong}}))
    cloud.create(AUTOSCALER, {**scaling, "autoscalingPolicy": bounds})
    with pytest.raises(RefusedError, match="already exists"):
        cloud.create(AUTOSCALER, {**scaling, "name": "two", "autoscalingPolicy": bounds}, "two")
