"""Customer-managed keys: seals, the keyring, disks, the secret store.

Owns the key, its rotation, its users' grants, and the identity by which a service of Azure encrypts with it. The key for
disks also gets the disk encryption set through which disks name it.

Dangerous edges:
- Azure's resource manager makes the first version of a key and never changes it afterwards: an edit of the
  operations or of the rotation below reaches new regions only, unless it is repeated with `az keyvault key`.
- A key's version expires; the older ones still unwrap. Nothing may disable them: snapshots need them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import compute, keyvault, managedidentity

from components.clouds.contract import KeyArgs
from components.clouds.specs import key_spec
from components.plan.server import KeyStanza

from .component import Component
from .identity import CRYPTO_SERVICE_ENCRYPTION_USER, Identities, grant
from .place import Place, own

DISKS = "disk"
"""The purpose whose key also gets a disk encryption set."""
_ROTATE_AFTER, _EXPIRE_AFTER, _WARN_BEFORE = "P90D", "P2Y", "P30D"
"""Rotation well before the expiry, which is there so that a rotation that stopped is noticed."""


@dataclass(frozen=True)
class Encrypting:
    """Who encrypts with a key for a service; what the service keeps is made after the grant."""

    identity: managedidentity.UserAssignedIdentity
    granted: pulumi.Resource


class SealKey(Component):
    """One key in the region's vault, in hardware, rotating, protected."""

    key_name: str
    """In the region's vault."""
    id: pulumi.Output[str]
    """What an encrypted thing names: the disk encryption set for disks, else the key."""
    stanza: pulumi.Output[KeyStanza]
    usable_from: tuple[str, ...]
    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: KeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = own(Place, args.site)
        identities = own(Identities, args.identities)
        key_name = place.names.thing(args.purpose)
        spec = key_spec(args)
        super().__init__(args.kind, name, spec, opts)
        # The service replicates a vault to the paired region and fails over by itself.
        self.usable_from = args.usable_from
        self._place, self._stem, self.key_name = place, name, key_name
        self._scope = (
            f"{place.id('Microsoft.KeyVault/vaults', place.names.key_vault(place.account.id))}/keys/{key_name}"
        )
        self._made = key = self._key(key_name)
        ready: list[pulumi.Resource] = [
            grant(
                f"{name}-{role}",
                place,
                CRYPTO_SERVICE_ENCRYPTION_USER,
                on=(self._scope, key.id),
                to=(place.names.identity(role), identities.principals[role]),
                parent=self,
            )
            for role in args.users
        ]
        self.id = key.id
        if args.purpose == DISKS:
            granted, encryption_set = self._disk_encryption_set(key_name, key)
            self.id = encryption_set.id
            ready += [granted, encryption_set]
        self.ready = ready
        stanza = {"tenant_id": place.account.tenant, "key_name": key_name}
        self.stanza = place.vault.name.apply(
            lambda vault_name: KeyStanza("azurekeyvault", {**stanza, "vault_name": vault_name})
        )
        self.register_outputs({"spec": spec, "id": self.id})

    def _key(self, key_name: str) -> keyvault.Key:
        return keyvault.Key(
            self._stem,
            resource_group_name=self._place.group,
            vault_name=self._place.vault.name,
            key_name=key_name,
            properties=keyvault.KeyPropertiesArgs(
                kty="RSA-HSM",
                key_size=3072,
                key_ops=["wrapKey", "unwrapKey"],
                attributes=keyvault.KeyAttributesArgs(enabled=True, exportable=False),
                rotation_policy=keyvault.RotationPolicyArgs(
                    attributes=keyvault.KeyRotationPolicyAttributesArgs(expiry_time=_EXPIRE_AFTER),
                    lifetime_actions=[
                        keyvault.LifetimeActionArgs(
                            action=keyvault.ActionArgs(type=keyvault.KeyRotationPolicyActionType.ROTATE),
                            trigger=keyvault.TriggerArgs(time_after_create=_ROTATE_AFTER),
                        ),
                        keyvault.LifetimeActionArgs(
                            action=keyvault.ActionArgs(type=keyvault.KeyRotationPolicyActionType.NOTIFY),
                            trigger=keyvault.TriggerArgs(time_before_expiry=_WARN_BEFORE),
                        ),
                    ],
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )

    def service(self, name: str, purpose: str, parent: pulumi.Resource) -> Encrypting:
        """An identity that uses the key for a service of Azure, and for no machine.

        Args:
            name: in the program.
            purpose: in the identity's name.
            parent: the component that the service belongs to.
        """
        place = self._place
        identity_name = place.names.thing(purpose)
        identity = managedidentity.UserAssignedIdentity(
            name,
            resource_group_name=place.group,
            resource_name_=identity_name,
            location=place.location,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        granted = grant(
            name,
            place,
            CRYPTO_SERVICE_ENCRYPTION_USER,
            on=(self._scope, self._made.id),
            to=(identity_name, identity.principal_id),
            parent=parent,
        )
        return Encrypting(identity, granted)

    def _disk_encryption_set(
        self, key_name: str, key: keyvault.Key
    ) -> tuple[pulumi.Resource, compute.DiskEncryptionSet]:
        """The set, with an identity of its own that may use the key before the set first needs it."""
        place = self._place
        service = self.service(f"{self._stem}-encryption", "disk-encryption", self)
        made = compute.DiskEncryptionSet(
            self._stem,
            resource_group_name=place.group,
            disk_encryption_set_name=key_name,
            location=place.location,
            encryption_type="EncryptionAtRestWithCustomerKey",
            identity=compute.EncryptionSetIdentityArgs(
                type="UserAssigned", user_assigned_identities=[service.identity.id]
            ),
            active_key=compute.KeyForDiskEncryptionSetArgs(
                key_url=key.key_uri_with_version, source_vault=compute.SourceVaultArgs(id=place.vault.id)
            ),
            rotation_to_latest_key_version_enabled=True,
            # The service moves it to each new version by itself.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[service.granted], ignore_changes=["activeKey.keyUrl"]),
        )
        return service.granted, made
