"""The secret store: entries of the region's vault, each readable by its readers alone.

Owns entries and read grants; the vault is older (`vault`), the values come from the lineage, the way for machines
to reach the vault belongs to the network.

A grant is made at the scope of one secret: a grant at the vault would let every machine read every role's key.
The service encrypts secrets with a key of its own in the vault's hardware; it takes no key of a customer for that.

Dangerous edge: `properties.value` is a plain input in this SDK. Only a secret Output may come here; the engine
then keeps it encrypted in the state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_azure_native import keyvault

from components.clouds.contract import Entry, SecretStoreArgs
from components.clouds.specs import secret_store_spec

from .component import Component
from .identity import SECRETS_USER, Identities, grant
from .place import Place, own


class SecretStore(Component):
    """Secrets and their readers."""

    ids: Mapping[str, pulumi.Output[str]]
    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: SecretStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = own(Place, args.site)
        spec = secret_store_spec(args)
        super().__init__("SecretStore", name, spec, opts)
        self._place, self._stem = place, name
        self._identities = own(Identities, args.identities)
        ready: list[pulumi.Resource] = []
        ids: dict[str, pulumi.Output[str]] = {}
        for entry_name, entry in args.entries.items():
            secret, grants = self._entry(entry_name, entry)
            ids[entry_name] = secret.id
            ready += [secret, *grants]
        self.ids, self.ready = ids, ready
        self.register_outputs({"spec": spec, "ids": ids})

    def _entry(self, entry_name: str, entry: Entry) -> tuple[keyvault.Secret, list[pulumi.Resource]]:
        place = self._place
        secret_name = place.names.secret(entry_name)
        secret = keyvault.Secret(
            f"{self._stem}-{entry_name}",
            resource_group_name=place.group,
            vault_name=place.vault.name,
            secret_name=secret_name,
            properties=keyvault.SecretPropertiesArgs(
                value=pulumi.Output.secret(entry.value),
                attributes=keyvault.SecretAttributesArgs(enabled=True),
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        vault = place.id("Microsoft.KeyVault/vaults", place.names.key_vault(place.account.id))
        grants: list[pulumi.Resource] = [
            grant(
                f"{self._stem}-{entry_name}-{role}",
                place,
                SECRETS_USER,
                on=(f"{vault}/secrets/{secret_name}", secret.id),
                to=(place.names.identity(role), self._identities.principals[role]),
                parent=self,
            )
            for role in entry.readers
        ]
        return secret, grants
