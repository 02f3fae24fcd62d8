"""What the mesh, backups and the audit trail may be configured with.

Owns the limits of their numbers, each alone, and the rules that bind them: to each other, to the regions and to what
clouds can prove to each other, and to what an earlier update locked. What follows from them is `mesh`, `backup` and
`federation`; what was locked, `components.peers` reads.

Dangerous edge: a lock, once set, is never lifted. A limit that is too wide here is paid for until the lock ends.

Source: cloud-reference, "VPN mesh" and "Backup bucket"; policy catalogue, `vpn-addressing-unique`, `log-retention`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import combinations

from . import backup
from .facts import Facts, Problem
from .federation import TRUSTED
from .spec import CLOUDS, RAFT_PRODUCTS, Cloud, Platform
from .values import Refusal

_PRIVATE_ASNS = (range(64512, 65535), range(4_200_000_000, 4_294_967_295))
_AZURES_ASNS = (65515, *range(65517, 65521))


def asn(number: int) -> Refusal | None:
    """A gateway's autonomous system number: private, and accepted by all three clouds."""
    fix = "Use a number of its own from 64512 to 65534, like 64610."
    if not any(number in block for block in _PRIVATE_ASNS):
        return Refusal(
            f"{number} is no private autonomous system number.",
            "It belongs to somebody on the internet or to nobody; the clouds' gateways refuse it.",
            fix,
        )
    if number in _AZURES_ASNS:
        return Refusal(
            f"{number} is one of the numbers that Azure keeps for itself (65515 and 65517 to 65520).",
            "Its gateway accepts no neighbour with it, so no tunnel to Azure would ever carry a route.",
            fix,
        )
    return None


MOST_RPO_MINUTES = 2 * 24 * 60


def interval(minutes: int) -> Refusal | None:
    """Time between two backups."""
    if minutes in backup.INTERVALS:
        return None
    return Refusal(
        f"{minutes} minutes do not divide a day into runs that keep their hours.",
        "Runs would drift over the day, and the age at which a missing backup raises an alarm would be a guess.",
        f"Use one of: {', '.join(map(str, backup.INTERVALS))}.",
    )


def rpo(minutes: int) -> Refusal | None:
    """The most that a raft cluster may lose."""
    least = backup.worst_loss_minutes(backup.INTERVALS[0])
    if least <= minutes <= MOST_RPO_MINUTES:
        return None
    why = (
        f"Even the densest schedule, every {backup.INTERVALS[0]} minutes, loses up to {least}."
        if minutes < least
        else "The alarm on the age of the newest backup follows it, and would come when days are lost."
    )
    return Refusal(
        f"{minutes} minutes; possible are {least} to {MOST_RPO_MINUTES}.",
        why,
        f"Use {least} to {MOST_RPO_MINUTES} minutes.",
    )


MOST_LOCK_DAYS = 10 * 365
"""S3 and Google take a hundred years, Azure four hundred."""
MOST_KEEP_DAYS = 20 * 365
LEAST_AUDIT_DAYS = 365


def lock_days(days: int) -> Refusal | None:
    """How long nothing can be taken out of the backups."""
    if 1 <= days <= MOST_LOCK_DAYS:
        return None
    return Refusal(
        f"{days} days; possible are 1 to {MOST_LOCK_DAYS}.",
        "Whoever takes a server or an account could delete every backup first."
        if days < 1
        else "Nobody can lift a lock, not even the cloud: what is written today would be paid for until then.",
        f"Use 1 to {MOST_LOCK_DAYS} days, like 35.",
    )


def keep_days(days: int) -> Refusal | None:
    """After how long a backup bucket deletes."""
    if 1 <= days <= MOST_KEEP_DAYS:
        return None
    return Refusal(
        f"{days} days; possible are 1 to {MOST_KEEP_DAYS}.",
        "A bucket that deletes at once keeps no backup."
        if days < 1
        else "No snapshot restores to a version of twenty years later; only the bill would remain.",
        f"Use 1 to {MOST_KEEP_DAYS} days, like 400.",
    )


def audit_days(days: int) -> Refusal | None:
    """How long the audit trail is kept and locked."""
    if LEAST_AUDIT_DAYS <= days <= MOST_LOCK_DAYS:
        return None
    return Refusal(
        f"{days} days; possible are {LEAST_AUDIT_DAYS} to {MOST_LOCK_DAYS}.",
        "An auditor asks for a whole year, and what is deleted cannot be shown."
        if days < LEAST_AUDIT_DAYS
        else "The trail is locked for as long, and nobody can lift a lock: it would be paid for until then.",
        f"Use {LEAST_AUDIT_DAYS} to {MOST_LOCK_DAYS} days, like 400.",
    )


