"""Backups are locked against deletion in all clouds."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.apart import apart
from policies.concepts.backups import (
    ACCOUNT,
    BUCKET,
    CONTAINER,
    DAYS,
    GCS_BUCKET,
    S3_BUCKET,
    S3_LOCK,
    held,
    of_backups,
    sources,
)
from policies.concepts.facts import FACTS, in_production, productive
from policies.conditions import TRUE, at_least, one_of
from policies.context import Context
from policies.resource import Resource, World
from policies.rule import Check, Finding, Rule, about, across, advice, demand, need, on
from policies.values import as_bool, as_seconds

_CONTAINER_LOCK = "azure-native:storage:BlobContainerImmutabilityPolicy"
_VERSIONED = "immutableStorageWithVersioning"
_POLICY = f"{_VERSIONED}.immutabilityPolicy"
_PERIOD = f"{_POLICY}.immutabilityPeriodSinceCreationInDays"
_SECONDS = DAYS * 24 * 3600
_LONG = at_least(DAYS)
_COMPLIANCE, _GOVERNANCE = ("compliance", "locked"), "governance"


# One resource at a time.


def _default_retention(lock: Resource, _: Context) -> Iterator[Finding]:
    days, years = (lock.get(f"rule.defaultRetention.{unit}") for unit in ("days", "years"))
    if not _LONG.holds(days) and not at_least(1).holds(years):
        yield Finding("rule.defaultRetention.days", _LONG.says)


def _lockable(bucket: Resource, _: Context) -> Iterator[Finding]:
    if of_backups(bucket) and as_bool(bucket.get("objectLockEnabled")) is not True:
        yield Finding("objectLockEnabled", "must be true from the bucket's creation on")


def _account(account: Resource, _: Context) -> Iterator[Finding]:
    if not of_backups(account):
        return
    yield from demand(account.at(f"{_VERSIONED}.enabled"), TRUE)
    yield from demand(account.at(_PERIOD), _LONG)
    if productive(account.at("tags.Environment").value) and account.get(f"{_POLICY}.state") != "Locked":
        # The service makes every policy unlocked; a second update locks it.
        yield advice(f"{_POLICY}.state", "is not Locked yet: update once more")


def _google(bucket: Resource, _: Context) -> Iterator[Finding]:
    if not of_backups(bucket):
        return
    kept = as_seconds(bucket.get("retentionPolicy.retentionPeriod"))
    if kept is None or kept < _SECONDS:
        yield Finding("retentionPolicy.retentionPeriod", f"must be at least {_SECONDS} seconds")
    locked = as_bool(bucket.get("retentionPolicy.isLocked"))
    if locked is not True and productive(bucket.at("labels.environment").value):
        yield Finding("retentionPolicy.isLocked", "must be true")


# The stack.


def _every_bucket(world: World, _: Context) -> Iterator[Finding]:
    for bucket in held(world, S3_BUCKET):
        if not list(world.depending(bucket, "bucket", S3_LOCK)):
            yield about(bucket, Finding("", "has no default lock in this stack"))


def _every_container(world: World, _: Context) -> Iterator[Finding]:
    for container in held(world, CONTAINER):
        yield from apart(container, _container(world, container))


def _container(world: World, container: Resource) -> Iterator[Finding]:
    path = f"{_VERSIONED}.enabled"
    holders = (container, *sources(world, container, "accountName", ACCOUNT))
    if not any(as_bool(holder.get(path)) for holder in holders):
        yield Finding(path, "must be true, here or at the account")


def _irrevocable(world: World, _: Context) -> Iterator[Finding]:
    if not in_production(world):
        return
    for lock in world.of(S3_LOCK):
        yield from apart(lock, _no_governance(lock, "rule.defaultRetention.mode"))
    for bucket in world.of(BUCKET):
        yield from apart(bucket, _no_governance(bucket, "spec.lockMode"))
    for lock in world.of(_CONTAINER_LOCK):
        yield from apart(lock, _closed(lock))


def _no_governance(lock: Resource, path: str) -> Iterator[Finding]:
    if str(lock.get(path)).lower() == _GOVERNANCE:
        yield Finding(path, "must not be governance in production")


def _closed(lock: Resource) -> Iterator[Finding]:
    if lock.get("state") != "Locked":
        yield Finding("state", "must be Locked in production")


RULE = Rule(
    "backup-immutable",
    (
        on(
            S3_LOCK,
            need("objectLockEnabled", one_of("Enabled")),
            need("rule.defaultRetention.mode", one_of("COMPLIANCE", "GOVERNANCE")),
            unknown="fail",
        ),
        Check((S3_LOCK,), _default_retention, ("rule.defaultRetention.days", "rule.defaultRetention.years"), "fail"),
        Check((S3_BUCKET,), _lockable, ("objectLockEnabled",), "fail"),
        Check((ACCOUNT,), _account, (f"{_VERSIONED}.enabled", _PERIOD, f"{_POLICY}.state"), "fail"),
        on(_CONTAINER_LOCK, need("immutabilityPeriodSinceCreationInDays", _LONG), unknown="fail"),
        Check((GCS_BUCKET,), _google, ("retentionPolicy.retentionPeriod", "retentionPolicy.isLocked"), "fail"),
        on(
            BUCKET,
            need("lockMode", one_of(*_COMPLIANCE, _GOVERNANCE)),
            need("lockDays", _LONG),
            unknown="fail",
        ),
        across(_every_bucket, (S3_BUCKET, ()), (S3_LOCK, ("bucket",))),
        across(
            _every_container,
            (CONTAINER, ("accountName", f"{_VERSIONED}.enabled")),
            (ACCOUNT, (f"{_VERSIONED}.enabled",)),
        ),
        across(
            _irrevocable,
            (FACTS, ("spec.environment",)),
            (S3_LOCK, ("rule.defaultRetention.mode",)),
            (BUCKET, ("spec.lockMode",)),
            (_CONTAINER_LOCK, ("state",)),
        ),
    ),
)
