"""The region's secret store: entries in Secret Manager, each readable by its readers alone.

Owns entries, their values' versions, and the grants. Which entries there are is `plan.secrets`.

Each entry lies in the region and in its recovery region, encrypted in each by the store's key of that region, so
that a region that is lost can be rebuilt beside its ruins.

Dangerous edges:
- A value that changes makes a new version and destroys the old one; Secret Manager keeps that for 30 days.
- Deleting an entry deletes all its versions at once. It is refused by Pulumi and by the provider.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import pulumi
import pulumi_gcp as gcp

from components.clouds.contract import SecretStoreArgs, type_token
from components.clouds.specs import secret_store_spec

from .seal import SealKey

_KEPT = f"{30 * 86400}s"
"""How long a destroyed version can still be brought back."""


class SecretStore(pulumi.ComponentResource):
    """Secrets, versions, and a grant for each reader."""

    ids: Mapping[str, pulumi.Output[str]]
    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: SecretStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = secret_store_spec(args)
        super().__init__(type_token("SecretStore"), name, spec, opts)
        self._name, self._args = name, args
        secrets = {entry: self._secret(entry) for entry in args.entries}
        self.ids = {entry: secret.id for entry, secret in secrets.items()}
        self.ready = [part for entry, secret in secrets.items() for part in self._fill(entry, secret)]
        self.register_outputs({"spec": spec, "ids": self.ids})

    def _secret(self, entry: str) -> gcp.secretmanager.Secret:
        return gcp.secretmanager.Secret(
            f"{self._name}-{entry}",
            secret_id=self._args.site.names.secret(entry),
            replication=gcp.secretmanager.SecretReplicationArgs(
                user_managed=gcp.secretmanager.SecretReplicationUserManagedArgs(replicas=self._replicas())
            ),
            version_destroy_ttl=_KEPT,
            deletion_protection=True,
            # Secret Manager tries the keys before it takes a value.
            opts=pulumi.ResourceOptions(parent=self, protect=True, depends_on=list(self._args.key.ready)),
        )

    def _fill(self, entry: str, secret: gcp.secretmanager.Secret) -> Iterator[pulumi.Resource]:
        child = pulumi.ResourceOptions(parent=self)
        yield gcp.secretmanager.SecretVersion(
            f"{self._name}-{entry}",
            secret=secret.id,
            secret_data=pulumi.Output.secret(self._args.entries[entry].value),
            enabled=True,
            deletion_policy="DELETE",
            opts=child,
        )
        for role in self._args.entries[entry].readers:
            yield gcp.secretmanager.SecretIamMember(
                f"{self._name}-{entry}-{role}",
                secret_id=secret.id,
                role="roles/secretmanager.secretAccessor",
                member=self._args.identities.principals[role],
                opts=child,
            )

    def _replicas(self) -> list[gcp.secretmanager.SecretReplicationUserManagedReplicaArgs]:
        # The kit hands the store a key of this cloud, which is one in each location.
        keys = cast("SealKey", self._args.key).ids
        return [
            gcp.secretmanager.SecretReplicationUserManagedReplicaArgs(
                location=location,
                customer_managed_encryption=gcp.secretmanager.SecretReplicationUserManagedReplicaCustomerManagedEncryptionArgs(
                    kms_key_name=key
                ),
            )
            for location, key in keys.items()
        ]
