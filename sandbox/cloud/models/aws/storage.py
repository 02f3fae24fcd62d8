"""AWS buckets and the settings that hang on them.

Source: S3 user guide, "General purpose bucket naming rules"; S3 API reference, "Error responses".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.registry import Model, Name, Ref, model

BUCKET: Final = "aws:s3/bucket:Bucket"
_NAME: Final = r"(?!xn--|sthree-|amzn-s3-demo-)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9](?!.*\.\.)[a-z0-9.-]{1,61}[a-z0-9]"

bucket = model(
    BUCKET,
    id="{name}",
    name=Name("bucket", max=63, lower=True, characters="a-z0-9-", pattern=_NAME,
              rule="3 to 63 lower-case letters, digits, hyphens and dots, beginning and ending with letter or digit"),
    unique=(("bucket",),),
    immutable=("bucket", "bucketPrefix", "objectLockEnabled"),
    outputs={
        "arn": "arn:aws:s3:::{name}",
        "bucketDomainName": "{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": "{name}.s3.{region}.amazonaws.com",
        "bucketRegion": "{region}",
        "hostedZoneId": "Z3BJ6K6RIION7M",
        "requestPayer": "BucketOwner",
    },
    handles=("arn", "bucket"),
    exists="BucketAlreadyOwnedByYou",
    in_use="BucketNotEmpty",
)  # fmt: skip


def _setting(name: str, token: str = "") -> Model:
    """One of the resources that hold a setting of a bucket: one of a kind a bucket."""
    kind = token or name[0].lower() + name[1:]
    return model(
        f"aws:s3/{kind}:{name}",
        id="{bucket}",
        unique=(("bucket",),),
        references=(Ref("bucket", (BUCKET,), missing="NoSuchBucket", holds=False),),
        immutable=("bucket",),
        handles=(),
    )


policy = _setting("BucketPolicy")
versioning = _setting("BucketVersioning")
object_lock = _setting("BucketObjectLockConfiguration")
replication = _setting("BucketReplicationConfig")
for _name in (
    "BucketLifecycleConfiguration", "BucketLogging", "BucketNotification", "BucketOwnershipControls",
    "BucketPublicAccessBlock", "BucketServerSideEncryptionConfiguration",
):  # fmt: skip
    _setting(_name)


@policy.check
def _policy_is_json(draft: Draft) -> Iterator[Failure]:
    text = draft.known("policy")
    if isinstance(text, str):
        try:
            json.loads(text)
        except ValueError as error:
            yield draft.fail("policy", f"contains an invalid JSON policy: {error}")


@object_lock.admit
def _lock_needs_versioning(draft: Draft) -> None:
    """Object Lock works on buckets made with it, or on versioned ones."""
    owner = draft.find(BUCKET, draft.get("bucket"))
    if owner and not owner["objectLockEnabled"] and not _is_versioned(draft, owner.id):
        raise draft.refuse(
            "InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration", 409
        )


@replication.admit
def _both_ends_are_versioned(draft: Draft) -> None:
    ends = [draft.get("bucket"), *(value for _, value in draft.each("rules[*].destination.bucket"))]
    for end in ends:
        owner = draft.find(BUCKET, end)
        if owner is None:
            raise draft.refuse("InvalidRequest", "Destination bucket must exist.")
        if not _is_versioned(draft, owner.id):
            raise draft.refuse(
                "InvalidRequest", f"Versioning must be 'Enabled' on the bucket {owner.id} to replicate it"
            )


def _is_versioned(draft: Draft, name: str) -> bool:
    owner = draft.find(BUCKET, name)
    if owner and owner["objectLockEnabled"]:
        return True
    return any(
        (record["versioningConfiguration"] or {}).get("status") == "Enabled"
        for record in draft.others(versioning.type, bucket=name)
    )
