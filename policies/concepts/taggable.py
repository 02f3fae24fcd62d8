"""Which types take tags, and by which property.

Owns the reading of `taggable.txt`, which is made of the installed SDKs: the pack cannot import them, and a type that is
only told by its inputs does not say whether it could have been tagged.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "taggable.txt"
"""A type and its property a line."""


@cache
def _table() -> Mapping[str, str]:
    rows = (line.split(" ") for line in TABLE.read_text(encoding="utf-8").splitlines())
    return dict(rows)


def taggable(token: str) -> str | None:
    """The property that holds a type's tags as a map; None for a type without one."""
    return _table().get(token)
