"""No backup expires before its lock ends, nor before its plan lets it go; unfinished uploads are removed."""

from __future__ import annotations

import math
from collections.abc import Iterator

from policies.concepts.apart import apart
from policies.concepts.backups import (
    ACCOUNT,
    BUCKET,
    DAYS,
    GCS_BUCKET,
    PLAN,
    S3_BUCKET,
    S3_LOCK,
    each_plan,
    held,
    of_backups,
    sources,
)
from policies.concepts.facts import peers
from policies.context import Context
from policies.resource import Node, Resource, World
from policies.rule import Check, Finding, Rule, across
from policies.values import as_bool, as_int, as_seconds

_S3_LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
_AZURE_LIFECYCLE = "azure-native:storage:ManagementPolicy"
_AGENT = "vault:index/raftSnapshotAgentConfig:RaftSnapshotAgentConfig"
_DAY = 24 * 3600
_ABORT_DAYS = 7
_YEAR = 365

_EXPIRIES = ("expiration?.days?", "noncurrentVersionExpiration?.noncurrentDays?")
_ABORT = "abortIncompleteMultipartUpload?.daysAfterInitiation?"
_ACTIONS = "definition?.actions"
_DELETIONS = (
    f"{_ACTIONS}?.baseBlob?.delete?.daysAfterCreationGreaterThan?",
    f"{_ACTIONS}?.baseBlob?.delete?.daysAfterModificationGreaterThan?",
    f"{_ACTIONS}?.version?.delete?.daysAfterCreationGreaterThan?",
)
_RULES = "policy.rules[]"
_LOCKED = "immutableStorageWithVersioning.immutabilityPolicy.immutabilityPeriodSinceCreationInDays"


def _too_soon(node: Node, least: int) -> Iterator[Finding]:
    """An expiry that cannot be read as days is as bad as an early one."""
    days = as_int(node.known())
    if days is None or days < least:
        yield Finding(node.path, f"must be at least {least} days, for which backups are kept")


# One resource at a time: no lock is shorter than `DAYS`, whatever the stack says of it.


def _enabled(lifecycle: Resource) -> list[Node]:
    return [rule for rule in lifecycle.each("rules[]") if rule.get("status") == "Enabled"]


def _s3(lifecycle: Resource, _: Context) -> Iterator[Finding]:
    if not of_backups(lifecycle):
        return
    yield from _s3_expiry(lifecycle, DAYS)
    aborts = [as_int(node.known()) for rule in _enabled(lifecycle) for node in rule.each(_ABORT)]
    if not any(days is not None and days <= _ABORT_DAYS for days in aborts):
        yield Finding("rules", f"must remove incomplete uploads within {_ABORT_DAYS} days")


def _s3_expiry(lifecycle: Resource, least: int) -> Iterator[Finding]:
    for rule in _enabled(lifecycle):
        for path in _EXPIRIES:
            for node in rule.each(path):
                yield from _too_soon(node, least)


def _azure(lifecycle: Resource, _: Context) -> Iterator[Finding]:
    if of_backups(lifecycle):
        yield from _azure_expiry(lifecycle, DAYS)


def _azure_expiry(lifecycle: Resource, least: int) -> Iterator[Finding]:
    for rule in lifecycle.each(_RULES):
        if as_bool(rule.get("enabled")) is not False:
            for path in _DELETIONS:
                for node in rule.each(path):
                    yield from _too_soon(node, least)


def _google(bucket: Resource, _: Context) -> Iterator[Finding]:
    if not of_backups(bucket):
        return
    locked = as_seconds(bucket.get("retentionPolicy.retentionPeriod"))
    yield from _google_expiry(bucket, max(math.ceil(locked / _DAY), DAYS) if locked else DAYS)
    aborts = [
        as_int(rule.get("condition.age"))
        for rule in bucket.each("lifecycleRules[]")
        if rule.get("action.type") == "AbortIncompleteMultipartUpload"
    ]
    if not any(days is not None and days <= _ABORT_DAYS for days in aborts):
        yield Finding("lifecycleRules", f"must remove incomplete uploads within {_ABORT_DAYS} days")


def _google_expiry(bucket: Resource, least: int) -> Iterator[Finding]:
    for rule in bucket.each("lifecycleRules[]"):
        if rule.get("action.type") == "Delete":
            # Without an age it may take the newest backup, whatever else it asks for.
            yield from _too_soon(rule.at("condition.age"), least)


# The stack.


def _lifecycles(world: World, _: Context) -> Iterator[Finding]:
    promised = _promised(world)
    for lifecycle in held(world, _S3_LIFECYCLE):
        yield from apart(lifecycle, _s3_in(world, lifecycle, promised))
    for lifecycle in held(world, _AZURE_LIFECYCLE):
        yield from apart(lifecycle, _azure_in(world, lifecycle, promised))
    for bucket in held(world, GCS_BUCKET):
        yield from apart(bucket, _google_expiry(bucket, promised))


