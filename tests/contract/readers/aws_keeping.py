"""AWS's buckets, who may touch what lies in them, and what is recorded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.contract.posture import Bucket, Trail
from tests.contract.readers.words import Words, listed, statements
from tests.contract.state import Resource, State

RESTORER = "restorer"
_BUCKET, _REPLICATION = "aws:s3/bucket:Bucket", "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
_WORDS: Mapping[str, str] = {
    "s3:GetObject": "read",
    "s3:GetObjectVersion": "read",
    "s3:ListBucket": "list",
    "s3:ListBucketVersions": "list",
    "s3:DeleteObject": "delete",
    "s3:DeleteObjectVersion": "delete",
    "s3:BypassGovernanceRetention": "delete",
    "s3:PutObjectRetention": "settings",
    "s3:PutBucketPolicy": "settings",
    "s3:PutBucketVersioning": "settings",
    "s3:PutBucketObjectLockConfiguration": "settings",
    "s3:PutLifecycleConfiguration": "settings",
    "s3:PutReplicationConfiguration": "settings",
    "s3:PutEncryptionConfiguration": "settings",
}
_PUT = "s3:PutObject"
_TRAIL_SERVICE, _DELIVERY_SERVICE = "cloudtrail.amazonaws.com", "delivery.logs.amazonaws.com"

Grant = tuple[str, str, dict[str, Any]]
"""Who, by which role's ARN, and the statement that lets him."""


