"""No bucket can be made public."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.emptiness import NO_ITEM
from policies.conditions import FALSE, TRUE, none_of, one_of, optional
from policies.context import Context
from policies.resource import Resource, World
from policies.rule import Check, Finding, Rule, about, across, need, on

_BUCKET = "aws:s3/bucket:Bucket"
_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_ACCOUNT = "azure-native:storage:StorageAccount"
_NOBODY_KNOWN = none_of("allUsers", "allAuthenticatedUsers")
_FLAGS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def _every_bucket(world: World, _: Context) -> Iterator[Finding]:
    for bucket in world.of(_BUCKET):
        if not list(world.depending(bucket, "bucket", _BLOCK)):
            yield about(bucket, Finding("", "has no public access block of this stack"))


def _closed_account(account: Resource, _: Context) -> Iterator[Finding]:
    access = account.get("publicNetworkAccess")
    listed = access == "Enabled" and account.get("networkRuleSet.defaultAction") == "Deny"
    if access != "Disabled" and not listed:
        yield Finding("publicNetworkAccess", "must be Disabled, or Enabled for networks that are listed")


RULE = Rule(
    "bucket-public-blocked",
    (
        on(
            (_BLOCK, "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"),
            *(need(flag, TRUE) for flag in _FLAGS),
            unknown="fail",
        ),
        on(_BUCKET, need("acl", optional(one_of("private"))), need("grants[]", NO_ITEM), unknown="fail"),
        on(_ACCOUNT, need("allowBlobPublicAccess", FALSE), unknown="fail"),
        Check((_ACCOUNT,), _closed_account, ("publicNetworkAccess", "networkRuleSet.defaultAction"), unknown="fail"),
        on(
            "azure-native:storage:BlobContainer",
            need("publicAccess", optional(one_of("None"))),
            unknown="fail",
        ),
        on(
            "gcp:storage/bucket:Bucket",
            need("publicAccessPrevention", one_of("enforced")),
            need("uniformBucketLevelAccess", TRUE),
            unknown="fail",
        ),
        on("gcp:storage/bucketIAMMember:BucketIAMMember", need("member", _NOBODY_KNOWN)),
        on("gcp:storage/bucketIAMBinding:BucketIAMBinding", need("members[]", _NOBODY_KNOWN)),
        across(_every_bucket, (_BUCKET, ()), (_BLOCK, ("bucket",))),
    ),
)
