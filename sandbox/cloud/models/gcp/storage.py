"""Google Cloud Storage: buckets, their locks and lifecycles, and who may touch what lies in them.

Source: Cloud Storage JSON API reference, buckets; "Bucket naming guidelines", "Bucket locations", "Bucket Lock",
"Object Lifecycle Management", "Soft delete", "Use customer-managed encryption keys", "IAM conditions on buckets".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.gcp.federation import POOL
from sandbox.cloud.models.gcp.identity import ACCOUNT, AGENT
from sandbox.cloud.models.gcp.keys import KEY, usable
from sandbox.cloud.models.gcp.names import FOREIGN, given
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import is_known, plain

BUCKET: Final = "gcp:storage/bucket:Bucket"
MEMBER: Final = "gcp:storage/bucketIAMMember:BucketIAMMember"
SINK: Final = "gcp:logging/projectSink:ProjectSink"
_DAY: Final = 86400
_LONGEST_LOCK: Final = 3_155_760_000
_DUAL: Final = {
    "US": {"US-CENTRAL1", "US-EAST1", "US-EAST4", "US-EAST5", "US-SOUTH1", "US-WEST1", "US-WEST2", "US-WEST3", "US-WEST4"},
    "EU": {
        "EUROPE-CENTRAL2", "EUROPE-NORTH1", "EUROPE-SOUTHWEST1", "EUROPE-WEST1", "EUROPE-WEST3", "EUROPE-WEST4",
        "EUROPE-WEST8", "EUROPE-WEST9",
    },
    "ASIA": {"ASIA-EAST1", "ASIA-SOUTHEAST1"},
}  # fmt: skip
_NAMED_DUAL: Final = {
    "NAM4": "us",
    "EUR4": "europe",
    "EUR5": "europe",
    "EUR7": "europe",
    "EUR8": "europe",
    "ASIA1": "asia",
}
_KEY_PLACES: Final = {"US": "us", "EU": "europe", "ASIA": "asia", **_NAMED_DUAL}
_CLASSES: Final = ("STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE", "MULTI_REGIONAL", "REGIONAL")
_ACTIONS: Final = ("Delete", "SetStorageClass", "AbortIncompleteMultipartUpload")
_CONDITIONS: Final = (
    "age", "createdBefore", "customTimeBefore", "daysSinceCustomTime", "daysSinceNoncurrentTime", "matchesPrefixes",
    "matchesStorageClasses", "matchesSuffixes", "noncurrentTimeBefore", "numNewerVersions", "withState",
)  # fmt: skip
_OF_UPLOADS: Final = {"age", "matchesPrefixes", "matchesSuffixes"}
_EVERYBODY: Final = ("allUsers", "allAuthenticatedUsers")
_MOST_OPERATORS: Final = 12

bucket = model(
    BUCKET,
    id="{name}",
    name=Name(
        "name",
        max=63,
        characters="a-z0-9-",
        lower=True,
        pattern=r"(?!goog)(?!.*google)[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]",
        rule="3 to 63 lower-case letters, digits, hyphens, dots and underscores, without google",
    ),
    unique=(("name",),),
    references=(Ref("encryption.defaultKmsKeyName", (KEY,), holds=False),),
    immutable=(
        "location", "customPlacementConfig.dataLocations", "enableObjectRetention", "hierarchicalNamespace.enabled",
    ),
    outputs={
        "url": "gs://{name}",
        "selfLink": "https://www.googleapis.com/storage/v1/b/{name}",
        "storageClass": "STANDARD",
        "publicAccessPrevention": "inherited",
        "uniformBucketLevelAccess": False,
        "forceDestroy": False,
    },
    handles=("selfLink", "url"),
)  # fmt: skip
member = model(
    MEMBER,
    id=lambda draft: "/".join(
        str(part)
        for part in ("b", draft.get("bucket"), draft.get("role"), draft.get("member"), draft.get("condition.title"))
        if part is not None
    ),
    references=(Ref("bucket", (BUCKET,), holds=False), Ref("member", (ACCOUNT, AGENT, SINK), external=FOREIGN)),
    immutable=("bucket", "role", "member", "condition"),
    outputs={"etag": "{hex8}="},
)


def _is_dual(draft: Draft) -> bool:
    return draft.get("customPlacementConfig") is not None or draft.known("location") in _NAMED_DUAL


@bucket.check
def _placed(draft: Draft) -> Iterator[Failure]:
    location = str(draft.known("location") or "").upper()
    places = [
        str(value).upper() for _, value in draft.each("customPlacementConfig.dataLocations[*]") if is_known(value)
    ]
    if draft.get("customPlacementConfig") is not None:
        known = _DUAL.get(location, set[str]())
        if len(set(places)) != 2:
            yield draft.fail("customPlacementConfig.dataLocations", f"two different regions are needed, got {places}")
        if wrong := [place for place in places if place not in known]:
            yield draft.fail(
                "customPlacementConfig.dataLocations",
                f"{', '.join(wrong)} cannot be placed in the location '{location}': possible are {sorted(known) or 'none'}",
            )
    elif location and location not in _KEY_PLACES and not re.fullmatch(r"[A-Z]+-[A-Z]+\d+", location):
        yield draft.fail("location", f"The specified location constraint '{location}' is not valid.")
    rpo = draft.known("rpo")
    if rpo not in (None, "DEFAULT", "ASYNC_TURBO"):
        yield draft.fail("rpo", f"must be DEFAULT or ASYNC_TURBO, got {rpo}")
    elif rpo == "ASYNC_TURBO" and not _is_dual(draft):
        yield draft.fail("rpo", "ASYNC_TURBO is only supported in a dual region")
    elif rpo is not None and "-" in location:
        yield draft.fail("rpo", "cannot be set on a bucket of a single region")


@bucket.check
def _protected(draft: Draft) -> Iterator[Failure]:
    prevention, kept = draft.known("publicAccessPrevention"), draft.known("retentionPolicy.retentionPeriod")
    if prevention not in (None, "enforced", "inherited"):
        yield draft.fail("publicAccessPrevention", f"must be enforced or inherited, got {prevention}")
    if isinstance(kept, str) and not (kept.isdecimal() and 1 <= int(kept) <= _LONGEST_LOCK):
        yield draft.fail("retentionPolicy.retentionPeriod", f"expected 1 to {_LONGEST_LOCK} seconds, got '{kept}'")
    soft = draft.known("softDeletePolicy.retentionDurationSeconds")
    if isinstance(soft, (int, float)) and soft != 0 and not 7 * _DAY <= soft <= 90 * _DAY:
        yield draft.fail(
            "softDeletePolicy.retentionDurationSeconds", f"expected 0 or {7 * _DAY} to {90 * _DAY}, got {soft:.0f}"
        )
    kind = draft.known("storageClass")
    if kind is not None and kind not in _CLASSES:
        yield draft.fail("storageClass", f"'{kind}' is no storage class; possible are {', '.join(_CLASSES)}")


@bucket.check
def _ages(draft: Draft) -> Iterator[Failure]:
    for path, rule in draft.each("lifecycleRules[*]"):
        if not is_known(rule):
            continue
        action, condition = rule.get("action") or {}, rule.get("condition") or {}
        kind, to = action.get("type"), action.get("storageClass")
        named = [name for name in _CONDITIONS if condition.get(name) is not None]
        if kind not in _ACTIONS:
            yield draft.fail(f"{path}.action.type", f"must be one of {', '.join(_ACTIONS)}, got {kind}")
        if (kind == "SetStorageClass") != (to is not None):
            yield draft.fail(f"{path}.action.storageClass", "is needed for SetStorageClass, and only for it")
        elif to is not None and to not in _CLASSES:
            yield draft.fail(f"{path}.action.storageClass", f"'{to}' is no storage class")
        if not named:
            yield draft.fail(f"{path}.condition", "a rule needs at least one condition")
        if kind == "AbortIncompleteMultipartUpload" and (wrong := set(named) - _OF_UPLOADS):
            yield draft.fail(f"{path}.condition", f"{', '.join(sorted(wrong))}: not a condition of unfinished uploads")
        if condition.get("withState") not in (None, "LIVE", "ARCHIVED", "ANY"):
            yield draft.fail(f"{path}.condition.withState", "must be LIVE, ARCHIVED or ANY")


@bucket.admit
def _encrypted(draft: Draft) -> None:
    key = draft.find(KEY, draft.get("encryption.defaultKmsKeyName"))
    if key is None:
        return
    location = str(draft.get("location")).upper()
    wanted, place = _KEY_PLACES.get(location, location.lower()), key.id.split("/")[3]
    if place != wanted:
        message = f"Key location must match bucket location: {key.id} lies in {place}, the bucket wants {wanted}."
        raise draft.refuse("invalid", message)
    agent = f"service-{draft.scope('projectNumber')}@gs-project-accounts.iam.gserviceaccount.com"
    usable(draft, "encryption.defaultKmsKeyName", key.id, place, agent)


@bucket.admit
def _locked(draft: Draft) -> None:
    before: Any = plain(draft.old.inputs).get("retentionPolicy") if draft.old else None
    if not before or not before.get("isLocked"):
        return
    after = draft.get("retentionPolicy") or {}
    if not after.get("isLocked") or int(after.get("retentionPeriod") or 0) < int(before["retentionPeriod"]):
        message = f"Cannot reduce retention duration of a locked Retention Policy for bucket '{draft.name}'."
        raise draft.refuse("forbidden", message, 403)


@bucket.guard
def _prevented(draft: Draft) -> None:
    if draft.inputs.get("deletionPolicy") == "PREVENT":
        message = f"cannot destroy Bucket {draft.id} without setting deletion_policy to DELETE or ABANDON"
        raise draft.refuse("deletionPrevented", message)


@member.check
def _condition(draft: Draft) -> Iterator[Failure]:
    expression = draft.known("condition.expression")
    if isinstance(expression, str) and len(re.findall(r"&&|\|\|", expression)) > _MOST_OPERATORS:
        yield draft.fail("condition.expression", f"has more than {_MOST_OPERATORS} logical operators")
    role = draft.known("role")
    if isinstance(role, str) and not re.fullmatch(r"(roles|projects/[^/]+/roles|organizations/\d+/roles)/[\w.]+", role):
        yield draft.fail("role", f"'{role}' is not a role such as roles/storage.objectViewer")


@member.admit
def _granted(draft: Draft) -> None:
    found, who = draft.find(BUCKET, draft.get("bucket")), str(draft.get("member"))
    if found is None:
        return
    if who in _EVERYBODY and found["publicAccessPrevention"] == "enforced":
        message = "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is enforced."
        raise draft.refuse("conditionNotMet", message, 412)
    if given(draft, "condition") and not found["uniformBucketLevelAccess"]:
        message = f"The bucket {found.id} cannot have conditions without uniform bucket-level access."
        raise draft.refuse("invalid", message)
    pool = re.match(r"principal(?:Set)?://iam\.googleapis\.com/(projects/\d+/.+?/workloadIdentityPools/[^/]+)/", who)
    if pool and draft.find(POOL, pool[1]) is None:
        raise draft.refuse("invalid", f"Identity Pool does not exist ({pool[1]}).")
