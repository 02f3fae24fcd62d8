"""What stands in the three clouds, and which grants their stacks declare. Plain data, from a test or from a state.

Policies, conditions and mappings keep the vendor's own language: the gateway evaluates what a stack registered and not
what somebody understood of it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter

Cloud = Literal["aws", "azure", "gcp"]


@dataclass(frozen=True)
class Machine:
    """A machine as its metadata service knows it, by the address that it asks from."""

    name: str
    cloud: Cloud
    address: str
    identity: str
    """Role ARN, client id, or account's address."""
    region: str = ""


@dataclass(frozen=True)
class AwsRole:
    """A role: who may become it, and what it may do."""

    arn: str
    trust: str
    """Policy document, JSON."""
    policies: tuple[str, ...] = ()


@dataclass(frozen=True)
class AwsProvider:
    """An OpenID Connect provider known to the account."""

    arn: str
    url: str
    audiences: tuple[str, ...]


@dataclass(frozen=True)
class AwsBucket:
    """A bucket with its policy, its lock and the key that it encrypts with."""

    name: str
    region: str
    account: str
    policy: str = ""
    key: str = ""
    key_policy: str = ""
    lock_mode: str = ""
    lock_days: int = 0


@dataclass(frozen=True)
class AzureIdentity:
    """A managed identity; `trusts` are (issuer, subject, audience) of its federated credentials."""

    client: str
    principal: str
    tenant: str
    trusts: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class AzureContainer:
    """A container of a storage account."""

    account: str
    name: str
    id: str
    """Resource id, to which grants are scoped."""
    admitted: tuple[str, ...] | None = None
    """Addresses that the account's network rules let in; None: all."""


@dataclass(frozen=True)
class AzureGrant:
    """An assignment together with the data actions of the role that it assigns."""

    principal: str
    scope: str
    data_actions: tuple[str, ...]
    condition: str = ""


@dataclass(frozen=True)
class GcpAccount:
    """A service account."""

    email: str
    unique_id: str


@dataclass(frozen=True)
class GcpProvider:
    """A provider of a workload identity pool; `name` is `projects/…/providers/…`."""

    name: str
    mapping: dict[str, str]
    condition: str = ""
    aws_account: str = ""
    issuer: str = ""
    audiences: tuple[str, ...] = ()


@dataclass(frozen=True)
class GcpGrant:
    """A member of a bucket's, a key's or a secret's policy, with the permissions of the role that it has."""

    resource: str
    """Name of the bucket, full name of anything else."""
    member: str
    permissions: tuple[str, ...]
    condition: str = ""


@dataclass(frozen=True)
class Secret:
    """An entry of a secret store.

    Attributes:
        id: ARN, resource id or full name: what grants are about.
        place: where it is asked for: region, key vault or project.
        name: in that place.
        key: that it is encrypted with, where the reader must be allowed to use it.
    """

    cloud: Cloud
    id: str
    place: str
    name: str
    value: str = field(repr=False)
    key: str = ""


@dataclass(frozen=True)
class Key:
    """A key of a key service.

    Attributes:
        id: ARN, resource id or full name: what grants are about.
        place: where it is asked for: region or key vault; empty on GCP, where the name says it.
        names: by which it is asked for, beside its id.
        material: what the same key in another place shares.
        policy: the key's own, where its cloud has such.
        bits: of a key pair, 0 for a key that is kept by the service alone.
    """

    cloud: Cloud
    id: str
    place: str
    names: tuple[str, ...]
    material: str
    enabled: bool = True
    policy: str = ""
    bits: int = 0


@dataclass(frozen=True)
class AzureVault:
    """A key vault; what lies in it is a `Secret` or a `Key`."""

    name: str
    tenant: str
    id: str


@dataclass(frozen=True)
class Ground:
    """All of it."""

    machines: tuple[Machine, ...] = ()
    roles: tuple[AwsRole, ...] = ()
    providers: tuple[AwsProvider, ...] = ()
    buckets: tuple[AwsBucket, ...] = ()
    identities: tuple[AzureIdentity, ...] = ()
    containers: tuple[AzureContainer, ...] = ()
    azure_grants: tuple[AzureGrant, ...] = ()
    accounts: tuple[GcpAccount, ...] = ()
    pool_providers: tuple[GcpProvider, ...] = ()
    gcs_buckets: tuple[str, ...] = ()
    gcp_grants: tuple[GcpGrant, ...] = ()
    secrets: tuple[Secret, ...] = ()
    keys: tuple[Key, ...] = ()
    vaults: tuple[AzureVault, ...] = ()

    def hosts(self) -> tuple[str, ...]:
        """Every name at which the gateway answers."""
        regions = {bucket.region for bucket in self.buckets} | {m.region for m in self.machines if m.cloud == "aws"}
        return (
            *(f"{bucket.name}.s3.{bucket.region}.amazonaws.com" for bucket in self.buckets),
            *(f"sts.{region}.amazonaws.com" for region in sorted(regions)),
            *sorted({f"{container.account}.blob.core.windows.net" for container in self.containers}),
            "login.microsoftonline.com",
            "storage.googleapis.com",
            "sts.googleapis.com",
        )

    def dump(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))


def load(text: str) -> Ground:
    """What `dump` wrote."""
    adapter: TypeAdapter[Ground] = TypeAdapter(Ground)
    document: Any = json.loads(text)
    return adapter.validate_python(document)
