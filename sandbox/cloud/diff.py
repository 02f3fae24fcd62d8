"""What changed between old and new inputs, property by property, and which changes replace the resource.

Pure. Paths are Pulumi's: `ingress[0].fromPort`, `tags["a.b"]`. A value that is not known yet counts as changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from sandbox.cloud.wire import Value

_NAME: Final = re.compile(r"[A-Za-z_$][\w$-]*")
_INDEX: Final = re.compile(r'\[(\d+|"[^"]*")\]')


@dataclass(frozen=True)
class Change:
    """One difference; `replaces` says that the property cannot change in place."""

    path: str
    kind: Literal["add", "delete", "update"]
    replaces: bool


def differences(
    old: dict[str, Value], new: dict[str, Value], fixed: Iterable[str], ignored: Iterable[str] = ()
) -> list[Change]:
    """Differences between plain inputs. `fixed` are immutable properties: `a`, or `a.b` for a nested one."""
    fixed, ignored = frozenset(fixed), tuple(ignored)
    return [
        Change(path, kind, replaces=covers(fixed, path))
        for path, kind in _walk("", old, new)
        if not any(path == skip or path.startswith((f"{skip}.", f"{skip}[")) for skip in ignored)
    ]


def covers(names: Iterable[str], path: str) -> bool:
    """Whether a path is, or lies under, one of the names; indexes do not count."""
    bare = _INDEX.sub("", path)
    return any(bare == name or bare.startswith(f"{name}.") for name in names)


def _walk(path: str, old: Value, new: Value) -> Iterator[tuple[str, Literal["add", "delete", "update"]]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            if not name.startswith("__"):
                yield from _walk(_step(path, name), old.get(name), new.get(name))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            yield from _walk(f"{path}[{index}]", before, after)
    elif type(old) is not type(new) or old != new:
        yield path, "add" if old is None else "delete" if new is None else "update"


def _step(path: str, name: str) -> str:
    if not path:
        return name
    return f"{path}.{name}" if _NAME.fullmatch(name) else f'{path}["{name}"]'
