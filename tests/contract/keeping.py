"""What must hold of backups and the audit trail in every region."""

from __future__ import annotations

from collections.abc import Iterator

from components.plan.backup import WRITING_ROLES, Retention, audit_retention, prefixes, retention
from components.plan.spec import Stack
from tests.contract.differences import differences
from tests.contract.posture import Bucket, Posture

RESTORER = "restorer"
_LEAST_AUDIT_DAYS = 365


def _kept(what: str, bucket: Bucket, planned: Retention, plan: Stack) -> Iterator[str]:
    """The bucket holds what is put into it for as long as planned, against everybody."""
    if bucket.region != plan.region.name:
        yield f"{what} lie in {bucket.region}"
    if bucket.lock_days != planned.lock_days:
        yield f"{what} are locked for {bucket.lock_days} days, planned {planned.lock_days}"
    if bucket.locked != (plan.platform.backup.lock == "compliance"):
        yield f"{what}: the lock holds against everybody: {bucket.locked}"
    if bucket.expire_days != planned.expire_days:
        yield f"{what} are deleted after {bucket.expire_days} days, planned {planned.expire_days}"
    if bucket.superseded_days < planned.lock_days:
        yield f"{what}: versions go after {bucket.superseded_days} days, within the lock"
    yield from (f"{what}: {opening}" for opening in sorted(bucket.public))
    if bucket.clear_text:
        yield f"{what} answer requests without TLS"
    if not bucket.protected:
        yield f"{what} can be destroyed by an update"


def backups_as_planned(posture: Posture, plan: Stack) -> Iterator[str]:
    """Locked, versioned, encrypted by a key of their own, and in a second region too."""
    bucket = posture.backups
    yield from _kept("backups", bucket, retention(plan.platform.backup), plan)
    if bucket.replica_region != plan.region.recovery:
        yield f"backups are replicated to {bucket.replica_region}, planned {plan.region.recovery}"
    if not bucket.versioned:
        yield "backups have no versions"
    if (bucket.key, bucket.replica_key) != ("backup", "backup"):
        yield f"backups are encrypted by {bucket.key}, their replica by {bucket.replica_key}"


def backups_only_for_their_writers(posture: Posture, plan: Stack) -> Iterator[str]:
    """Who writes may create below his own names and nothing else; who restores may read and nothing else."""
    copies = plan.platform.backup.copies
    wanted = {role: frozenset(prefixes(role, plan.cloud)) for role in WRITING_ROLES}
    wanted |= {
        f"{source}/{role}": frozenset(prefixes(role, source))
        for source, target in copies.items()
        if target == plan.cloud
        for role in WRITING_ROLES
    }
    yield from differences("writers of backups", posture.backups.creators.items(), wanted.items())
    powers = {who: words for who, words in posture.backups.powers.items() if words}
    yield from differences("powers over backups", powers.items(), [(RESTORER, frozenset({"read", "list"}))])


def audit_trail_complete(posture: Posture, plan: Stack) -> Iterator[str]:
    """Every call and every flow is recorded, kept for a year or more, and no machine can touch it."""
    trail = posture.trail
    planned = audit_retention(plan.platform.audit_days)
    yield from differences("recorded calls", trail.calls, {"write", "read", "data"})
    if trail.verified is False:
        yield "records are not signed"
    yield from differences("subnets whose flows are recorded", posture.subnets - trail.flows, ())
    yield from _kept("audit records", trail.bucket, planned, plan)
    if planned.lock_days < _LEAST_AUDIT_DAYS:
        yield f"audit records are locked for {planned.lock_days} days"
    if trail.bucket.key != "audit":
        yield f"audit records are encrypted by {trail.bucket.key}"
    powers = {**trail.bucket.powers, **trail.bucket.creators}
    yield from (f"{who} may touch audit records" for who, what in powers.items() if what)
