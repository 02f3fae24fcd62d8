"""Azure disks, disk encryption sets, machines and scale sets.

Source: Microsoft Learn, "Select a disk type for Azure IaaS VMs" (Premium SSD v2), "Server-side encryption of Azure Disk
Storage", "Trusted Launch", "Orchestration modes for scale sets", "Automatic instance repairs".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.azure.account import IN_GROUP
from sandbox.cloud.models.azure.firewall import APPLICATION_GROUP, SECURITY_GROUP
from sandbox.cloud.models.azure.identity import IDENTITY, attached
from sandbox.cloud.models.azure.keyvault import KEY, VAULT
from sandbox.cloud.models.azure.parts import BALANCER, INTERFACE, SCALE_SET, part, require_subnet
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import UNKNOWN

DISK: Final = "azure-native:compute:Disk"
ENCRYPTION_SET: Final = "azure-native:compute:DiskEncryptionSet"
MACHINE: Final = "azure-native:compute:VirtualMachine"
_ZONAL: Final = ("PremiumV2_LRS", "UltraSSD_LRS")
_RESERVED_USERS: Final = frozenset(
    {
        "1", "123", "a", "actuser", "adm", "admin", "admin1", "admin2", "administrator", "aspnet", "backup", "console",
        "david", "guest", "john", "owner", "root", "server", "sql", "support", "support_388945a0", "sys", "test",
        "test1", "test2", "test3", "user", "user1", "user2", "user3", "user4", "user5",
    }
)  # fmt: skip
_MOST_CUSTOM_DATA: Final = 65535
_UUID: Final = "{hex8}-{hex4}-4{hex3}-8{hex3}-{hex12}"
_OS_DISK: Final = "storageProfile.osDisk.managedDisk"
_CARDS: Final = "virtualMachineProfile.networkProfile.networkInterfaceConfigurations[*]"

encryption_set = model(
    ENCRYPTION_SET,
    name=Name("diskEncryptionSetName", max=80, separator=""),
    references=(
        IN_GROUP,
        Ref("activeKey.keyUrl", (KEY,), missing="KeyVaultKeyNotFound"),
        Ref("activeKey.sourceVault.id", (VAULT,)),
        Ref("identity.userAssignedIdentities[*]", (IDENTITY,)),
    ),
    immutable=("encryptionType", "federatedClientId"),
    reshaped=("identity",),
    in_use="OperationNotAllowed",
)
disk = model(
    DISK,
    name=Name("diskName", max=80, separator=""),
    references=(IN_GROUP, Ref("encryption.diskEncryptionSetId", (ENCRYPTION_SET,))),
    immutable=("creationData", "diskName"),
    outputs={"uniqueId": _UUID, "timeCreated": "", "diskState": "Unattached"},
    in_use="OperationNotAllowed",
)
machine = model(
    MACHINE,
    name=Name("vmName", max=64, separator=""),
    references=(
        IN_GROUP,
        Ref("networkProfile.networkInterfaces[*].id", (INTERFACE,)),
        Ref("identity.userAssignedIdentities[*]", (IDENTITY,)),
        Ref("storageProfile.dataDisks[*].managedDisk.id", (DISK,)),
        Ref(f"{_OS_DISK}.diskEncryptionSet.id", (ENCRYPTION_SET,)),
    ),
    immutable=(
        "osProfile.computerName",
        "osProfile.adminUsername",
        "osProfile.customData",
        "osProfile.linuxConfiguration.ssh",
        "osProfile.linuxConfiguration.disablePasswordAuthentication",
        "storageProfile.imageReference",
        "storageProfile.osDisk.name",
        "storageProfile.osDisk.createOption",
        "securityProfile.securityType",
        "priority",
    ),
    outputs={"vmId": _UUID},
    reshaped=("identity",),
)
scale_set = model(
    SCALE_SET,
    name=Name("vmScaleSetName", max=64, separator=""),
    references=(
        IN_GROUP,
        Ref("identity.userAssignedIdentities[*]", (IDENTITY,)),
        Ref(f"virtualMachineProfile.{_OS_DISK}.diskEncryptionSet.id", (ENCRYPTION_SET,)),
        Ref(f"{_CARDS}.networkSecurityGroup.id", (SECURITY_GROUP,)),
        Ref(f"{_CARDS}.ipConfigurations[*].applicationSecurityGroups[*].id", (APPLICATION_GROUP,)),
    ),
    immutable=(
        "orchestrationMode",
        "platformFaultDomainCount",
        "zones",
        "virtualMachineProfile.osProfile.adminUsername",
        "virtualMachineProfile.osProfile.computerNamePrefix",
        "virtualMachineProfile.priority",
    ),
    outputs={"uniqueId": _UUID},
    reshaped=("identity",),
)


for owner in (encryption_set, machine, scale_set):
    owner.compute(attached)


@encryption_set.admit
def _vault_cannot_be_purged(draft: Draft) -> None:
    found = draft.find(VAULT, draft.get("activeKey.sourceVault.id"))
    if found and not (found["properties"] or {}).get("enablePurgeProtection"):
        raise draft.refuse(
            "KeyVaultNotPurgeProtected", f"Key vault {found.id} must have soft delete and purge protection enabled."
        )


@disk.check
def _disk_form(draft: Draft) -> Iterator[Failure]:
    sku, gib = draft.known("sku.name"), draft.known("diskSizeGB")
    iops, mbps = draft.known("diskIOPSReadWrite"), draft.known("diskMBpsReadWrite")
    bought = sku in _ZONAL
    if draft.known("creationData.createOption") == "Empty" and draft.get("diskSizeGB") is None:
        yield draft.fail("diskSizeGB", "an empty disk needs a size")
    if bought and not draft.get("zones"):
        yield draft.fail("zones", f"a disk of {sku} stands in a zone")
    if isinstance(sku, str) and not bought:
        for name in ("diskIOPSReadWrite", "diskMBpsReadWrite"):
            if draft.get(name) is not None:
                yield draft.fail(name, f"performance is bought with {' and '.join(_ZONAL)} only; this is {sku}")
    if sku == "PremiumV2_LRS" and isinstance(gib, int) and isinstance(iops, int):
        most = max(3000, min(80000, gib * 500))
        if not 3000 <= iops <= most:
            yield draft.fail("diskIOPSReadWrite", f"a disk of {gib} GiB takes 3000 to {most} IOPS, got {iops}")
        if isinstance(mbps, int) and not 125 <= mbps <= max(125, min(1200, iops // 4)):
            most = max(125, min(1200, iops // 4))
            yield draft.fail("diskMBpsReadWrite", f"a disk of {iops} IOPS takes 125 to {most} MB/s, got {mbps}")
    by_key = str(draft.known("encryption.type")).endswith("CustomerKey") or "CustomerKeys" in str(
        draft.known("encryption.type")
    )
    if by_key and draft.get("encryption.diskEncryptionSetId") is None:
        yield draft.fail(
            "encryption.diskEncryptionSetId", "encryption with a customer's key needs a disk encryption set"
        )


@disk.admit
def _disk_never_shrinks(draft: Draft) -> None:
    before, after = draft.kept("diskSizeGB"), draft.get("diskSizeGB")
    if isinstance(before, int) and isinstance(after, int) and after < before:
        raise draft.refuse("PropertyChangeNotAllowed", f"Disk {draft.name} cannot shrink from {before} to {after} GiB.")


@machine.check
def _machine_form(draft: Draft) -> Iterator[Failure]:
    zones = draft.known("zones")
    if isinstance(zones, list) and len(zones) > 1:
        yield draft.fail("zones", f"a machine stands in one zone, got {zones}")
    yield from _profile(draft, "")
    luns = [lun for _, lun in draft.each("storageProfile.dataDisks[*].lun")]
    if len(set(map(str, luns))) != len(luns):
        yield draft.fail("storageProfile.dataDisks", f"each data disk needs a LUN of its own, got {luns}")


@scale_set.check
def _scale_set_form(draft: Draft) -> Iterator[Failure]:
    yield from _profile(draft, "virtualMachineProfile.")
    flexible = draft.known("orchestrationMode") == "Flexible"
    if flexible and draft.get("platformFaultDomainCount") is None:
        yield draft.fail("platformFaultDomainCount", "flexible orchestration needs it: 1 spreads as far as it can")
    if flexible and draft.get("virtualMachineProfile.networkProfile.networkApiVersion") is None:
        yield draft.fail(
            "virtualMachineProfile.networkProfile.networkApiVersion", "flexible orchestration needs it: 2020-11-01"
        )
    if flexible and draft.get("overprovision"):
        yield draft.fail("overprovision", "flexible orchestration does not overprovision")
    if draft.known("zoneBalance") and not draft.get("zones"):
        yield draft.fail("zoneBalance", "only a scale set with zones can be balanced over them")
    health = [kind for _, kind in draft.each("virtualMachineProfile.extensionProfile.extensions[*].type")]
    probed = draft.get("virtualMachineProfile.networkProfile.healthProbe") is not None
    watched = probed or UNKNOWN in health or any(str(kind).startswith("ApplicationHealth") for kind in health)
    if draft.known("automaticRepairsPolicy.enabled") and not watched:
        yield draft.fail("automaticRepairsPolicy", "automatic repairs need an application health extension or a probe")


def _profile(draft: Draft, at: str) -> Iterator[Failure]:
    """What machines and the machines of scale sets have in common."""
    linux = f"{at}osProfile.linuxConfiguration"
    if draft.known(f"{linux}.disablePasswordAuthentication"):
        if not draft.get(f"{linux}.ssh.publicKeys"):
            yield draft.fail(f"{linux}.ssh", "authentication by password is off, so at least one SSH key must be given")
        if draft.get(f"{at}osProfile.adminPassword") is not None:
            yield draft.fail(f"{at}osProfile.adminPassword", "authentication by password is off")
    user = draft.known(f"{at}osProfile.adminUsername")
    if isinstance(user, str) and user.lower() in _RESERVED_USERS:
        yield draft.fail(f"{at}osProfile.adminUsername", f"the user name '{user}' is not allowed")
    home = f"/home/{user}/.ssh/authorized_keys"
    for path, item in draft.each(f"{linux}.ssh.publicKeys[*]"):
        if isinstance(user, str) and item.get("path") not in (None, UNKNOWN, home):
            yield draft.fail(f"{path}.path", f"the path of the key must be {home}")
    yield from _custom_data(draft, f"{at}osProfile.customData")
    if draft.known(f"{at}storageProfile.osDisk.managedDisk.storageAccountType") in _ZONAL:
        yield draft.fail(f"{at}storageProfile.osDisk", f"{' and '.join(_ZONAL)} cannot be boot disks")
    firmware = f"{at}securityProfile.uefiSettings"
    if draft.get(firmware) is not None and draft.get(f"{at}securityProfile.securityType") is None:
        yield draft.fail(firmware, "UEFI settings need the security type TrustedLaunch or ConfidentialVM")


def _custom_data(draft: Draft, path: str) -> Iterator[Failure]:
    value = draft.known(path)
    if not isinstance(value, str):
        return
    if len(value) > _MOST_CUSTOM_DATA:
        yield draft.fail(path, f"custom data has {len(value)} characters; at most {_MOST_CUSTOM_DATA} are allowed")
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        yield draft.fail(path, "custom data must be base64")


@machine.admit
def _disks_fit(draft: Draft) -> None:
    zone = draft.get("zones") or []
    for path, item in draft.each("storageProfile.dataDisks[*]"):
        found = draft.find(DISK, (item.get("managedDisk") or {}).get("id"))
        if found is None:
            continue
        if (found["zones"] or []) != zone:
            raise draft.refuse(
                "BadRequest",
                f"Disk {found.id} cannot be attached to the VM because it is not in the same zone as the VM: "
                f"{found['zones'] or 'none'} and {zone or 'none'}.",
            )
        if (found["sku"] or {}).get("name") in _ZONAL and item.get("caching") not in (None, "None"):
            raise draft.refuse("InvalidParameter", f"{path}: disks of {found['sku']['name']} allow no host caching.")
        for other in draft.others(MACHINE):
            held = [
                (each.get("managedDisk") or {}).get("id")
                for each in (other["storageProfile"] or {}).get("dataDisks") or ()
            ]
            if found.id in held:
                raise draft.refuse("AttachDiskWhileBeingDetached", f"Disk {found.id} is attached to {other.id}.", 409)


@machine.admit
def _interfaces_are_free(draft: Draft) -> None:
    for _, id_ in draft.each("networkProfile.networkInterfaces[*].id"):
        for other in draft.others(MACHINE):
            held = [item.get("id") for item in (other["networkProfile"] or {}).get("networkInterfaces") or ()]
            if id_ in held:
                raise draft.refuse("NicInUse", f"Network interface {id_} is used by existing resource {other.id}.")


@scale_set.admit
def _parts_exist(draft: Draft) -> None:
    for path, id_ in draft.each(f"{_CARDS}.ipConfigurations[*].subnet.id"):
        require_subnet(draft, path, id_)
    for path, id_ in draft.each(f"{_CARDS}.ipConfigurations[*].loadBalancerBackendAddressPools[*].id"):
        if part(draft, BALANCER, id_) is None:
            raise draft.provider.package.missing(draft, path, str(id_), "")
