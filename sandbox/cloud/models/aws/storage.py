"""AWS buckets and the settings that hang on them.

Source: S3 user guide, "General purpose bucket naming rules", "Locking objects", "Requirements for replication", "Lifecycle
configuration elements"; S3 API reference, "Error responses".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.aws.identity import ROLE, principals
from sandbox.cloud.models.aws.keys import KEYS
from sandbox.cloud.models.aws.policies import listed, statements
from sandbox.cloud.registry import Model, Name, Ref, model
from sandbox.cloud.store import Record
from sandbox.cloud.wire import Value

BUCKET: Final = "aws:s3/bucket:Bucket"
_NAME: Final = r"(?!xn--|sthree-|amzn-s3-demo-)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9](?!.*\.\.)[a-z0-9.-]{1,61}[a-z0-9]"
_KEY: Final = "applyServerSideEncryptionByDefault.kmsMasterKeyId"
_LEAST_DAYS: Final = {"STANDARD_IA": 30, "ONEZONE_IA": 30}
_CLASSES: Final = {"STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "GLACIER_IR", "DEEP_ARCHIVE"}
_IN_TIME: Final = 15  # minutes, the only figure there is

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


def _setting(name: str, *references: Ref) -> Model:
    """One of the resources that hold a setting of a bucket: one of a kind a bucket, asked for where the bucket is."""
    made = model(
        f"aws:s3/{name[0].lower() + name[1:]}:{name}",
        id="{bucket}",
        unique=(("bucket",),),
        references=(Ref("bucket", (BUCKET,), missing="NoSuchBucket", holds=False), *references),
        immutable=("bucket",),
        handles=(),
    )

    def lies_here(draft: Draft) -> None:
        owner = _owner(draft)
        if owner and owner["region"] != draft.scope("region"):
            raise draft.refuse(
                "PermanentRedirect",
                f"The bucket {owner.id} must be addressed in {owner['region']}, not in {draft.scope('region')}.",
                301,
            )

    made.admit(lies_here)
    return made


policy = _setting("BucketPolicy")
versioning = _setting("BucketVersioning")
object_lock = _setting("BucketObjectLockConfiguration")
lifecycle = _setting("BucketLifecycleConfiguration")
encryption = _setting(
    "BucketServerSideEncryptionConfiguration",
    Ref(f"rules[*].{_KEY}", KEYS, external=r"(.*:)?alias/aws/.*", missing="KMS.NotFoundException", holds=False),
)
closed = _setting("BucketPublicAccessBlock")
ownership = _setting("BucketOwnershipControls")
replication = _setting(
    "BucketReplicationConfig",
    Ref("role", (ROLE,), missing="InvalidRequest"),
    Ref(
        "rules[*].destination.encryptionConfiguration.replicaKmsKeyId",
        KEYS,
        missing="KMS.NotFoundException",
        holds=False,
    ),
)
for _name in ("BucketLogging", "BucketNotification"):
    _setting(_name)


def _owner(draft: Draft) -> Record | None:
    return draft.find(BUCKET, draft.get("bucket"))


@policy.check
def _policy_is_json(draft: Draft) -> Iterator[Failure]:
    text = draft.known("policy")
    if isinstance(text, str):
        try:
            json.loads(text)
        except ValueError as error:
            yield draft.fail("policy", f"contains an invalid JSON policy: {error}")


@policy.admit
def _policy_speaks_of_its_bucket(draft: Draft) -> None:
    owner, text = _owner(draft), draft.get("policy")
    if owner is None:
        return
    for statement in statements(text):
        for resource in listed(statement.get("Resource")):
            if resource != owner["arn"] and not str(resource).startswith(f"{owner['arn']}/"):
                raise draft.refuse("MalformedPolicy", f"Policy has invalid resource: {resource}")
    for _, who in principals(text, "AWS"):
        if ":role/" in who and draft.find(ROLE, who) is None:
            raise draft.refuse("MalformedPolicy", f"Invalid principal in policy: {who}")


@policy.admit
def _policy_is_not_public(draft: Draft) -> None:
    blocked = any(found["blockPublicPolicy"] for found in draft.others(closed.type, bucket=draft.get("bucket")))
    for statement, who in principals(draft.get("policy"), "AWS"):
        if blocked and who == "*" and statement.get("Effect") == "Allow" and "Condition" not in statement:
            raise draft.refuse(
                "AccessDenied",
                f"public policies are prevented by the BlockPublicPolicy setting of the bucket {draft.get('bucket')}.",
                403,
            )


@object_lock.check
def _lock_has_one_length(draft: Draft) -> Iterator[Failure]:
    rule = draft.known("rule.defaultRetention")
    if not isinstance(rule, dict):
        return
    if rule.get("mode") not in ("COMPLIANCE", "GOVERNANCE"):
        yield draft.fail(
            "rule.defaultRetention.mode", f'expected one of "GOVERNANCE", "COMPLIANCE", got {rule.get("mode")}'
        )
    given = [rule[name] for name in ("days", "years") if rule.get(name) is not None]
    if len(given) != 1 or (isinstance(given[0], (int, float)) and given[0] < 1):
        yield draft.fail("rule.defaultRetention", "exactly one of days and years must be given, and be positive")


@object_lock.admit
def _lock_needs_versioning(draft: Draft) -> None:
    """Object Lock works on buckets made with it, or on versioned ones."""
    owner = _owner(draft)
    if owner and not owner["objectLockEnabled"] and not _is_versioned(draft, owner.id):
        raise draft.refuse(
            "InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration", 409
        )


@versioning.admit
def _lock_keeps_versions(draft: Draft) -> None:
    owner = _owner(draft)
    if owner and owner["objectLockEnabled"] and draft.get("versioningConfiguration.status") != "Enabled":
        raise draft.refuse(
            "InvalidBucketState",
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
            409,
        )


@lifecycle.check
def _rules_hold_together(draft: Draft) -> Iterator[Failure]:
    seen: set[Value] = set()
    for path, rule in draft.each("rules[*]"):
        if not isinstance(rule, dict):
            continue
        if rule.get("status") not in ("Enabled", "Disabled"):
            yield draft.fail(f"{path}.status", f'expected one of "Enabled", "Disabled", got {rule.get("status")}')
        if rule.get("id") in seen:
            yield draft.fail(
                f"{path}.id",
                f"InvalidArgument: Rule ID must be unique. Found same ID for more than one rule: {rule.get('id')}",
            )
        seen.add(rule.get("id"))
        yield from _ages(draft, path, rule)


def _ages(draft: Draft, path: str, rule: dict[str, Any]) -> Iterator[Failure]:
    expiration: dict[str, Any] = rule.get("expiration") or {}
    days = expiration.get("days")
    if days is not None and expiration.get("expiredObjectDeleteMarker"):
        yield draft.fail(f"{path}.expiration", "MalformedXML: ExpiredObjectDeleteMarker cannot be specified with Days")
    for transition in rule.get("transitions") or []:
        into, after = transition.get("storageClass"), transition.get("days")
        if isinstance(into, str) and into not in _CLASSES:
            yield draft.fail(f"{path}.transitions", f"expected one of {sorted(_CLASSES)}, got {into}")
        if isinstance(after, (int, float)) and after < _LEAST_DAYS.get(str(into), 0):
            yield draft.fail(
                f"{path}.transitions", f"InvalidArgument: 'Days' must be at least {_LEAST_DAYS[into]} for {into}"
            )
        if isinstance(days, (int, float)) and isinstance(after, (int, float)) and days <= after:
            yield draft.fail(
                f"{path}.expiration",
                "InvalidArgument: 'Days' in the Expiration action must be greater than 'Days' in the Transition action",
            )


@encryption.check
def _cipher(draft: Draft) -> Iterator[Failure]:
    allowed = ("AES256", "aws:kms", "aws:kms:dsse")
    for path, value in draft.each("rules[*].applyServerSideEncryptionByDefault.sseAlgorithm"):
        if isinstance(value, str) and value not in allowed:
            yield draft.fail(path, f"expected one of {list(allowed)}, got {value}")


@encryption.admit
def _key_lies_here(draft: Draft) -> None:
    """A key of another region would be taken, and then fail every upload."""
    for path, value in draft.each(f"rules[*].{_KEY}"):
        if isinstance(value, str) and value.startswith("arn:") and value.split(":")[3] != draft.scope("region"):
            raise draft.refuse("KMS.NotFoundException", f"{path}: the key must be in {draft.scope('region')}.")


@ownership.check
def _owns(draft: Draft) -> Iterator[Failure]:
    allowed = ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter")
    value = draft.known("rule.objectOwnership")
    if isinstance(value, str) and value not in allowed:
        yield draft.fail("rule.objectOwnership", f"expected one of {list(allowed)}, got {value}")


@replication.check
def _replicates_in_time(draft: Draft) -> Iterator[Failure]:
    for path, rule in draft.each("rules[*]"):
        if not isinstance(rule, dict):
            continue
        destination: dict[str, Any] = rule.get("destination") or {}
        promised: dict[str, Any] = destination.get("replicationTime") or {}
        if promised.get("status") == "Enabled":
            minutes = (promised.get("time") or {}).get("minutes")
            if isinstance(minutes, (int, float)) and minutes != _IN_TIME:
                yield draft.fail(
                    f"{path}.destination.replicationTime", f"InvalidRequest: only {_IN_TIME} minutes are valid"
                )
            if (destination.get("metrics") or {}).get("status") != "Enabled":
                yield draft.fail(
                    f"{path}.destination.metrics", "InvalidRequest: replication time needs metrics enabled"
                )
        encrypted = ((rule.get("sourceSelectionCriteria") or {}).get("sseKmsEncryptedObjects") or {}).get("status")
        if (encrypted == "Enabled") != bool(destination.get("encryptionConfiguration")):
            yield draft.fail(
                f"{path}.destination.encryptionConfiguration",
                "InvalidRequest: SseKmsEncryptedObjects and EncryptionConfiguration must be specified together",
            )
        if rule.get("filter") is not None and rule.get("deleteMarkerReplication") is None:
            yield draft.fail(
                f"{path}.deleteMarkerReplication", "InvalidRequest: must be specified for this version of rules"
            )


@replication.admit
def _both_ends_are_versioned(draft: Draft) -> None:
    source = _owner(draft)
    for end in [draft.get("bucket"), *(value for _, value in draft.each("rules[*].destination.bucket"))]:
        owner = draft.find(BUCKET, end)
        if owner is None:
            raise draft.refuse("InvalidRequest", "Destination bucket must exist.")
        if not _is_versioned(draft, owner.id):
            raise draft.refuse(
                "InvalidRequest", f"Versioning must be 'Enabled' on the bucket {owner.id} to replicate it"
            )
        if source and source["objectLockEnabled"] and not owner["objectLockEnabled"]:
            raise draft.refuse("InvalidRequest", f"Destination bucket {owner.id} must have Object Lock enabled.")


@replication.admit
def _role_trusts_the_service(draft: Draft) -> None:
    role = draft.find(ROLE, draft.get("role"))
    trusted = [who for _, who in principals(role["assumeRolePolicy"], "Service")] if role else []
    if role and "s3.amazonaws.com" not in trusted:
        raise draft.refuse("InvalidRequest", f"Amazon S3 cannot assume the role {role['arn']}.")


def _is_versioned(draft: Draft, name: str) -> bool:
    owner = draft.find(BUCKET, name)
    if owner and owner["objectLockEnabled"]:
        return True
    return any(
        (record["versioningConfiguration"] or {}).get("status") == "Enabled"
        for record in draft.others(versioning.type, bucket=name)
    )
