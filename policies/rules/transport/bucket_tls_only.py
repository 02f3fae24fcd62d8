"""Buckets refuse requests in clear text."""

from __future__ import annotations

from collections.abc import Iterator

from policies.conditions import NOT_FALSE, one_of
from policies.context import Context
from policies.documents import policy_statements
from policies.resource import Resource, World
from policies.rule import Check, Finding, Rule, about, across, advice, need, on

_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
_BUCKET = "aws:s3/bucket:Bucket"


def _refuses(resource: Resource, _: Context) -> Iterator[Finding]:
    denied = [statement for statement in policy_statements(resource.at("policy")) if statement.effect == "Deny"]
    if not any(s.condition("aws:SecureTransport") == ("false",) and "s3:*" in s.actions for s in denied):
        yield Finding("policy", "must deny `s3:*` where `aws:SecureTransport` is false")
    if not any(s.condition("s3:TlsVersion") for s in denied):
        yield advice("policy", "should deny TLS below 1.2 (`s3:TlsVersion`)")


def _every_bucket(world: World, _: Context) -> Iterator[Finding]:
    for bucket in world.of(_BUCKET):
        if not list(world.depending(bucket, "bucket", _POLICY)):
            yield about(bucket, Finding("", "has no bucket policy of this stack that refuses clear text"))


RULE = Rule(
    "bucket-tls-only",
    (
        on(
            "azure-native:storage:StorageAccount",
            need("enableHttpsTrafficOnly", NOT_FALSE),
            need("minimumTlsVersion", one_of("TLS1_2", "TLS1_3")),
        ),
        Check((_POLICY,), _refuses, ("policy",)),
        across(_every_bucket, (_BUCKET, ()), (_POLICY, ("bucket",))),
    ),
)
