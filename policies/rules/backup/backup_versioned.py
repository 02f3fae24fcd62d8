"""Backup buckets keep versions."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.backups import ACCOUNT, BUCKET, DAYS, GCS_BUCKET, S3_BUCKET, held, of_backups
from policies.conditions import NOT_FALSE, TRUE, at_least, one_of
from policies.context import Context
from policies.resource import Resource, World
from policies.rule import Check, Finding, Rule, about, across, need, on
from policies.values import as_bool, as_seconds

_VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
_SERVICE = "azure-native:storage:BlobServiceProperties"


def _kept(bucket: Resource, _: Context) -> Iterator[Finding]:
    if not of_backups(bucket):
        return
    retention = as_seconds(bucket.get("retentionPolicy.retentionPeriod"))
    if as_bool(bucket.get("versioning.enabled")) is not True and not retention:
        yield Finding("versioning.enabled", "must be true, or a retention policy set")


def _every_bucket(world: World, _: Context) -> Iterator[Finding]:
    for kind, prop, setting in ((S3_BUCKET, "bucket", _VERSIONING), (ACCOUNT, "accountName", _SERVICE)):
        for bucket in held(world, kind):
            if not list(world.depending(bucket, prop, setting)):
                yield about(bucket, Finding("", "has no versioning in this stack"))


RULE = Rule(
    "backup-versioned",
    (
        on(_VERSIONING, need("versioningConfiguration.status", one_of("Enabled")), unknown="fail"),
        on(S3_BUCKET, need("versioning?.enabled", NOT_FALSE), unknown="fail"),
        across(
            _every_bucket,
            (S3_BUCKET, ()),
            (_VERSIONING, ("bucket",)),
            (ACCOUNT, ()),
            (_SERVICE, ("accountName",)),
        ),
        on(
            _SERVICE,
            need("isVersioningEnabled", TRUE),
            need("deleteRetentionPolicy.enabled", TRUE),
            need("deleteRetentionPolicy.days", at_least(DAYS)),
            need("containerDeleteRetentionPolicy.enabled", TRUE),
            need("changeFeed.enabled", TRUE),
            unknown="fail",
        ),
        Check((GCS_BUCKET,), _kept, ("versioning.enabled", "retentionPolicy.retentionPeriod"), "fail"),
        on(BUCKET, need("versioned", TRUE), unknown="fail"),
    ),
)
