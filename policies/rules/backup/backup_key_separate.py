"""Backups have a key of their own in each cloud, neither that of the data nor one that opens a cluster."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.apart import apart
from policies.concepts.backups import ACCOUNT, BUCKET, GCS_BUCKET, PLAN, S3_BUCKET, each_plan, held, of_backups
from policies.concepts.clusters import CLUSTERS
from policies.concepts.facts import peers
from policies.conditions import LITERAL, PRESENT, one_of
from policies.context import Context
from policies.resource import Node, World
from policies.rule import Finding, Rule, about, across, demand, need, on

_ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
_DEFAULT = "rules[].applyServerSideEncryptionByDefault"
_DATABASE = "hashicorp:clouds:Database"
_REFS = ("seal?.keyRef?", "keyring?.keyRef?", "kms[].keyRef?")
"""Where a cluster names the keys that open it or its data."""


def _every_bucket(world: World, _: Context) -> Iterator[Finding]:
    for bucket in held(world, S3_BUCKET):
        if not list(world.depending(bucket, "bucket", _ENCRYPTION)):
            yield about(bucket, Finding("", "has no encryption of this stack with a key of its own"))


def _buckets(world: World, _: Context) -> Iterator[Finding]:
    for bucket, spec in world.specs(BUCKET):
        yield from apart(bucket, _bucket(world, spec))


def _bucket(world: World, spec: Node) -> Iterator[Finding]:
    ref = spec.at("keyRef")
    yield from demand(ref, LITERAL)
    if not LITERAL.holds(ref.known()):
        return
    if ref.value in _opening(world):
        yield Finding(ref.path, "must not be a key that opens a cluster or its data")
    if ref.value in _abroad(world, spec.get("cloud")):
        yield Finding(ref.path, "must not be the key of another cloud's backups")


def _opening(world: World) -> set[object]:
    """Keys of clusters and of their data, here and at the peers."""
    found = {node.known() for _, spec in world.specs(*CLUSTERS) for path in _REFS for node in spec.each(path)}
    found |= {node.known() for _, spec in world.specs(_DATABASE) for node in spec.each("keyRef?")}
    told = (world.facts, *(said for said in peers(world).values() if not said.absent))
    return found | {node.known() for said in told for node in said.each("sealKeys[].keyRef")}


def _abroad(world: World, own: object) -> set[object]:
    """Keys of the buckets of other clouds, in this stack and at the peers."""
    told = [spec for _, spec in world.specs(BUCKET)]
    told += [bucket for said in peers(world).values() if not said.absent for bucket in said.each("buckets[]")]
    return {bucket.get("keyRef") for bucket in told if bucket.get("cloud") != own}


def _plans(world: World, _: Context) -> Iterator[Finding]:
    yield from each_plan(world, _targets, "its keys cannot be compared")


def _targets(spec: Node) -> Iterator[Finding]:
    seen: dict[object, object] = {}
    for target in spec.each("targets[]"):
        ref, cloud = target.at("keyRef"), target.get("cloud")
        yield from demand(ref, LITERAL)
        if LITERAL.holds(ref.known()) and seen.setdefault(ref.value, cloud) != cloud:
            yield Finding(ref.path, "must not be the key of another cloud's target")


RULE = Rule(
    "backup-key-separate",
    (
        on(
            _ENCRYPTION,
            need(f"{_DEFAULT}.sseAlgorithm", one_of("aws:kms", "aws:kms:dsse")),
            need(f"{_DEFAULT}.kmsMasterKeyId", PRESENT),
            when=of_backups,
        ),
        on(
            ACCOUNT,
            need("encryption.keySource", one_of("Microsoft.Keyvault")),
            need("encryption.keyVaultProperties.keyName", PRESENT),
            when=of_backups,
        ),
        on(GCS_BUCKET, need("encryption.defaultKmsKeyName", PRESENT), when=of_backups),
        across(_every_bucket, (S3_BUCKET, ()), (_ENCRYPTION, ("bucket",))),
        across(
            _buckets,
            (BUCKET, ("spec.cloud", "spec.keyRef")),
            (_DATABASE, ("spec.keyRef",)),
            *((token, tuple(f"spec.{path}" for path in _REFS)) for token in CLUSTERS),
        ),
        across(_plans, (PLAN, ("spec.cloud", "spec.targets[].cloud", "spec.targets[].keyRef"))),
    ),
)
