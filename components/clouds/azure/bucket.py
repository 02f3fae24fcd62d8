"""A storage account that keeps what is put into it: backups, their replica, the audit trail.

Owns what the three have in common: encryption by the customer's key, the lock, versions, the lifecycle, and that nothing
but an identity of the tenant opens it. Who may is granted by the owner of each.

The lock holds for the whole account and for every version of every object, counted from its creation.

Dangerous edges:
- That an account locks at all is decided when it is made and never again.
- Azure makes the lock open (`Unlocked`) and takes the order to close it as a second step; from then on it can only grow,
  for anybody. What had been locked and is asked to be open again is refused.
- A name is the world's, and the account cannot be deleted while it holds a locked object.
- Shared keys are off. Whatever writes must have an identity: services of Azure too.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import storage

from components.plan.backup import Retention
from components.plan.geography import AZURE_PAIRS
from components.plan.spec import Stack

from .place import Place
from .seal import Encrypting, SealKey

KIND = "Microsoft.Storage/storageAccounts"
_RECYCLED_DAYS = 30
"""For so long a deletion of what is no longer locked can be undone."""


@dataclass(frozen=True)
class Keeping:
    """How an account keeps what is put into it."""

    key: SealKey
    service: Encrypting
    """Who encrypts with the key."""
    retention: Retention
    closed: bool
    """Whether the lock can no longer be opened."""
    appended: bool = False
    """Whether objects grow after they are made, as logs do."""


@dataclass(frozen=True)
class Doors:
    """Who may come by the public network; everybody else is turned away before he is asked who he is."""

    addresses: tuple[str, ...] = ()
    services: bool = False
    """Services of Azure that this subscription has told to write here."""


@dataclass(frozen=True)
class Kept:
    """A made account."""

    account: storage.StorageAccount
    versions: storage.BlobServiceProperties


def closes(stack: Stack, *, standing: bool) -> bool:
    """Whether this update closes the lock: that takes an account which an earlier one made."""
    return standing and stack.platform.backup.lock == "compliance"


def _zonal(location: str) -> bool:
    """Whether a region has zones: those that Azure pairs with another as one that has them."""
    return location in AZURE_PAIRS


def kept(
    name: str, place: Place, account: str, location: str, keeping: Keeping, doors: Doors, parent: pulumi.Resource
) -> Kept:
    """An account, its versions and its lifecycle.

    Args:
        name: in the program.
        place: the region.
        account: its name in the world.
        location: where it lies; the region itself or its pair.
        keeping: lock, lifecycle and key.
        doors: who may come.
        parent: the component it belongs to.
    """
    made = storage.StorageAccount(
        name,
        resource_group_name=place.group,
        account_name=account,
        location=location,
        kind="StorageV2",
        sku=storage.SkuArgs(name="Standard_ZRS" if _zonal(location) else "Standard_LRS"),
        access_tier=storage.AccessTier.HOT,
        allow_blob_public_access=False,
        allow_shared_key_access=False,
        default_to_o_auth_authentication=True,
        is_local_user_enabled=False,
        is_sftp_enabled=False,
        minimum_tls_version="TLS1_2",
        enable_https_traffic_only=True,
        allow_cross_tenant_replication=False,
        public_network_access="Enabled",
        network_rule_set=storage.NetworkRuleSetArgs(
            default_action=storage.DefaultAction.DENY,
            bypass="AzureServices" if doors.services else "None",
            ip_rules=[
                storage.IPRuleArgs(i_p_address_or_range=address, action=storage.Action.ALLOW)
                for address in dict.fromkeys(doors.addresses)
            ],
        ),
        identity=storage.IdentityArgs(
            type=storage.IdentityType.USER_ASSIGNED, user_assigned_identities=[keeping.service.identity.id]
        ),
        encryption=storage.EncryptionArgs(
            key_source="Microsoft.Keyvault",
            encryption_identity=storage.EncryptionIdentityArgs(
                encryption_user_assigned_identity=keeping.service.identity.id
            ),
            # Without a version: the service follows the key as it rotates.
            key_vault_properties=storage.KeyVaultPropertiesArgs(
                key_name=keeping.key.key_name,
                key_vault_uri=place.vault.properties.apply(lambda properties: properties.vault_uri or ""),
            ),
        ),
        immutable_storage_with_versioning=storage.ImmutableStorageAccountArgs(
            enabled=True,
            immutability_policy=storage.AccountImmutabilityPolicyPropertiesArgs(
                immutability_period_since_creation_in_days=keeping.retention.lock_days,
                allow_protected_append_writes=keeping.appended,
                state="Locked" if keeping.closed else "Unlocked",
            ),
        ),
        opts=pulumi.ResourceOptions(parent=parent, protect=True, depends_on=[keeping.service.granted]),
    )
    child = pulumi.ResourceOptions(parent=parent)
    versions = storage.BlobServiceProperties(
        name,
        resource_group_name=place.group,
        account_name=made.name,
        blob_services_name="default",
        is_versioning_enabled=True,
        change_feed=storage.ChangeFeedArgs(enabled=True),
        delete_retention_policy=storage.DeleteRetentionPolicyArgs(
            enabled=True, days=_RECYCLED_DAYS, allow_permanent_delete=False
        ),
        container_delete_retention_policy=storage.DeleteRetentionPolicyArgs(enabled=True, days=_RECYCLED_DAYS),
        opts=child,
    )
    storage.ManagementPolicy(
        name,
        resource_group_name=place.group,
        account_name=made.name,
        management_policy_name="default",
        policy=storage.ManagementPolicySchemaArgs(rules=_rules(keeping)),
        # Rules speak of versions, so these come first.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[versions]),
    )
    return Kept(made, versions)


def _rules(keeping: Keeping) -> list[storage.ManagementPolicyRuleArgs]:
    """Delete by age; before that, move what is not appended to into cold storage where it pays."""
    retention = keeping.retention
    gone = storage.DateAfterModificationArgs(days_after_creation_greater_than=retention.expire_days)
    gone_version = storage.DateAfterCreationArgs(days_after_creation_greater_than=retention.expire_days)
    kinds = ["blockBlob", "appendBlob"] if keeping.appended else ["blockBlob"]
    rules = [_rule("expire", kinds, storage.ManagementPolicyBaseBlobArgs(delete=gone), gone_version)]
    if retention.cold_days is not None:
        cold = storage.DateAfterModificationArgs(days_after_creation_greater_than=retention.cold_days)
        rules.append(_rule("cool-down", ["blockBlob"], storage.ManagementPolicyBaseBlobArgs(tier_to_cold=cold), None))
    return rules


def _rule(
    name: str,
    kinds: list[str],
    objects: storage.ManagementPolicyBaseBlobArgs,
    versions: storage.DateAfterCreationArgs | None,
) -> storage.ManagementPolicyRuleArgs:
    return storage.ManagementPolicyRuleArgs(
        name=name,
        enabled=True,
        type=storage.RuleType.LIFECYCLE,
        definition=storage.ManagementPolicyDefinitionArgs(
            filters=storage.ManagementPolicyFilterArgs(blob_types=kinds),
            actions=storage.ManagementPolicyActionArgs(
                base_blob=objects, version=versions and storage.ManagementPolicyVersionArgs(delete=versions)
            ),
        ),
    )