def covers(pattern: str, text: str) -> bool:
    """Whether a pattern of `*` covers the whole text."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None


@dataclass(frozen=True)
class Keeping:
    """Reads the buckets of a region."""

    state: State
    words: Words
    grants: tuple[Grant, ...]
    """What everybody may do who is no service."""
    purpose: Callable[[str], str | None]
    """Purpose of a key by its ARN, in whatever region."""

    def backups(self) -> Bucket:
        """The bucket of the backups with its replica: together they are no better than the worse of the two."""
        source = self._named("backups-aws-")
        bucket = self._bucket(source)
        copy = self._replica(source)
        if copy is None:
            return bucket
        other = self._bucket(copy)
        whole = replace(
            bucket,
            replica_region=copy["region"],
            replica_key=other.key,
            versioned=bucket.versioned and other.versioned,
            lock_days=min(bucket.lock_days, other.lock_days),
            locked=bucket.locked and other.locked,
            expire_days=min(bucket.expire_days, other.expire_days),
            superseded_days=min(bucket.superseded_days, other.superseded_days),
            public=bucket.public | {f"replica: {opening}" for opening in other.public},
            clear_text=bucket.clear_text or other.clear_text,
            protected=bucket.protected and other.protected,
        )
        powers = {
            who: bucket.powers.get(who, frozenset()) | other.powers.get(who, frozenset())
            for who in bucket.powers.keys() | other.powers.keys()
        }
        # Whoever restores may find one of them gone.
        both = bucket.powers.get(RESTORER, frozenset()) & other.powers.get(RESTORER, frozenset())
        powers[RESTORER] = powers.get(RESTORER, frozenset()) - {"read", "list"} | both
        creators = {**bucket.creators, **{f"{who} in the replica": names for who, names in other.creators.items()}}
        return replace(whole, powers=powers, creators=creators)

    def trail(self) -> Trail:
        """What is recorded where."""
        bucket = self._named("audit-")
        trails = [
            found
            for found in self.state.of("aws:cloudtrail/trail:Trail")
            if found["s3BucketName"] == bucket.id
            and found["enableLogging"]
            and found["isMultiRegionTrail"]
            and found["includeGlobalServiceEvents"]
            and self._admitted(bucket, _TRAIL_SERVICE)
        ]
        kept = self._bucket(bucket)
        keys = {self.purpose(found.inputs.get("kmsKeyId", "")) for found in trails}
        return Trail(
            calls=frozenset(word for found in trails for word in self._calls(found)),
            verified=bool(trails) and all(found["enableLogFileValidation"] for found in trails),
            flows=frozenset(self._flows(bucket)),
            bucket=replace(kept, key=kept.key if keys == {kept.key} else None),
        )

    def _named(self, beginning: str) -> Resource:
        (found,) = (
            found for found in self.state.of(_BUCKET) if self.words.plain(found["bucket"]).startswith(beginning)
        )
        return found

    def _settings(self, bucket: Resource) -> dict[str, Resource]:
        """Settings of a bucket by the end of their type."""
        return {
            found.type.rpartition(":")[2]: found
            for found in self.state.resources
            if found.type.startswith("aws:s3/bucket") and found.type != _BUCKET and found["bucket"] == bucket.id
        }

    def _bucket(self, bucket: Resource) -> Bucket:
        settings = self._settings(bucket)
        guards = [found for kind, found in settings.items() if kind != "BucketReplicationConfig"]
        versioned = (_of(settings, "BucketVersioning", "versioningConfiguration") or {}).get("status") == "Enabled"
        rule = _of(settings, "BucketObjectLockConfiguration", "rule") or {}
        lock = rule.get("defaultRetention", {}) if bucket["objectLockEnabled"] and versioned else {}
        rules = [
            rule for rule in _of(settings, "BucketLifecycleConfiguration", "rules") or [] if rule["status"] == "Enabled"
        ]
        ages = [rule["expiration"]["days"] for rule in rules if "days" in rule.get("expiration", {})]
        superseded = [
            rule["noncurrentVersionExpiration"]["noncurrentDays"]
            for rule in rules
            if "noncurrentVersionExpiration" in rule
        ]
        policy = list(statements(_of(settings, "BucketPolicy", "policy") or '{"Statement": []}'))
        key = self._key(settings)
        creators, powers = self._rights(bucket, policy, key)
        return Bucket(
            region=bucket["region"],
            replica_region=None,
            versioned=versioned,
            key=key and self.purpose(key),
            replica_key=None,
            lock_days=lock.get("days", 0),
            locked=lock.get("mode") == "COMPLIANCE",
            expire_days=min(ages, default=0),
            superseded_days=min(superseded, default=0),
            public=frozenset(_public(settings, policy)),
            clear_text=not _tls_only(bucket, policy),
            protected=bucket.protected and not bucket["forceDestroy"] and all(found.protected for found in guards),
            creators=creators,
            powers=powers,
        )

    @staticmethod
    def _key(settings: Mapping[str, Resource]) -> str | None:
        rules = _of(settings, "BucketServerSideEncryptionConfiguration", "rules") or [{}]
        default = rules[0].get("applyServerSideEncryptionByDefault", {})
        return default.get("kmsMasterKeyId") if default.get("sseAlgorithm") == "aws:kms" else None

    def _rights(
        self, bucket: Resource, policy: list[dict[str, Any]], key: str | None
    ) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
        """Who creates what, and what else who may do: by his own policies or by the bucket's."""
        arn = bucket["arn"]
        grants: list[Grant] = [*self.grants, *_let_in(policy)]
        creators: dict[str, set[str]] = {}
        powers: dict[str, set[str]] = {}
        for who, role, statement in grants:
            touched = [place for place in listed(statement["Resource"]) if _touches(place, arn)]
            actions = listed(statement["Action"])
            if statement["Effect"] != "Allow" or not touched:
                continue
            if any(covers(action, _PUT) for action in actions):
                if self._may(who, "kms:GenerateDataKey", key):
                    creators.setdefault(who, set()).update(_beginning(place, arn) for place in touched)
                if not _denied_to_replace(policy, arn, role):
                    powers.setdefault(who, set()).add("overwrite")
            for action in actions:
                words = {word for known, word in _WORDS.items() if covers(action, known)}
                powers.setdefault(who, set()).update(words or ({action} - {_PUT}))
        for who, words in powers.items():
            if not self._may(who, "kms:Decrypt", key):
                words.discard("read")
        return _frozen(creators), _frozen(powers)

    def _may(self, who: str, action: str, key: str | None) -> bool:
        return any(
            covers(given, action) and key in listed(statement["Resource"])
            for someone, _, statement in self.grants
            if someone == who and statement["Effect"] == "Allow"
            for given in listed(statement["Action"])
        )

    def _replica(self, source: Resource) -> Resource | None:
        """The bucket into which every object goes, encrypted by the key that the bucket itself would take."""
        for found in self.state.of(_REPLICATION):
            for rule in found["rules"] if found["bucket"] == source.id else ():
                target = self.state.named(_BUCKET, rule["destination"]["bucket"])
                encrypted = rule.get("sourceSelectionCriteria", {}).get("sseKmsEncryptedObjects", {}).get("status")
                key = rule["destination"].get("encryptionConfiguration", {}).get("replicaKmsKeyId")
                whole = not rule.get("filter", {}).get("prefix") and encrypted == rule["status"] == "Enabled"
                if whole and key == self._key(self._settings(target)) and self._replicates(found["role"], target):
                    return target
        return None

    def _replicates(self, role: str, target: Resource) -> bool:
        name = role.rpartition("/")[2]
        return any(
            covers(place, f"{target['arn']}/any") and "s3:ReplicateObject" in statement["Action"]
            for policy in self.state.of("aws:iam/rolePolicy:RolePolicy")
            if policy["role"] == name
            for statement in statements(policy["policy"])
            for place in statement["Resource"]
        )

    def _admitted(self, bucket: Resource, service: str) -> bool:
        """Whether a service may write, for this account's own records alone."""
        policy = _of(self._settings(bucket), "BucketPolicy", "policy") or '{"Statement": []}'
        return any(
            statement["Effect"] == "Allow"
            and statement["Principal"] == {"Service": service}
            and _PUT in statement["Action"]
            and "aws:SourceArn" in str(statement.get("Condition"))
            for statement in statements(policy)
        )

    def _calls(self, trail: Resource) -> Iterator[str]:
        watched = {f"{found['arn']}/" for found in self.state.of(_BUCKET) if "backups" in found["bucket"]}
        for selector in trail.inputs.get("eventSelectors", []):
            kinds = {"All": {"read", "write"}, "ReadOnly": {"read"}, "WriteOnly": {"write"}}[selector["readWriteType"]]
            if selector["includeManagementEvents"] and not selector.get("excludeManagementEventSources"):
                yield from kinds
            objects = {
                value
                for resource in selector.get("dataResources", [])
                if resource["type"] == "AWS::S3::Object"
                for value in resource["values"]
            }
            if watched <= objects and len(kinds) > 1:
                yield "data"

    def _flows(self, bucket: Resource) -> Iterator[str]:
        for log in self.state.of("aws:ec2/flowLog:FlowLog"):
            whole = log["trafficType"] == "ALL" and log["maxAggregationInterval"] == 60
            if whole and log["logDestination"] == bucket["arn"] and self._admitted(bucket, _DELIVERY_SERVICE):
                for subnet in self.state.of("aws:ec2/subnet:Subnet"):
                    if subnet["vpcId"] == log["vpcId"]:
                        yield subnet["cidrBlock"]


