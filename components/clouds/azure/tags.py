"""Tags in Azure's form: every type that takes any takes a map called `tags`.

Azure's provider has no tags of its own to add, and groups do not hand theirs down: each resource carries them.
Fails closed: a type that stands in neither list is refused, since an untagged resource is one that nobody finds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

_PACKAGE = "azure-native:"
_TAGGED = frozenset(
    {
        "compute:Disk",
        "compute:DiskEncryptionSet",
        "compute:VirtualMachine",
        "compute:VirtualMachineScaleSet",
        "keyvault:Key",
        "keyvault:Secret",
        "keyvault:Vault",
        "managedidentity:UserAssignedIdentity",
        "monitor:ActionGroup",
        "monitor:AutoscaleSetting",
        "monitor:MetricAlert",
        "network:ApplicationSecurityGroup",
        "network:BastionHost",
        "network:FlowLog",
        "network:LoadBalancer",
        "network:LocalNetworkGateway",
        "network:NatGateway",
        "network:NetworkInterface",
        "network:NetworkSecurityGroup",
        "network:PrivateEndpoint",
        "network:PublicIPAddress",
        "network:RouteTable",
        "network:VirtualNetwork",
        "network:VirtualNetworkGateway",
        "network:VirtualNetworkGatewayConnection",
        "privatedns:PrivateZone",
        "privatedns:VirtualNetworkLink",
        "resources:ResourceGroup",
        "storage:StorageAccount",
    }
)
_UNTAGGED = frozenset(
    {
        "authorization:RoleAssignment",
        "authorization:RoleDefinition",
        "managedidentity:FederatedIdentityCredential",
        "monitor:DiagnosticSetting",
        "monitor:SubscriptionDiagnosticSetting",
        "network:PrivateDnsZoneGroup",
        "privatedns:PrivateRecordSet",
        "storage:BlobContainer",
        "storage:BlobServiceProperties",
        "storage:ManagementPolicy",
        "storage:ObjectReplicationPolicy",
    }
)


def tagged(token: str, inputs: Mapping[str, object], tags: Mapping[str, str]) -> dict[str, object] | None:
    """The inputs with `tags` below their own, or None where the type takes none.

    Raises:
        LookupError: nobody has said whether this type of Azure takes tags.
    """
    if not token.startswith(_PACKAGE):
        return None
    kind = token.removeprefix(_PACKAGE)
    if kind in _UNTAGGED:
        return None
    if kind not in _TAGGED:
        raise LookupError(
            f"{token} is in no list of tags.py: it would be built untagged, and the runbook finds the platform "
            "by its tags. Add it to the types that take tags, or to those that cannot."
        )
    return {**inputs, "tags": {**tags, **cast("Mapping[str, str]", inputs.get("tags") or {})}}
