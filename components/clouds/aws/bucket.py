"""A bucket that nobody can empty: locked, versioned, encrypted, closed to the world.

Owns the posture that backups, their replica and the audit trail share. What is in it, and who may put it there, is said
by whoever makes one (`storage`, `audit`): they hand over statements of the bucket's policy.

Everything here is lineage and protected: the bucket, and each setting without which it would be less than that.

Dangerous edges:
- A bucket is locked from its making or never well; the lock's default reaches objects written after it.
- An object under the lock outlives the lifecycle: what expires too early only gets a marker and goes on costing.
- A policy that denies too much denies its own repair: no statement here is for the account's administrators.

Source: S3 user guide, "Locking objects", "Lifecycle configuration elements", "Bucket policy examples".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.clouds.aws.identity import document
from components.clouds.contract import Account
from components.plan.backup import Retention
from components.plan.spec import Lock

_COLD = "GLACIER_IR"
"""Read in milliseconds: a restore must not wait hours for its snapshot. Bills ninety days at least."""
_ABORT_DAYS = 7
_TLS = "1.2"

Statement = Mapping[str, Any]


def bucket_arn(account: Account, name: str) -> str:
    """ARN of a bucket, which follows from its name."""
    return f"arn:{account.tenant}:s3:::{name}"


@dataclass(frozen=True)
class BucketArgs:
    """One bucket. `name` follows from the plan, so that policies can speak of it before it is there."""

    account: Account
    name: str
    region: str
    key: pulumi.Input[str]
    """ARN, in the same region."""
    retention: Retention
    lock: Lock
    statements: Sequence[Statement]


@dataclass(frozen=True)
class LockedBucket:
    """What others need of it."""

    name: pulumi.Output[str]
    """Known once every setting stands."""
    ready: Sequence[pulumi.Resource]


def locked_bucket(logical: str, args: BucketArgs, opts: pulumi.ResourceOptions) -> LockedBucket:
    """Register the bucket and its settings, all with `opts`, which protect."""
    made = aws.s3.Bucket(
        logical,
        bucket=args.name,
        region=args.region,
        object_lock_enabled=True,
        force_destroy=False,
        tags={"Name": args.name},
        opts=opts,
    )
    place = {"bucket": made.bucket, "region": args.region}
    versioning = aws.s3.BucketVersioning(logical, **place, versioning_configuration={"status": "Enabled"}, opts=opts)
    after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[versioning]))
    lock = aws.s3.BucketObjectLockConfiguration(
        logical,
        **place,
        object_lock_enabled="Enabled",
        rule={"default_retention": {"mode": args.lock.upper(), "days": args.retention.lock_days}},
        opts=after,
    )
    lifecycle = aws.s3.BucketLifecycleConfiguration(logical, **place, rules=_rules(args.retention), opts=after)
    encryption = aws.s3.BucketServerSideEncryptionConfiguration(
        logical,
        **place,
        rules=[
            {
                "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": args.key},
                "bucket_key_enabled": True,
            }
        ],
        opts=opts,
    )
    owned = aws.s3.BucketOwnershipControls(
        logical, **place, rule={"object_ownership": "BucketOwnerEnforced"}, opts=opts
    )
    closed = aws.s3.BucketPublicAccessBlock(
        logical,
        **place,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )
    policy = aws.s3.BucketPolicy(
        logical,
        **place,
        policy=document(*_transport(bucket_arn(args.account, args.name)), *args.statements),
        # Two settings of one bucket at once are a conflict.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[closed])),
    )
    ready = [versioning, lock, lifecycle, encryption, owned, closed, policy]
    name = pulumi.Output.all(made.bucket, *(setting.id for setting in (versioning, lock, encryption, policy))).apply(
        lambda known: known[0]
    )
    return LockedBucket(name, ready)


def _rules(retention: Retention) -> list[Any]:
    kept: dict[str, Any] = {
        "id": "keep",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "expiration": {"days": retention.expire_days},
        "noncurrent_version_expiration": {"noncurrent_days": retention.expire_days},
        "abort_incomplete_multipart_upload": {"days_after_initiation": _ABORT_DAYS},
    }
    if retention.cold_days is not None:
        kept["transitions"] = [{"days": retention.cold_days, "storage_class": _COLD}]
    # A marker whose versions are gone; it cannot be asked for together with an age.
    tidy = {
        "id": "tidy",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "expiration": {"expired_object_delete_marker": True},
    }
    return [kept, tidy]


def _transport(arn: str) -> tuple[Statement, ...]:
    everything = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, f"{arn}/*"]}
    return (
        {"Sid": "NoClearText", **everything, "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Sid": "NoOldTls", **everything, "Condition": {"NumericLessThan": {"s3:TlsVersion": _TLS}}},
    )
