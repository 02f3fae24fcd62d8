"""Backups: what is saved when, under which names, and how long it stays.

Owns sets, schedules, object names and the retention that follows from the configuration. Who takes a backup is the
agent (`templates/backup`), where it lies is the cloud's bucket (`clouds.*.storage`).

Dangerous edges:
- A bucket deletes by age alone. Whoever stops backing up loses the last backup after `keep_days`: hence the alert on age.
- A lock can be made longer and never shorter.

Source: runbook, "Automated Backup Procedures"; runbook-conformance RB-049 to RB-055.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from .spec import CLOUDS, Backup, Cloud, Product, Role

NAME = "platform-backup"
"""Of the program that takes backups, its units and its user."""

Saved = Literal["consul", "vault", "nomad", "boundary", "platform"]
"""A set: a product's cluster, or `platform`, the region's manifest. First part of an object's name."""

SETS: tuple[Saved, ...] = get_args(Saved)

WRITERS: Mapping[Saved, Role] = {
    "consul": "consul-server",
    "vault": "vault-server",
    "nomad": "nomad-server",
    # Neither has a leader of its own: Consul's takes them along.
    "boundary": "consul-server",
    "platform": "consul-server",
}
"""Whose machines write a set. A writer may create objects below its own sets and nothing else."""

SUFFIXES: Mapping[Saved, str] = {
    "consul": ".snap",
    "vault": ".snap",
    "nomad": ".snap",
    "boundary": ".dump",
    "platform": ".json.gz",
}
NOTE_SUFFIX = ".manifest.json"
"""Beside every object, written after it: sizes, SHA-256, versions, seal key. An object without one is no backup."""

PLATFORM_MINUTES = 24 * 60
"""Between two copies of an unchanged manifest."""
RUN_MINUTES = 15
"""Most that one run takes, retries included: a backup is older by that much before the next one counts."""
INTERVALS = (15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440)
"""Minutes between backups that divide a day, so that runs keep their hours."""

COLD_DAYS = 90
"""Least time in cold storage that a move pays for; the clouds bill as much."""


def worst_loss_minutes(interval: int) -> int:
    """Age of the newest backup just before the next one is there."""
    return interval + RUN_MINUTES


def calendar(interval: int) -> str:
    """Systemd's calendar expression for a backup every so many minutes.

    Raises:
        ValueError: the interval is not one of `INTERVALS`.
    """
    if interval not in INTERVALS:
        raise ValueError(f"{interval} minutes do not divide a day; possible are {', '.join(map(str, INTERVALS))}")
    if interval < 60:
        return f"*-*-* *:00/{interval}:00 UTC"
    hours = interval // 60
    return "*-*-* 00:00:00 UTC" if hours == 24 else f"*-*-* 00/{hours}:00:00 UTC"


def prefix(saved: Saved, cloud: Cloud) -> str:
    """Where the objects of a region's set lie in a bucket, in its own cloud and in the second one alike."""
    return f"{saved}/{cloud}/"


def prefixes(role: Role, cloud: Cloud) -> tuple[str, ...]:
    """All that the machines of a role write."""
    return tuple(prefix(saved, cloud) for saved in SETS if WRITERS[saved] == role)


WRITING_ROLES: tuple[Role, ...] = tuple(dict.fromkeys(WRITERS.values()))
"""Roles with a writer's rights, in the order of the sets."""

RESTORER = "backup-restorer"
"""Purpose in the name of the identity that may read backups and nothing else."""

_NAME = re.compile(
    r"(?P<saved>[a-z]+)/(?P<cloud>[a-z]+)/(?P<time>[0-9]{8}T[0-9]{6}Z)-(?P<version>[0-9A-Za-z.+]+)-(?P<index>[0-9a-f]+)"
    r"(?P<suffix>\.[a-z.]+)"
)


@dataclass(frozen=True)
class ObjectName:
    """The parts of a backup's name, or of its note's."""

    saved: Saved
    cloud: Cloud
    time: str
    """UTC, `yyyymmddThhmmssZ`."""
    version: str
    """Of the product; the manifest's schema for `platform`."""
    index: str
    """Raft index; for what has none, the first characters of the content's SHA-256."""
    suffix: str
    """The set's own, with `NOTE_SUFFIX` behind it for a note."""

    def __str__(self) -> str:
        return f"{prefix(self.saved, self.cloud)}{self.time}-{self.version}-{self.index}{self.suffix}"

    @property
    def is_note(self) -> bool:
        """Whether it is the note beside a backup."""
        return self.suffix.endswith(NOTE_SUFFIX)


def parse(name: str) -> ObjectName:
    """The parts of an object's name.

    Raises:
        ValueError: it is none that a backup or its note has.
    """
    found = _NAME.fullmatch(name)
    if found and found["saved"] in SETS and found["cloud"] in CLOUDS and _is_time(found["time"]):
        parts = ObjectName(**found.groupdict())  # pyright: ignore[reportArgumentType] - just looked at
        own = SUFFIXES[parts.saved]
        if parts.suffix in (own, own + NOTE_SUFFIX):
            return parts
    raise ValueError(f"{name!r} is not <product>/<region>/<UTC time>-<version>-<index><suffix>")


def _is_time(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Retention:
    """A bucket's lock and lifecycle, in days since an object was written."""

    lock_days: int
    cold_days: int | None
    """Move to cold storage; None where it would not pay."""
    expire_days: int
    """Delete; also for versions that are no longer current, counted from when they were replaced."""


def retention(backup: Backup) -> Retention:
    """What a backup bucket does with its objects; the lifecycle never undercuts the lock."""
    cold = max(backup.lock_days, 30)
    return Retention(
        lock_days=backup.lock_days,
        cold_days=cold if backup.keep_days - cold >= COLD_DAYS else None,
        expire_days=max(backup.keep_days, backup.lock_days + 1),
    )


def audit_retention(days: int) -> Retention:
    """What the bucket of the audit trail does with its objects."""
    return Retention(lock_days=days, cold_days=90, expire_days=days + 30)


def raft(product: Product) -> bool:
    """Whether the product's loss is bounded by its snapshots; Boundary's database has point-in-time recovery."""
    return product != "boundary"
