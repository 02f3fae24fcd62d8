"""Azure's disks, machines, scale sets, autoscaling and names: each refusal beside its accepted neighbour."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cloud.azure.region import IMAGE, KEYS, Region, attached, disk, machine, os_profile, subnet
from tests.sandbox.cloud.client import RefusedError, Resource

DISK, MACHINE = "azure-native:compute:Disk", "azure-native:compute:VirtualMachine"
SCALE_SET, RECORD = "azure-native:compute:VirtualMachineScaleSet", "azure-native:privatedns:PrivateRecordSet"
AUTOSCALE = "azure-native:monitor:AutoscaleSetting"
ONE = subnet("one", "10.2.1.0/24")


@pytest.fixture
def where(region: Region) -> str:
    return f"{region.network(ONE).id}/subnets/one"


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ({}, {"zones": None}, "stands in a zone"),
        ({}, {"diskSizeGB": None}, "needs a size"),
        ({"diskIOPSReadWrite": 50000, "diskMBpsReadWrite": 1200}, {"diskIOPSReadWrite": 50001}, "3000 to 50000 IOPS"),
        ({}, {"diskIOPSReadWrite": 2999}, "3000 to 50000 IOPS"),
        ({"diskMBpsReadWrite": 750}, {"diskMBpsReadWrite": 751}, "125 to 750 MB/s"),
        (
            {"sku": {"name": "Premium_LRS"}, "diskIOPSReadWrite": None, "diskMBpsReadWrite": None},
            {"sku": {"name": "Premium_LRS"}},
            "performance is bought",
        ),
        (
            {"encryption": {"type": "EncryptionAtRestWithPlatformKey"}},
            {"encryption": {"type": "EncryptionAtRestWithCustomerKey"}},
            "needs a disk encryption set",
        ),
    ],
)
def test_a_disks_form(region: Region, good: dict[str, Any], bad: dict[str, Any], said: str) -> None:
    def inputs(changed: dict[str, Any]) -> dict[str, Any]:
        whole = {"resourceGroupName": "rg", "diskName": "data", **disk(), **changed}
        return {name: value for name, value in whole.items() if value is not None}

    assert not region.cloud.failures(DISK, inputs(good))
    assert any(said in failure for failure in region.cloud.failures(DISK, inputs(bad)))


def test_a_disk_grows_and_never_shrinks(region: Region) -> None:
    made = region.disk()
    larger = {**made.inputs, "diskSizeGB": 200}
    grown = region.cloud.update(made, larger)
    with pytest.raises(RefusedError, match="PropertyChangeNotAllowed"):
        region.cloud.update(grown, {**larger, "diskSizeGB": 100})


def test_a_disk_is_attached_in_its_zone_and_to_one_machine(region: Region, where: str) -> None:
    nics = [region.interface(where, f"nic-{n}").id for n in range(2)]
    here, there = region.disk(), region.disk("far", "2")
    with pytest.raises(RefusedError, match="not in the same zone"):
        region.machine(nics[0], storageProfile=attached(there.id))
    with pytest.raises(RefusedError, match="no host caching"):
        region.machine(nics[0], storageProfile=attached(here.id, caching="ReadOnly"))
    made = region.machine(nics[0], storageProfile=attached(here.id))
    with pytest.raises(RefusedError, match="AttachDiskWhileBeingDetached"):
        region.machine(nics[1], "other", storageProfile=attached(here.id))
    with pytest.raises(RefusedError, match="OperationNotAllowed"):
        region.cloud.delete(here)
    region.cloud.delete(made)
    assert region.machine(nics[1], "other", storageProfile=attached(here.id))
    region.cloud.delete(there)


def test_an_interface_belongs_to_one_machine_and_stays_while_it_does(region: Region, where: str) -> None:
    nic = region.interface(where)
    made = region.machine(nic.id)
    with pytest.raises(RefusedError, match="NicInUse"):
        region.machine(nic.id, "other")
    with pytest.raises(RefusedError, match="NicInUse"):
        region.cloud.delete(nic)
    region.cloud.delete(made)
    assert region.machine(nic.id, "other")


def test_an_identity_that_a_machine_has_exists_and_stays(region: Region, where: str) -> None:
    nic, person = region.interface(where).id, region.identity()
    given = {"type": "UserAssigned", "userAssignedIdentities": [person.id]}
    with pytest.raises(RefusedError, match="InvalidResourceReference"):
        region.machine(nic, identity={**given, "userAssignedIdentities": [f"{person.id}-other"]})
    made = region.machine(nic, identity=given)
    assert made["identity"]["userAssignedIdentities"][person.id]["clientId"] == person["clientId"]
    with pytest.raises(RefusedError, match="InUse"):
        region.cloud.delete(person)


def test_each_data_disk_has_a_lun_of_its_own(region: Region) -> None:
    def inputs(second: int) -> dict[str, Any]:
        profile = attached("/one")
        profile["dataDisks"] += attached("/two", second)["dataDisks"]
        return {"resourceGroupName": "rg", "vmName": "vm", **machine("/nic"), "storageProfile": profile}

    assert not region.cloud.failures(MACHINE, inputs(1))
    assert any("LUN of its own" in failure for failure in region.cloud.failures(MACHINE, inputs(0)))


def _linux(**rest: object) -> dict[str, Any]:
    return os_profile(linuxConfiguration={"disablePasswordAuthentication": True, **rest})


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ({}, {"zones": ["1", "2"]}, "stands in one zone"),
        ({}, {"osProfile": _linux()}, "at least one SSH key"),
        ({}, {"osProfile": os_profile(adminPassword="Hush-hush-1")}, "password is off"),
        ({}, {"osProfile": os_profile(adminUsername="admin")}, "not allowed"),
        (
            {"osProfile": _linux(ssh={"publicKeys": KEYS})},
            {"osProfile": _linux(ssh={"publicKeys": [{**KEYS[0], "path": "/etc/ssh/authorized_keys"}]})},
            "/home/breakglass/.ssh/authorized_keys",
        ),
        ({"osProfile": os_profile(customData="")}, {"osProfile": os_profile(customData="#cloud-config")}, "base64"),
        (
            {"osProfile": os_profile(customData="aaaa" * 16383)},
            {"osProfile": os_profile(customData="aaaa" * 16384)},
            "at most 65535",
        ),
        (
            {"securityProfile": {"securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": True}}},
            {"securityProfile": {"uefiSettings": {"secureBootEnabled": True}}},
            "TrustedLaunch",
        ),
        (
            {
                "storageProfile": {
                    "osDisk": {"createOption": "FromImage", "managedDisk": {"storageAccountType": "Premium_LRS"}}
                }
            },
            {
                "storageProfile": {
                    "osDisk": {"createOption": "FromImage", "managedDisk": {"storageAccountType": "PremiumV2_LRS"}}
                }
            },
            "cannot be boot disks",
        ),
    ],
)
def test_a_machines_form(region: Region, good: dict[str, Any], bad: dict[str, Any], said: str) -> None:
    base = {"resourceGroupName": "rg", "vmName": "vm", **machine("/nic")}
    assert not region.cloud.failures(MACHINE, {**base, **good})
    assert any(said in failure for failure in region.cloud.failures(MACHINE, {**base, **bad}))


@pytest.mark.parametrize(
    ("changed", "replaces"),
    [
        ({"osProfile": os_profile(customData="d29ybGQ=")}, True),
        (
            {
                "storageProfile": {
                    "imageReference": {**IMAGE, "version": "24.04.202508010"},
                    "osDisk": {"createOption": "FromImage"},
                }
            },
            True,
        ),
        ({"zones": ["2"]}, True),
        ({"hardwareProfile": {"vmSize": "Standard_D4s_v5"}}, False),
        ({"tags": {"Project": "x"}}, False),
    ],
)
def test_what_a_machine_is_made_with_cannot_change(
    region: Region, where: str, changed: dict[str, Any], *, replaces: bool
) -> None:
    made = region.machine(region.interface(where).id)
    assert bool(region.cloud.diff(made, {**made.inputs, **changed}).replaces) is replaces


def _scale_set(where: str, profile: dict[str, Any] | None = None, **rest: object) -> dict[str, Any]:
    card = {"name": "card", "ipConfigurations": [{"name": "ip", "subnet": {"id": where}}]}
    network = {"networkApiVersion": "2020-11-01", "networkInterfaceConfigurations": [card]}
    return {
        "resourceGroupName": "rg", "vmScaleSetName": "set", "orchestrationMode": "Flexible",
        "platformFaultDomainCount": 1, "zones": ["1", "2", "3"], "zoneBalance": True,
        "sku": {"name": "Standard_D4s_v5", "capacity": 3},
        "virtualMachineProfile": {"osProfile": os_profile(), "networkProfile": network, **(profile or {})}, **rest,
    }  # fmt: skip


HEALTH = {"extensionProfile": {"extensions": [{"name": "health", "type": "ApplicationHealthLinux"}]}}
REPAIRS = {"automaticRepairsPolicy": {"enabled": True}}


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ({}, {"platformFaultDomainCount": None}, "platformFaultDomainCount"),
        ({}, {"profile": {"networkProfile": {}}}, "networkApiVersion"),
        ({}, {"overprovision": True}, "does not overprovision"),
        ({}, {"zones": None}, "only a scale set with zones"),
        ({**REPAIRS, "profile": HEALTH}, REPAIRS, "application health"),
        ({}, {"profile": {"osProfile": _linux()}}, "at least one SSH key"),
    ],
)
def test_a_scale_sets_form(region: Region, good: dict[str, Any], bad: dict[str, Any], said: str) -> None:
    def inputs(changed: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in _scale_set("/subnet", **changed).items() if value is not None}

    assert not region.cloud.failures(SCALE_SET, inputs(good))
    assert any(said in failure for failure in region.cloud.failures(SCALE_SET, inputs(bad)))


def test_a_scale_set_needs_a_subnet_that_exists_and_holds_it(region: Region) -> None:
    network = region.network(ONE)
    where = f"{network.id}/subnets/one"
    with pytest.raises(RefusedError, match="InvalidResourceReference"):
        region.cloud.create(SCALE_SET, _scale_set(f"{where}-other"))
    made = region.cloud.create(SCALE_SET, _scale_set(where))
    with pytest.raises(RefusedError, match="InUseSubnetCannotBeDeleted"):
        region.cloud.delete(network)
    region.cloud.delete(made)
    region.cloud.delete(network)


def _autoscale(target: str, minimum: str = "3", default: str = "3", maximum: str = "9") -> dict[str, Any]:
    capacity = {"minimum": minimum, "default": default, "maximum": maximum}
    profiles = [{"name": "load", "capacity": capacity, "rules": []}]
    return {
        "resourceGroupName": "rg",
        "autoscaleSettingName": "auto",
        "targetResourceUri": target,
        "profiles": profiles,
    }


@pytest.mark.parametrize("capacity", [("9", "3", "3"), ("3", "2", "9"), ("three", "3", "9")])
def test_bounds_of_autoscaling_are_numbers_in_order(region: Region, capacity: tuple[str, str, str]) -> None:
    assert not region.cloud.failures(AUTOSCALE, _autoscale("/set"))
    assert region.cloud.failures(AUTOSCALE, _autoscale("/set", *capacity))


def test_a_scale_set_has_one_autoscaler(region: Region, where: str) -> None:
    target = region.cloud.create(SCALE_SET, _scale_set(where)).id
    with pytest.raises(RefusedError, match="InvalidResourceReference"):
        region.cloud.create(AUTOSCALE, _autoscale(f"{target}-other"))
    assert region.cloud.create(AUTOSCALE, _autoscale(target))
    with pytest.raises(RefusedError, match="already exists"):
        region.cloud.create(AUTOSCALE, {**_autoscale(target), "autoscaleSettingName": "second"})


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ({}, {"ttl": 0}, "between 1 and"),
        ({}, {"ttl": None}, "time to live"),
        ({}, {"aRecords": []}, "needs a record"),
        ({}, {"aRecords": [{"ipv4Address": "10.2.1"}]}, "no IPv4 address"),
        ({"relativeRecordSetName": "*.apps"}, {"relativeRecordSetName": "a..b"}, "no name of a record"),
    ],
)
def test_a_records_form(region: Region, good: dict[str, Any], bad: dict[str, Any], said: str) -> None:
    base: dict[str, Any] = {
        "resourceGroupName": "rg", "privateZoneName": "example.com", "recordType": "A",
        "relativeRecordSetName": "vault", "ttl": 60, "aRecords": [{"ipv4Address": "10.2.1.20"}],
    }  # fmt: skip

    def inputs(changed: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in {**base, **changed}.items() if value is not None}

    assert not region.cloud.failures(RECORD, inputs(good))
    assert any(said in failure for failure in region.cloud.failures(RECORD, inputs(bad)))


def test_a_zone_is_linked_to_a_network_once_and_stays_while_it_is(region: Region, where: str) -> None:
    network = where.partition("/subnets/")[0]
    zone = region.make("privatedns:PrivateZone", privateZoneName="example.com", location="global")

    def link(name: str) -> Resource:
        return region.make(
            "privatedns:VirtualNetworkLink", privateZoneName="example.com", virtualNetworkLinkName=name,
            location="global", virtualNetwork={"id": network},
        )  # fmt: skip

    made = link("one")
    with pytest.raises(RefusedError, match="Conflict"):
        link("two")
    with pytest.raises(RefusedError, match="InUse"):
        region.cloud.delete(zone)
    region.cloud.delete(made)
    region.cloud.delete(zone)
    with pytest.raises(RefusedError, match="location 'global'"):
        region.make("privatedns:PrivateZone", privateZoneName="example.org", location="westus2")