def _frozen(found: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {who: frozenset(words) for who, words in found.items()}


def _of(settings: Mapping[str, Resource], kind: str, name: str) -> Any:  # noqa: ANN401 - any JSON value
    return settings[kind].inputs.get(name) if kind in settings else None


def _touches(place: str, arn: str) -> bool:
    return place.startswith((arn, "*")) or covers(place, arn) or covers(place, f"{arn}/any")


def _beginning(place: str, arn: str) -> str:
    """Beginning of the names that a statement's resource covers; the empty one is every name."""
    return place.removeprefix(f"{arn}/").removesuffix("*") if place.startswith(f"{arn}/") else ""


def _let_in(policy: list[dict[str, Any]]) -> Iterator[Grant]:
    """Whom the bucket's own policy lets in. Services are bound to this account's records, or they are anybody's."""
    for statement in policy:
        principal = statement["Principal"]
        if statement["Effect"] == "Allow":
            for kind, who in principal.items() if isinstance(principal, dict) else [("AWS", principal)]:
                if kind != "Service" or "aws:SourceArn" not in str(statement.get("Condition")):
                    yield f"anybody as {who}", "", statement


def _denied_to_replace(policy: list[dict[str, Any]], arn: str, role: str) -> bool:
    """Whether a role's upload over an object that is there is refused."""
    return any(
        statement["Effect"] == "Deny"
        and statement["Principal"] == "*"
        and _PUT in statement["Action"]
        and f"{arn}/*" in statement["Resource"]
        and statement["Condition"].get("Null") == {"s3:if-none-match": "true"}
        and role in statement["Condition"].get("ArnEquals", {}).get("aws:PrincipalArn", ())
        for statement in policy
    )


def _public(settings: Mapping[str, Resource], policy: list[dict[str, Any]]) -> Iterator[str]:
    for flag in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"):
        if _of(settings, "BucketPublicAccessBlock", flag) is not True:
            yield f"{flag} is off"
    if (_of(settings, "BucketOwnershipControls", "rule") or {}).get("objectOwnership") != "BucketOwnerEnforced":
        yield "objects may have grants of their own"
    for statement in policy:
        if statement["Effect"] == "Allow" and statement["Principal"] in ("*", {"AWS": "*"}):
            yield f"everybody may {', '.join(statement['Action'])}"


def _tls_only(bucket: Resource, policy: list[dict[str, Any]]) -> bool:
    everything = {bucket["arn"], f"{bucket['arn']}/*"}
    return any(
        statement["Effect"] == "Deny"
        and statement["Principal"] == "*"
        and statement["Action"] == ["s3:*"]
        and everything <= set(statement["Resource"])
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in policy
    )
