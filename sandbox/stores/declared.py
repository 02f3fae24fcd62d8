"""The ground as stacks registered it: from their exported resources, in the vendors' own words.

Owns which resources say what. A secret whose value is sealed, as in an export, is no entry: what serves secrets
reads the simulated cloud's own records. Machines are not read: who asks from which address is for whoever builds
the networks. Network rules of an account are not read either, since addresses are not those of the clouds.
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
    AzureVault,
    GcpAccount,
    GcpGrant,
    GcpProvider,
    Ground,
    Key,
    Secret,
)
from .iam import NotModelledError

Resource = Mapping[str, Any]
"""One of an exported deployment."""

_BLOBS, _VAULTS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs", "Microsoft.KeyVault/vaults"
_AZURE_ROLES = {
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": (f"{_BLOBS}/read",),
    "4633458b-17de-408a-b874-0445c86b69e6": (
        f"{_VAULTS}/secrets/getSecret/action",
        f"{_VAULTS}/secrets/readMetadata/action",
    ),
    "e147488a-f6f5-4113-8e2d-b22465e65bf6": (
        f"{_VAULTS}/keys/read",
        f"{_VAULTS}/keys/wrap/action",
        f"{_VAULTS}/keys/unwrap/action",
    ),
}
"""Data actions of built-in roles: Storage Blob Data Reader, Key Vault Secrets User, Key Vault Crypto Service Encryption
User."""
_GCP_ROLES = {
    "roles/storage.objectCreator": ("storage.objects.create",),
    "roles/storage.objectViewer": ("storage.objects.get", "storage.objects.list"),
    "roles/secretmanager.secretAccessor": ("secretmanager.versions.access",),
    "roles/cloudkms.cryptoKeyEncrypterDecrypter": (
        "cloudkms.cryptoKeyVersions.useToEncrypt",
        "cloudkms.cryptoKeyVersions.useToDecrypt",
    ),
    "roles/cloudkms.viewer": ("cloudkms.cryptoKeys.get", "cloudkms.cryptoKeys.list"),
}
"""What predefined roles may do with objects, values of secrets, and keys."""
_GCP_MEMBERS = {
    "gcp:storage/bucketIAMMember": "bucket",
    "gcp:secretmanager/secretIamMember": "secretId",
    "gcp:kms/cryptoKeyIAMMember": "cryptoKeyId",
}
"""The property that says what a member has a role on."""


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
        secrets=(*state.aws_secrets(), *state.azure_secrets(), *state.gcp_secrets()),
        keys=(*state.aws_keys(), *state.azure_keys(), *state.gcp_keys()),
        vaults=tuple(
            AzureVault(found["vaultName"], found["properties"]["tenantId"], found["id"])
            for found in state.of("azure-native:keyvault:Vault")
        ),
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
            if not any(kind in found["scope"] for kind in ("/blobServices/", f"/{_VAULTS}/")):
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
        for kind, property_ in _GCP_MEMBERS.items():
            for found in self.of(kind):
                role, resource = found["role"], found[property_].removeprefix("b/")
                if role not in _GCP_ROLES:
                    raise NotModelledError(f"{role} on {resource}")
                condition = (found.get("condition") or {}).get("expression", "")
                yield GcpGrant(resource, found["member"], _GCP_ROLES[role], condition)

    def aws_secrets(self) -> Iterator[Secret]:
        values = {found["secretId"]: found["secretString"] for found in self.of("aws:secretsmanager/secretVersion")}
        for found in self.of("aws:secretsmanager/secret"):
            if not isinstance(value := values.get(found["id"]), str):
                continue
            name = found["name"]
            yield Secret("aws", found["arn"], _region(found["arn"]), name, value, found.get("kmsKeyId") or "")
            for replica in found.get("replicas") or ():
                there = _moved(found["arn"], replica["region"])
                yield Secret("aws", there, replica["region"], name, value, replica.get("kmsKeyId") or "")

    def azure_secrets(self) -> Iterator[Secret]:
        for found in self.of("azure-native:keyvault:Secret"):
            if isinstance(value := found["properties"].get("value"), str) and _enabled(found):
                yield Secret("azure", found["id"], found["vaultName"], found["secretName"], value)

    def gcp_secrets(self) -> Iterator[Secret]:
        values = {
            found["secret"]: found["secretData"]
            for found in self.of("gcp:secretmanager/secretVersion")
            if found.get("enabled", True)
        }
        for found in self.of("gcp:secretmanager/secret"):
            if isinstance(value := values.get(found["id"]), str):
                yield Secret("gcp", found["id"], found["id"].split("/")[1], found["secretId"], value)

    def aws_keys(self) -> Iterator[Key]:
        names: dict[str, list[str]] = {}
        for alias in self.of("aws:kms/alias"):
            names.setdefault(alias["targetKeyId"].rpartition("/")[2], []).append(alias["name"])
        keys = [(found, found.get("isEnabled", True), names) for found in self.of("aws:kms/key")]
        # An alias is a region's own, and a replica gets none by itself.
        keys += [(found, found.get("enabled", True), {}) for found in self.of("aws:kms/replicaKey")]
        for found, enabled, known in keys:
            arn = found["arn"]
            key = arn.rpartition("/")[2]
            aliases = tuple(known.get(key, ()))
            yield Key("aws", arn, _region(arn), (key, *aliases), key, enabled, found.get("policy") or "")

    def azure_keys(self) -> Iterator[Key]:
        for found in self.of("azure-native:keyvault:Key"):
            bits = int(found["properties"].get("keySize") or 2048)
            names = (found["keyName"],)
            yield Key("azure", found["id"], found["vaultName"], names, found["id"].lower(), _enabled(found), bits=bits)

    def gcp_keys(self) -> Iterator[Key]:
        for found in self.of("gcp:kms/cryptoKey"):
            yield Key("gcp", found["id"], "", (), found["id"])


def _region(arn: str) -> str:
    return arn.split(":")[3]


def _moved(arn: str, region: str) -> str:
    parts = arn.split(":")
    return ":".join([*parts[:3], region, *parts[4:]])


def _enabled(found: Mapping[str, Any]) -> bool:
    return bool((found["properties"].get("attributes") or {}).get("enabled", True))
