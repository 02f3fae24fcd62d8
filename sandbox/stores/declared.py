"""The ground as stacks registered it: from their exported resources, in the vendors' own words.

Owns which resources say what. Machines are not read: who asks from which address is for whoever builds the networks.
Network rules of an account are not read either, since addresses are not those of the clouds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .ground import (
    AwsBucket,
    AwsProvider,
    AwsRole,
    AzureContainer,
    AzureGrant,
    AzureIdentity,
    GcpAccount,
    GcpGrant,
    GcpProvider,
    Ground,
)
from .iam import NotModelledError

Resource = Mapping[str, Any]
"""One of an exported deployment."""

_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
_AZURE_ROLES = {"2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": (f"{_BLOBS}/read",)}
"""Data actions of built-in roles on blobs: Storage Blob Data Reader."""
_GCP_ROLES = {
    "roles/storage.objectCreator": ("storage.objects.create",),
    "roles/storage.objectViewer": ("storage.objects.get", "storage.objects.list"),
}
"""What predefined roles may do with objects."""


def ground(resources: Sequence[Resource]) -> Ground:
    """What the stacks declare, all their resources together."""
    state = _State(resources)
    return Ground(
        roles=tuple(state.roles()),
        providers=tuple(state.providers()),
        buckets=tuple(state.buckets()),
        identities=tuple(state.identities()),
        containers=tuple(state.containers()),
        azure_grants=tuple(state.azure_grants()),
        accounts=tuple(
            GcpAccount(found["email"], found["uniqueId"]) for found in state.of("gcp:serviceaccount/account")
        ),
        pool_providers=tuple(state.pool_providers()),
        gcs_buckets=tuple(found["name"] for found in state.of("gcp:storage/bucket")),
        gcp_grants=tuple(state.gcp_grants()),
    )


class _State:
    def __init__(self, resources: Sequence[Resource]) -> None:
        self._resources = resources

    def of(self, kind: str) -> Iterator[dict[str, Any]]:
        """Properties of all resources of a type, what the program said before what the cloud answered."""
        for found in self._resources:
            name, _, last = found["type"].rpartition(":")
            if kind in (name, f"{name}:{last}"):
                yield {**found.get("outputs", {}), **found.get("inputs", {}), "id": found.get("id", "")}

    def roles(self) -> Iterator[AwsRole]:
        policies = list(self.of("aws:iam/rolePolicy"))
        for role in self.of("aws:iam/role"):
            own = tuple(policy["policy"] for policy in policies if policy["role"] in (role["name"], role["id"]))
            yield AwsRole(role["arn"], role["assumeRolePolicy"], own)

    def providers(self) -> Iterator[AwsProvider]:
        for found in self.of("aws:iam/openIdConnectProvider"):
            yield AwsProvider(found["arn"], found["url"], tuple(found["clientIdLists"]))

    def buckets(self) -> Iterator[AwsBucket]:
        policies = {found["bucket"]: found["policy"] for found in self.of("aws:s3/bucketPolicy")}
        keys = {found["arn"]: found.get("policy", "") for found in self.of("aws:kms/key")}
        locks = {found["bucket"]: found["rule"] for found in self.of("aws:s3/bucketObjectLockConfiguration")}
        encrypted = {
            found["bucket"]: found["rules"][0]["applyServerSideEncryptionByDefault"].get("kmsMasterKeyId", "")
            for found in self.of("aws:s3/bucketServerSideEncryptionConfiguration")
        }
        accounts = {role["arn"].split(":")[4] for role in self.of("aws:iam/role")}
        for found in self.of("aws:s3/bucket"):
            (account,) = accounts
            key, lock = encrypted.get(found["id"], ""), locks.get(found["id"], {}).get("defaultRetention", {})
            yield AwsBucket(
                name=found["bucket"],
                region=found["region"],
                account=account,
                policy=policies.get(found["id"], ""),
                key=key,
                key_policy=keys.get(key, ""),
                lock_mode=lock.get("mode", ""),
                lock_days=int(lock.get("days", 0)),
            )

    def identities(self) -> Iterator[AzureIdentity]:
        credentials = list(self.of("azure-native:managedidentity:FederatedIdentityCredential"))
        for found in self.of("azure-native:managedidentity:UserAssignedIdentity"):
            trusts = tuple(
                (one["issuer"], one["subject"], audience)
                for one in credentials
                if one["resourceName"] == found["resourceName"]
                for audience in one["audiences"]
            )
            yield AzureIdentity(found["clientId"], found["principalId"], found["tenantId"], trusts)

    def containers(self) -> Iterator[AzureContainer]:
        for found in self.of("azure-native:storage:BlobContainer"):
            yield AzureContainer(found["accountName"], found["containerName"], found["id"])

    def azure_grants(self) -> Iterator[AzureGrant]:
        custom = {
            found["roleDefinitionId"]: tuple(
                action for permission in found["permissions"] for action in permission.get("dataActions", ())
            )
            for found in self.of("azure-native:authorization:RoleDefinition")
        }
        for found in self.of("azure-native:authorization:RoleAssignment"):
            if "/blobServices/" not in found["scope"]:
                continue
            role = found["roleDefinitionId"].rpartition("/")[2]
            actions = custom.get(role) or _AZURE_ROLES.get(role)
            if actions is None:
                raise NotModelledError(f"role {role} on {found['scope']}")
            yield AzureGrant(found["principalId"], found["scope"], actions, found.get("condition", ""))

    def pool_providers(self) -> Iterator[GcpProvider]:
        for found in self.of("gcp:iam/workloadIdentityPoolProvider"):
            oidc = found.get("oidc") or {}
            yield GcpProvider(
                name=found["name"],
                mapping=dict(found["attributeMapping"]),
                condition=found.get("attributeCondition", ""),
                aws_account=(found.get("aws") or {}).get("accountId", ""),
                issuer=oidc.get("issuerUri", ""),
                audiences=tuple(oidc.get("allowedAudiences", ())),
            )

    def gcp_grants(self) -> Iterator[GcpGrant]:
        for found in self.of("gcp:storage/bucketIAMMember"):
            role = found["role"]
            if role not in _GCP_ROLES:
                raise NotModelledError(f"{role} on {found['bucket']}")
            condition = (found.get("condition") or {}).get("expression", "")
            yield GcpGrant(found["bucket"].removeprefix("b/"), found["member"], _GCP_ROLES[role], condition)
