"""The manifest: what a region is, in one typed document made of stack outputs.

Owns the schema. Everything that works on a running platform (the operator's commands, a rebuild, the
table at the end of `make up`) reads this document and nothing else. It holds references to keys and secrets,
never their values, so it may lie in plain view beside backups.

Dangerous edges:
- Old manifests are read in the worst hour. A change of meaning raises `SCHEMA`; a reader refuses one it does not know.
- Regions read each other's manifests before they write their own, so a new field must have a default: without one
  every region would wait for the others to be updated first.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from .spec import Cloud, Edition, Platform, Product, Profile, Role, SealKind

SCHEMA = 1


class _Part(BaseModel):
    # The engine hands null over as a missing key, so whatever may be null has that as its default.
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class ServerFacts(_Part):
    """One machine."""

    name: str
    zone: str
    address: str
    id: str
    """The cloud's id of the machine."""


class KeyFacts(_Part):
    """A key of the lineage, by reference."""

    purpose: str
    kind: str
    """`awskms`, `azurekeyvault` or `gcpckms`: the seal type that uses it."""
    attributes: dict[str, str]
    """What a seal stanza needs to reach the key."""
    region: str
    usable_from: tuple[str, ...]


class ClusterFacts(_Part):
    """One product in one region."""

    product: Product
    name: str
    version: str
    endpoint: str | None = None
    health: str | None = None
    """URL that answers 200 when a server of the cluster can serve."""
    servers: tuple[ServerFacts, ...]
    key: str | None = None
    """Purpose of the key that seals it or wraps its keyring."""
    secrets: tuple[str, ...]
    """Entries of the secret store that its servers read."""


class ClientFacts(_Part):
    """The autoscaled group of Nomad clients."""

    group: str
    minimum: int
    maximum: int


class NetworkFacts(_Part):
    """The region's network."""

    id: str
    cidr: str
    zones: tuple[str, ...]
    server_subnets: tuple[str, ...]
    client_subnets: tuple[str, ...]


class Manifest(_Part):
    """One region. Schema 1."""

    schema_version: Literal[1] = SCHEMA
    platform: str
    environment: str
    domain: str
    cloud: Cloud
    region: str
    recovery_region: str
    account: str
    tenant: str
    """Azure tenant, GCP project number, AWS partition: what a trust policy of another cloud needs."""
    primary: Cloud
    profile: Profile
    edition: Edition
    seal: SealKind
    versions: dict[str, str]
    shared: str
    """Fingerprint of what all stacks must agree on; a peer with another one was built from other settings."""
    network: NetworkFacts
    clusters: tuple[ClusterFacts, ...]
    clients: ClientFacts
    keys: tuple[KeyFacts, ...]
    secrets: dict[str, str]
    """Id in the cloud of each entry of the secret store."""
    worker_auth: KeyFacts | None = None
    """How Boundary workers of other clouds reach the key of worker authentication; only on the primary."""
    identities: dict[Role, str]
    """The cloud's id of each workload identity, as another cloud's trust policy names it."""
    ca_certificate: str
    """The platform's root certificate, PEM. Public: whoever verifies a server needs it."""


def fingerprint(platform: Platform) -> str:
    """Digest of the settings by which servers of different regions find and trust each other.

    Versions are left out: during an upgrade regions differ in them on purpose.
    """
    agreed = {
        "name": platform.name,
        "environment": platform.environment,
        "domain": platform.domain,
        "regions": {cloud: asdict(platform.regions[cloud]) for cloud in platform.clouds},
        "servers": dict(platform.servers),
    }
    return hashlib.sha256(json.dumps(agreed, sort_keys=True).encode()).hexdigest()[:16]
