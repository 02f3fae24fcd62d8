"""Azure: naming rules. Enumerations are in the SDK already; lengths and characters of names are not.

Source: Microsoft, "Naming rules and restrictions for Azure resources".
"""

from __future__ import annotations

from typing import Final

from sandbox.cloud.schema import Shape, TypeSchema
from sandbox.cloud.truth.overlay import tighten

# Starts alphanumeric, ends alphanumeric or underscore, in between also period and hyphen: most of Microsoft.Network.
_NETWORK: Final = r"[a-zA-Z0-9]([a-zA-Z0-9_.-]*[a-zA-Z0-9_])?"


def _rule(pattern: str, low: int, high: int) -> Shape:
    return {"pattern": pattern, "min": low, "max": high}


NAMES: Final[dict[str, tuple[str, Shape]]] = {
    "azure-native:compute:Disk": ("diskName", _rule(r"[\w.-]*", 1, 80)),
    "azure-native:compute:DiskEncryptionSet": ("diskEncryptionSetName", _rule(r"[\w-]*", 1, 80)),
    "azure-native:compute:VirtualMachine": ("vmName", _rule(r"[a-zA-Z0-9]([a-zA-Z0-9_.-]*[a-zA-Z0-9_])?", 1, 64)),
    "azure-native:compute:VirtualMachineScaleSet": (
        "vmScaleSetName",
        _rule(r"[a-zA-Z0-9]([a-zA-Z0-9_.-]*[a-zA-Z0-9_])?", 1, 64),
    ),
    "azure-native:keyvault:Key": ("keyName", _rule(r"[a-zA-Z0-9-]+", 1, 127)),
    "azure-native:keyvault:Secret": ("secretName", _rule(r"[a-zA-Z0-9-]+", 1, 127)),
    "azure-native:keyvault:Vault": ("vaultName", _rule(r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]*[a-zA-Z0-9]", 3, 24)),
    "azure-native:managedidentity:UserAssignedIdentity": (
        "resourceName",
        _rule(r"[a-zA-Z0-9][a-zA-Z0-9_-]*", 3, 128),
    ),
    "azure-native:network:ApplicationSecurityGroup": ("applicationSecurityGroupName", _rule(_NETWORK, 1, 80)),
    "azure-native:network:LoadBalancer": ("loadBalancerName", _rule(_NETWORK, 1, 80)),
    "azure-native:network:NatGateway": ("natGatewayName", _rule(_NETWORK, 1, 80)),
    "azure-native:network:NetworkInterface": ("networkInterfaceName", _rule(_NETWORK, 1, 80)),
    "azure-native:network:NetworkSecurityGroup": ("networkSecurityGroupName", _rule(_NETWORK, 1, 80)),
    "azure-native:network:PublicIPAddress": ("publicIpAddressName", _rule(_NETWORK, 1, 80)),
    "azure-native:network:RouteTable": ("routeTableName", _rule(_NETWORK, 1, 80)),
    "azure-native:network:SecurityRule": ("securityRuleName", _rule(_NETWORK, 1, 80)),
    "azure-native:network:Subnet": ("subnetName", _rule(_NETWORK, 1, 80)),
    "azure-native:network:VirtualNetwork": ("virtualNetworkName", _rule(_NETWORK, 2, 64)),
    "azure-native:network:VirtualNetworkGateway": ("virtualNetworkGatewayName", _rule(_NETWORK, 1, 80)),
    "azure-native:resources:ResourceGroup": ("resourceGroupName", _rule(r"[\w().-]*[\w()-]", 1, 90)),
    "azure-native:storage:BlobContainer": (
        "containerName",
        _rule(r"(\$root|\$web|[a-z0-9](?!.*--)[a-z0-9-]*[a-z0-9])", 3, 63),
    ),
    "azure-native:storage:StorageAccount": ("accountName", _rule(r"[a-z0-9]+", 3, 24)),
}


# Enumerations of the SDK that lag behind what the cloud sells: (type, property that holds the object, property).
OPEN: Final = (("azure-native:compute:VirtualMachine", "hardwareProfile", "vmSize"),)


def narrow(schema: TypeSchema) -> None:
    """Add the naming rule of a type, and take back enumerations that are none, in place."""
    if schema.type in NAMES:
        name, rule = NAMES[schema.type]
        tighten(schema.inputs[name], rule)
    for type_, holder, name in OPEN:
        if schema.type == type_:
            schema.objects[schema.inputs[holder]["ref"]].properties[name].pop("enum", None)
