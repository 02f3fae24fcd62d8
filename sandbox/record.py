"""The record of the change under which the sandbox's own updates run.

Owns the file. Nothing real changes here, so the record is an emergency's, which needs no window, and says so itself. It
is written once and again when it ends: a record that were always new would be a change in every update.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import yaml

from components.plan.change import LONGEST_EMERGENCY, Change, instant, plain

if TYPE_CHECKING:
    from pathlib import Path

MARGIN = timedelta(hours=1)
"""A record that ends sooner is replaced: no update takes longer."""
_SAYS = "none: the cloud is simulated"


def ensure(file: Path, now: datetime) -> None:
    """Writes the record unless one that holds on is there."""
    if not _holds(file, now):
        file.write_text(yaml.safe_dump(plain(_record(now)), sort_keys=False), encoding="utf-8")


def _holds(file: Path, now: datetime) -> bool:
    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
        closes = instant(said["closes"])
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return False
    return closes is not None and now + MARGIN < closes


def _record(now: datetime) -> Change:
    now = now.astimezone(UTC).replace(microsecond=0)
    return Change(
        id="INC-0",
        category="emergency",
        author="the sandbox",
        approvers=("whoever runs it", "nobody else"),
        requested_at=now,
        approved_at=now,
        impact=_SAYS,
        rollback_plan="make clean",
        closes=now + LONGEST_EMERGENCY,
    )