def addressed(facts: Facts) -> Iterator[Problem]:
    """Numbers of the regions' gateways: one for each region, no two alike."""
    if facts.clouds is not None and facts.numbered is not None:
        for cloud in _in_order(facts.clouds - facts.numbered):
            yield Problem(
                f"mesh.asns.{cloud}",
                "is missing.",
                "The region's gateway could exchange routes with no other.",
                "Give it a private number of its own, from 64512 to 65534.",
            )
        yield from _superfluous("mesh.asns", facts.numbered - facts.clouds)
    for (one, first), (other, second) in combinations(facts.asns.items(), 2):
        if first == second:
            yield Problem(
                f"mesh.asns.{other}",
                f"{second} is the number of {one} too.",
                "A gateway drops every route that passed its own number: the two regions would never see each other.",
                "Give each region a number of its own.",
            )


def _in_order(clouds: Collection[Cloud]) -> Iterator[Cloud]:
    return (cloud for cloud in CLOUDS if cloud in clouds)


def _superfluous(where: str, clouds: Collection[Cloud]) -> Iterator[Problem]:
    for cloud in _in_order(clouds):
        yield Problem(
            f"{where}.{cloud}",
            "stands for a region that does not exist.",
            "Whoever wrote it believes that the region is built, or forgot it when the region went.",
            f"Take it out, or add regions.{cloud}.",
        )


def scheduled(facts: Facts) -> Iterator[Problem]:
    """What a raft cluster loses at worst, against what it may lose."""
    if facts.rpo_minutes is None:
        return
    for product in RAFT_PRODUCTS:
        interval = facts.intervals.get(product)
        if interval is None or (worst := backup.worst_loss_minutes(interval)) <= facts.rpo_minutes:
            continue
        dense = [minutes for minutes in backup.INTERVALS if backup.worst_loss_minutes(minutes) <= facts.rpo_minutes]
        yield Problem(
            f"backup.intervalMinutes.{product}",
            f"every {interval} minutes loses up to {worst}; rpoMinutes allows {facts.rpo_minutes}.",
            f"A backup counts when it is there, up to {backup.RUN_MINUTES} minutes after it began: the objective would be "
            "broken on an ordinary day, and its alarm would never be silent.",
            f"Use an interval of at most {dense[-1]} minutes, or an rpoMinutes of {worst} or more.",
        )


def kept(facts: Facts) -> Iterator[Problem]:
    """Retention against the lock."""
    if facts.lock_days is None or facts.keep_days is None or facts.keep_days >= facts.lock_days:
        return
    yield Problem(
        "backup.keepDays",
        f"{facts.keep_days} days are shorter than the lock of {facts.lock_days}.",
        "A cloud does not delete under a lock: it would try and fail every day, and keep what you believe is gone.",
        f"Keep backups for {facts.lock_days} days or more; once in place, a lock cannot be shortened instead.",
    )


def copied(facts: Facts) -> Iterator[Problem]:
    """The second cloud of each region's backups."""
    if facts.clouds is None or facts.copied is None:
        return
    yield from _superfluous("backup.copies", facts.copied - facts.clouds)
    for cloud in _in_order(facts.clouds):
        possible = [other for other in _in_order(facts.clouds) if (cloud, other) in TRUSTED]
        fix = (
            f"Use {' or '.join(possible)}."
            if possible
            else "Take it out: no region of the platform can be a second one."
        )
        if cloud not in facts.copied:
            if possible:
                yield Problem(f"backup.copies.{cloud}", "is missing.", _ONE_CLOUD, fix)
        elif (second := facts.copies.get(cloud)) and (wrong := _second(cloud, second, facts.clouds)):
            what, why = wrong
            yield Problem(f"backup.copies.{cloud}", what, why, fix)


_ONE_CLOUD = "An account that is closed, or taken over, would take the region and all of its backups along."


def _second(cloud: Cloud, second: Cloud, regions: Collection[Cloud]) -> tuple[str, str] | None:
    """What is wrong with a second cloud, and why that hurts."""
    if second == cloud:
        return f"{second} is the region's own cloud.", _ONE_CLOUD
    if second not in regions:
        return f"{second} has no region.", "There is no bucket that could take the copies."
    if (cloud, second) not in TRUSTED:
        return (
            f"machines of {cloud} have no proof of identity that {second} accepts.",
            "Copies would need a key that lies on machines and never expires, which whoever takes a machine would have.",
        )
    return None


def shortened(platform: Platform, *, lock_days: int, audit_days: int) -> Iterator[Problem]:
    """Locks that would end sooner than the ones that stand.

    Args:
        platform: as configured now.
        lock_days: for how long backups are locked in compliance mode since an earlier update; 0: they are not.
        audit_days: the same of the audit trail.
    """
    if lock_days and platform.backup.lock != "compliance":
        yield Problem(
            "backup.lock",
            f"{platform.backup.lock} where compliance stands.",
            _FOR_EVER,
            "Write compliance. A region that must be lighter needs buckets of its own: build it under another name.",
        )
    for where, what, now, then in (
        ("backup.lockDays", "backups are", platform.backup.lock_days, lock_days),
        ("audit.keepDays", "the audit trail is", platform.audit_days, audit_days),
    ):
        if now < then:
            yield Problem(where, f"{now} days where {what} locked for {then}.", _FOR_EVER, f"Write {then} or more.")


_FOR_EVER = (
    "Nobody can shorten or lift such a lock, not even the cloud: the update would fail at the bucket, halfway through the "
    "region."
)
