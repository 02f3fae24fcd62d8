"""Deleted things that still hold their names: secrets and vaults within their recovery time.

A grave is a record whose type ends in `#deleted`; it claims names and answers to nothing. `ls` shows it, and `rm` is
the purge.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from sandbox.cloud.store import Record

_DELETED: Final = "#deleted"


def buried(record: Record, days: int) -> Record:
    """The grave of a record that is deleted now; its `created` is when the names come free."""
    until = datetime.now(UTC) + timedelta(days=days)
    return replace(record, type=record.type + _DELETED, created=until.isoformat(timespec="seconds"))


def is_buried(record: Record) -> bool:
    """Whether a record is a grave."""
    return record.type.endswith(_DELETED)


def has_passed(record: Record) -> bool:
    """Whether a grave's recovery time is over."""
    return datetime.fromisoformat(record.created) <= datetime.now(UTC)


def alive(type_: str) -> str:
    """The type of what a grave was."""
    return type_.removesuffix(_DELETED)
