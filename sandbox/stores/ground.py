"""What stands in the three clouds, and which grants their stacks declare. Plain data, from a test or from a state.

Policies, conditions and mappings keep the vendor's own language: the gateway evaluates what a stack registered and not
what somebody understood of it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
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
    """A member of a bucket's policy, with the permissions of the role that it has."""

    bucket: str
    member: str
    permissions: tuple[str, ...]
    condition: str = ""


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
