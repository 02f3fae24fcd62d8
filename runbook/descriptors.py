"""Secrets that come by a file descriptor: lines `NAME=value`.

Owns the reading. Which names there are is the caller's.

Dangerous edge: no message may repeat a value, whatever is wrong with it; a line that is no pair may be one.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from runbook.errors import RunbookError


def pairs(descriptor: int, names: Collection[str], kind: str, option: str) -> dict[str, str]:
    """Value by name.

    Args:
        descriptor: an open one; it is read to its end and closed.
        names: the names that may be set.
        kind: what a value is, in one word (`token`).
        option: the option that named the descriptor, with an example line behind it.

    Raises:
        RunbookError: the descriptor cannot be read or holds something else.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(_text(descriptor, kind, option).splitlines(), 1):
        name, equals, value = line.strip().partition("=")
        if not name and not equals:
            continue
        if not equals or name not in names:
            raise RunbookError(
                f"Line {number} of the {kind} descriptor sets no {kind} that this command knows.",
                f"Write lines NAME=value; names are {', '.join(sorted(names))}.",
            )
        found[name] = value.strip()
    return found


def sendable(name: str, value: str) -> str:
    """The value, if it can be one that a request carries.

    Raises:
        RunbookError: it cannot.
    """
    if not value.isascii() or not value.isprintable() or " " in value:
        raise RunbookError(
            f"{name} holds characters that no token has, so nobody would know it.",
            "Set it again; a line break or a quote may have slipped in.",
        )
    return value


def _text(descriptor: int, kind: str, option: str) -> str:
    try:
        with os.fdopen(descriptor, encoding="utf-8") as stream:
            return stream.read()
    except (OSError, ValueError):
        raise RunbookError(
            f"Nothing can be read from file descriptor {descriptor}, so there is no {kind} to ask with.",
            f"Open it for the command, for example: {option}.",
        ) from None