def _promised(world: World) -> int:
    """The longest that a bucket of this stack says to lock backups, or a plan to keep them; `DAYS` where none says."""
    said = [spec.at("lockDays") for _, spec in world.specs(BUCKET)]
    said += [spec.at("retentionDays") for _, spec in world.specs(PLAN)]
    return max(filter(None, (as_int(node.known()) for node in said)), default=DAYS)


def _s3_in(world: World, lifecycle: Resource, promised: int) -> Iterator[Finding]:
    least = promised
    for bucket in sources(world, lifecycle, "bucket", S3_BUCKET):
        for lock in world.depending(bucket, "bucket", S3_LOCK):
            days, years = (as_int(lock.get(f"rule.defaultRetention.{unit}")) or 0 for unit in ("days", "years"))
            least = max(least, days, years * _YEAR)
    yield from _s3_expiry(lifecycle, least)


def _azure_in(world: World, lifecycle: Resource, promised: int) -> Iterator[Finding]:
    accounts = sources(world, lifecycle, "accountName", ACCOUNT)
    locked = filter(None, (as_int(account.get(_LOCKED)) for account in accounts))
    yield from _azure_expiry(lifecycle, max((promised, *locked)))


def _components(world: World, _: Context) -> Iterator[Finding]:
    for bucket, spec in world.specs(BUCKET):
        yield from apart(bucket, _bucket(spec))
    yield from each_plan(world, lambda spec: _plan(world, spec), "the locks of its buckets cannot be compared")


def _bucket(spec: Node) -> Iterator[Finding]:
    lock, expiry = (as_int(spec.get(name)) for name in ("lockDays", "expireDays"))
    if lock is None or expiry is None or expiry < lock:
        yield Finding("spec.expireDays", "must be at least lockDays")


def _plan(world: World, spec: Node) -> Iterator[Finding]:
    kept = as_int(spec.get("retentionDays"))
    if kept is None:
        yield Finding("spec.retentionDays", "must be a number of days")
        return
    locks = _locks(world)
    for target in spec.each("targets[].bucket"):
        locked = locks.get(target.known())
        if locked is not None and locked < kept:
            yield Finding("spec.retentionDays", f"must be at most the {locked} days for which {target.path} is locked")


def _locks(world: World) -> dict[object, int]:
    """Days of the lock by bucket, of this stack's and of the peers'."""
    told = [spec for _, spec in world.specs(BUCKET)]
    told += [bucket for said in peers(world).values() if not said.absent for bucket in said.each("buckets[]")]
    return {bucket.get("name"): as_int(bucket.get("lockDays")) or 0 for bucket in told}


def _agents(world: World, _: Context) -> Iterator[Finding]:
    for agent in world.of(_AGENT):
        yield from apart(agent, _agent(world, agent))


def _agent(world: World, agent: Resource) -> Iterator[Finding]:
    plans = [spec for _, spec in world.specs(PLAN) if spec.get("product") == "vault"]
    kept = max(filter(None, (as_int(spec.get("retentionDays")) for spec in plans)), default=DAYS)
    retain, interval = as_int(agent.get("retain")), as_int(agent.get("intervalSeconds"))
    if retain is None or interval is None or retain * interval < kept * _DAY:
        yield Finding("retain", f"times intervalSeconds must cover {kept} days")


_S3_PATHS = ("rules[].status", *(f"rules[].{path}" for path in _EXPIRIES))
_AZURE_PATHS = (f"{_RULES}.enabled", *(f"{_RULES}.{path}" for path in _DELETIONS))
_GOOGLE_PATHS = ("lifecycleRules[].action.type", "lifecycleRules[].condition.age")
RULE = Rule(
    "backup-retention-ordered",
    (
        Check((_S3_LIFECYCLE,), _s3, (*_S3_PATHS, f"rules[].{_ABORT}"), "fail"),
        Check((_AZURE_LIFECYCLE,), _azure, _AZURE_PATHS, "fail"),
        Check((GCS_BUCKET,), _google, (*_GOOGLE_PATHS, "retentionPolicy.retentionPeriod"), "fail"),
        across(
            _lifecycles,
            (_S3_LIFECYCLE, ("bucket", *_S3_PATHS)),
            (S3_BUCKET, ()),
            (S3_LOCK, ("bucket", "rule.defaultRetention.days", "rule.defaultRetention.years")),
            (_AZURE_LIFECYCLE, ("accountName", *_AZURE_PATHS)),
            (ACCOUNT, (_LOCKED,)),
            (GCS_BUCKET, _GOOGLE_PATHS),
            (BUCKET, ("spec.lockDays",)),
            (PLAN, ("spec.retentionDays",)),
        ),
        across(
            _components,
            (BUCKET, ("spec.name", "spec.lockDays", "spec.expireDays")),
            (PLAN, ("spec.retentionDays", "spec.cloud", "spec.targets[].cloud", "spec.targets[].bucket")),
            unknown="fail",
        ),
        across(_agents, (_AGENT, ("retain", "intervalSeconds")), (PLAN, ("spec.product", "spec.retentionDays"))),
    ),
)
