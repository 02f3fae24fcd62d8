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

import base64
import gzip
import hashlib
import json
from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel

from .backup import PLATFORM_MINUTES, SETS, WRITERS, Saved
from .mesh import TunnelStatus
from .spec import Cloud, Edition, Lock, Platform, Product, Profile, Role, SealKind, Stack

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
    egress: tuple[str, ...] = ()
    """Public addresses from which the region's machines reach the world."""


class TunnelFacts(_Part):
    """One tunnel as this region sees it."""

    pair: str
    index: int
    status: TunnelStatus
    inside: str
    own: str | None = None
    """Public address of this region's gateway; absent until the cloud has given it."""
    far: str | None = None
    """Public address of the peer's."""


class MeshFacts(_Part):
    """The region's part of the mesh."""

    asn: int
    endpoints: dict[str, tuple[str, ...]] = {}
    """By pair: public address of this region's gateway for each of the four tunnels, once the cloud has given them."""
    declared: tuple[str, ...] = ()
    """Pairs whose tunnels this stack has declared."""
    tunnels: tuple[TunnelFacts, ...] = ()


class BucketFacts(_Part):
    """Where the backups of a region lie, and the copies of another region's."""

    name: str
    attributes: dict[str, str]
    """What a client needs to reach it. aws: `bucket`, `region`. azure: `account`, `container`. gcp: `bucket`."""
    replica: str
    """Name of what holds the second copy inside the cloud (bucket, account or the dual region's own bucket)."""
    replica_region: str
    key: str
    """Purpose of the key that encrypts it."""
    lock: Lock
    lock_days: int
    keep_days: int


class SetFacts(_Part):
    """One set of backups of this region."""

    saved: Saved
    interval_minutes: int
    role: Role
    """Whose machines write it."""
    targets: tuple[Cloud, ...]
    """The region's own cloud first, then the second one."""


class BackupFacts(_Part):
    """The region's backups."""

    bucket: BucketFacts
    sets: tuple[SetFacts, ...]
    rpo_minutes: int
    restorer: str
    """Identity that may read the bucket and use its key; no machine has it."""
    writers: dict[Cloud, dict[Role, dict[str, str]]] = {}
    """How machines of another cloud write into this bucket, by their cloud and role. In aws: `role_arn`, `audience`.
    In azure: `tenant`, `client_id`, `audience`. In gcp: `provider` (its audience), `subject_token_type`, `audience`."""


class AuditFacts(_Part):
    """The region's audit trail."""

    bucket: str
    keep_days: int
    recovery_bucket: str | None = None
    """What holds the recovery region's records, where they cannot be written across regions."""


class StackFacts(_Part):
    """What the stack alone was configured with."""

    account: str
    """As configured; empty where any account was accepted."""
    image: str


class DatabaseFacts(_Part):
    """Boundary's database."""

    id: str
    address: str
    """Host name."""
    version: str
    pitr_days: int
    """How far back a point in time can be restored to."""
    copy_region: str
    """Where the automated backups are copied to."""


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
    settings: dict[str, Any] = {}
    """The whole platform as configured (`settings_of`), so that any region can be planned again from any manifest."""
    stack: StackFacts | None = None
    mesh: MeshFacts | None = None
    backup: BackupFacts | None = None
    audit: AuditFacts | None = None
    database: DatabaseFacts | None = None
    """Only on the primary."""
    peers: dict[Cloud, Manifest] = {}
    """What the other regions last said, for the day on which they say nothing: see `remembered`."""


def sets(stack: Stack) -> tuple[SetFacts, ...]:
    """What a region saves. Boundary's database stands on the primary alone."""
    policy = stack.platform.backup
    second = policy.copies.get(stack.cloud)
    return tuple(
        SetFacts(
            saved=saved,
            interval_minutes=PLATFORM_MINUTES if saved == "platform" else policy.interval_minutes[saved],
            role=WRITERS[saved],
            targets=(stack.cloud, second) if second else (stack.cloud,),
        )
        for saved in SETS
        if saved != "boundary" or stack.is_primary
    )


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
        "asns": dict(platform.asns),
        "copies": dict(platform.backup.copies),
    }
    return hashlib.sha256(json.dumps(agreed, sort_keys=True).encode()).hexdigest()[:16]


_PLATFORM: TypeAdapter[Platform] = TypeAdapter(Platform)


def settings_of(platform: Platform) -> dict[str, Any]:
    """The platform as plain JSON."""
    return _PLATFORM.dump_python(platform, mode="json")


def platform_of(settings: dict[str, Any]) -> Platform:
    """The platform that `settings_of` was given.

    Raises:
        ValueError: settings of another schema, with less or more in them.
    """
    platform = _PLATFORM.validate_python(settings)
    # Validation passes over what it does not know; a platform without it would be another one.
    if settings_of(platform) != settings:
        raise ValueError("the settings hold more than this program knows")
    return platform


def remembered(manifest: Manifest, by: Cloud) -> Manifest:
    """A peer's manifest as the region `by` keeps it.

    Without what the peer remembers of others, which would grow with every pass, and without what follows from other
    regions' last updates (tunnels' status, ways in for others than `by`): two regions would otherwise rewrite each
    other's memory pass after pass.
    """
    backup = manifest.backup and manifest.backup.model_copy(
        update={"writers": {cloud: roles for cloud, roles in manifest.backup.writers.items() if cloud == by}}
    )
    return _settled(manifest).model_copy(update={"peers": {}, "backup": backup})


def _settled(manifest: Manifest) -> Manifest:
    """Without what says how far the mesh has come."""
    mesh = manifest.mesh and manifest.mesh.model_copy(update={"declared": (), "tunnels": ()})
    return manifest.model_copy(update={"mesh": mesh})


def packed(manifest: Manifest) -> str:
    """A manifest as the secret store keeps it for the region's machines: base64 of the gzip of its JSON.

    Small enough for every cloud; the same manifest gives the same text, however far the mesh has come.
    """
    document = _settled(manifest).model_dump(by_alias=True, mode="json")
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=9, mtime=0)).decode()
