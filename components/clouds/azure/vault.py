"""The region's key vault: where its keys and secrets lie.

Owns the vault itself: who may reach it over the network and that it cannot be destroyed at once. Who may use which
key or secret is granted where these are made; how machines reach it (a private endpoint) belongs to the network.

Premium, because its keys live in hardware modules and it is replicated to the paired region by the service, which
is what lets a seal answer after the region is lost.

Dangerous edges:
- The name is global and stays taken for 90 days after a deletion, which purge protection makes final. A vault
  that was deleted is recovered (`az keyvault recover`) and imported, never made anew.
- No management lock: `CanNotDelete` on a vault also refuses to remove role assignments below it, so that no grant
  could be taken back and no cluster destroyed. Protection, purge protection and soft delete guard it instead.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import keyvault, resources

from components.clouds.contract import Account
from components.plan.naming import Names

RETENTION_DAYS = 90
"""The longest the service offers: how long a deleted key can still be brought back."""


def region_vault(
    account: Account,
    names: Names,
    group: resources.ResourceGroup,
    tags: Mapping[str, str],
    provider: pulumi.ProviderResource,
) -> keyvault.Vault:
    """The vault, closed to every network but private endpoints and Azure's own services."""
    return keyvault.Vault(
        "vault",
        resource_group_name=group.name,
        vault_name=names.key_vault(account.id),
        location=group.location,
        properties=keyvault.VaultPropertiesArgs(
            sku=keyvault.SkuArgs(family="A", name=keyvault.SkuName.PREMIUM),
            tenant_id=account.tenant,
            create_mode=keyvault.CreateMode.DEFAULT,
            enable_rbac_authorization=True,
            enable_purge_protection=True,
            enable_soft_delete=True,
            soft_delete_retention_in_days=RETENTION_DAYS,
            enabled_for_deployment=False,
            enabled_for_disk_encryption=False,
            enabled_for_template_deployment=False,
            public_network_access="Disabled",
            # Disk encryption sets come in as a service of Azure.
            network_acls=keyvault.NetworkRuleSetArgs(default_action="Deny", bypass="AzureServices"),
        ),
        tags=tags,
        opts=pulumi.ResourceOptions(provider=provider, protect=True),
    )
