"""Values as rules see them: plain, with a mark where something is absent or not known yet.

Owns the step from what the policy SDK hands over to plain dicts, lists and scalars (`thaw`), and the readings of
numbers, truth values and durations, which the SDKs spell in several ways. It decides nothing about them.

Dangerous edges: the SDK's proxies raise on touching an unknown, are neither dict nor list, and leak a sentinel text
through slices, so nothing but `thaw` may touch them. Secrets arrive in clear and cannot be told from other text: no
value may reach a message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final


class Missing(Enum):
    """Why there is no value."""

    ABSENT = "absent"
    UNKNOWN = "unknown"


ABSENT: Final = Missing.ABSENT
UNKNOWN: Final = Missing.UNKNOWN

UNKNOWN_TEXTS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
        # What `pulumi policy analyze --file` puts in place of a secret, whatever its type.
        "[secret]",
    }
)
"""The engine's marks for values that are not known, one for each kind of value."""

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$")


def thaw(value: Any) -> Any:  # noqa: ANN401 - anything that the engine can send
    """The value as plain dicts, lists and scalars, with `UNKNOWN` for what is not known; never raises.

    `None` is dropped from maps, as if the property were not set.
    """
    if isinstance(value, str):
        return UNKNOWN if value in UNKNOWN_TEXTS else value
    if isinstance(value, Mapping):
        made = {str(key): _guarded(value, key) for key in value}
        return {key: item for key, item in made.items() if item is not None}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_guarded(value, index) for index in range(len(value))]
    return value


def _guarded(container: Any, key: Any) -> Any:  # noqa: ANN401
    try:
        item = container[key]
    except Exception as error:
        # By name: the SDK's exception type must not be needed to read plain state.
        if type(error).__name__ == "UnknownValueError":
            return UNKNOWN
        raise
    return thaw(item)


def as_int(value: object) -> int | None:
    """A whole number, from an integral float or digits too; None for anything else, 5.5 and True included."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value) else None


def as_bool(value: object) -> bool | None:
    """A truth value, from the texts that some SDK types and Go's programs use too; None for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}.get(value.lower())
    return None


def as_seconds(value: object) -> int | None:
    """A duration in seconds, from a number, `7776000s`, `2160h` or `1h30m`; None for anything else."""
    number = as_int(value)
    if number is not None:
        return number
    found = _DURATION.match(value) if isinstance(value, str) and value else None
    if not found or not any(found.groups()):
        return None
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return int(hours * 3600 + minutes * 60 + seconds)


def as_list(value: object) -> list[Any]:
    """The items of a list; none where the value is anything else, absent included."""
    return value if isinstance(value, list) else []
