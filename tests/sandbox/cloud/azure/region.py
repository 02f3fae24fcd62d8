"""A small Azure region to test against: makes what a test needs, and what that needs, by their shortest valid inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.sandbox.cloud.client import Client, Resource

NETWORK_KINDS = "azure-native:network:"
COMPUTE = "azure-native:compute:"
PREFIX = "10.2.0.0/16"
IMAGE = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "24.04.202506100"}
KEYS = [{"path": "/home/breakglass/.ssh/authorized_keys", "keyData": "ssh-rsa AAAA"}]


@dataclass
class Region:
    """Resources by kind; each call makes one."""

    cloud: Client

    def make(self, type_: str, **inputs: object) -> Resource:
        return self.cloud.create(f"azure-native:{type_}", {"resourceGroupName": "rg", **inputs})

    def network(self, *subnets: dict[str, Any], **inputs: object) -> Resource:
        return self.make("network:VirtualNetwork", **{"virtualNetworkName": "net", **network(*subnets), **inputs})

    def interface(self, subnet: str, name: str = "nic", **configuration: object) -> Resource:
        return self.make("network:NetworkInterface", **interface(subnet, name, **configuration))

    def vault(self, name: str = "vault-1", **properties: object) -> Resource:
        return self.make("keyvault:Vault", vaultName=name, properties=vault(self.tenant, **properties))

    def key(self, vault_name: str = "vault-1", name: str = "key", **properties: object) -> Resource:
        return self.make("keyvault:Key", vaultName=vault_name, keyName=name, properties=key(**properties))

    def identity(self, name: str = "machine") -> Resource:
        return self.make("managedidentity:UserAssignedIdentity", resourceName=name)

    def disk(self, name: str = "data", zone: str = "1", **inputs: object) -> Resource:
        return self.make("compute:Disk", diskName=name, **{**disk(zone), **inputs})

    def machine(self, nic: str, name: str = "vm", **inputs: object) -> Resource:
        return self.make("compute:VirtualMachine", vmName=name, **{**machine(nic), **inputs})

    @property
    def tenant(self) -> str:
        return self.cloud.invoke("azure-native:authorization:getClientConfig")["tenantId"]


def network(*subnets: dict[str, Any]) -> dict[str, Any]:
    """A virtual network with these subnets."""
    return {"addressSpace": {"addressPrefixes": [PREFIX]}, "subnets": list(subnets)}


def subnet(name: str, prefix: str, **rest: object) -> dict[str, Any]:
    """An inline subnet."""
    return {"name": name, "addressPrefix": prefix, **rest}


def interface(subnet_id: str, name: str = "nic", **configuration: object) -> dict[str, Any]:
    """A network interface with one configuration."""
    return {
        "networkInterfaceName": name,
        "ipConfigurations": [{"name": "one", "subnet": {"id": subnet_id}, **configuration}],
    }


def static(address: str) -> dict[str, Any]:
    """A configuration's fixed address."""
    return {"privateIPAllocationMethod": "Static", "privateIPAddress": address}


def vault(tenant: str, **properties: object) -> dict[str, Any]:
    """Properties of a vault that holds keys in hardware."""
    base = {"sku": {"family": "A", "name": "premium"}, "tenantId": tenant, "enablePurgeProtection": True}
    return {**base, "softDeleteRetentionInDays": 90, **properties}


def key(**properties: object) -> dict[str, Any]:
    """Properties of a key that rotates."""
    rotation = {
        "attributes": {"expiryTime": "P2Y"},
        "lifetimeActions": [{"action": {"type": "rotate"}, "trigger": {"timeAfterCreate": "P90D"}}],
    }
    return {"kty": "RSA-HSM", "keySize": 3072, "keyOps": ["wrapKey"], "rotationPolicy": rotation, **properties}


def disk(zone: str = "1") -> dict[str, Any]:
    """An empty disk of bought performance."""
    return {
        "zones": [zone], "sku": {"name": "PremiumV2_LRS"}, "diskSizeGB": 100, "diskIOPSReadWrite": 3000,
        "diskMBpsReadWrite": 125, "creationData": {"createOption": "Empty"},
    }  # fmt: skip


def machine(nic: str, zone: str = "1") -> dict[str, Any]:
    """A machine without a data disk."""
    return {
        "zones": [zone],
        "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
        "networkProfile": {"networkInterfaces": [{"id": nic}]},
        "osProfile": os_profile(),
        "storageProfile": {"imageReference": IMAGE, "osDisk": {"createOption": "FromImage"}},
    }


def os_profile(**rest: object) -> dict[str, Any]:
    """A machine's login and user data."""
    linux = {"disablePasswordAuthentication": True, "ssh": {"publicKeys": KEYS}}
    return {"adminUsername": "breakglass", "customData": "aGVsbG8=", "linuxConfiguration": linux, **rest}


def attached(disk_id: str, lun: int = 0, **rest: object) -> dict[str, Any]:
    """A storage profile with one data disk."""
    data = {"lun": lun, "createOption": "Attach", "caching": "None", "managedDisk": {"id": disk_id}, **rest}
    return {"imageReference": IMAGE, "osDisk": {"createOption": "FromImage"}, "dataDisks": [data]}
