"""What is broken on purpose in a lab, as it is written down: one file, read by whoever shows it or mends it.

Owns the file and the words for each break. Dead machines are not in it: a machine says itself that it is dead.

Dangerous edge: a break is written down before it is made. What the file holds and nothing shows was begun and not
finished; mending it does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter, ValidationError

from components.plan.spec import Cloud
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_T = TypeVar("_T")
_FILE = "broken.json"


@dataclass(frozen=True)
class Fill:
    """A data disk that was filled, by its machine and where that has it mounted."""

    machine: str
    point: str

    def __str__(self) -> str:
        return f"disk at {self.point} filled"


@dataclass(frozen=True)
class Skew:
    """Processes of a machine whose clock was shifted.

    Attributes:
        unit: they are this unit's; all of the machine's where it is empty.
        seconds: ahead of the true time, behind if negative.
    """

    machine: str
    unit: str
    seconds: int

    def __str__(self) -> str:
        return f"clock of {self.unit or 'every process'} shifted by {self.seconds:+} s"


@dataclass(frozen=True)
class Broken:
    """Everything that is broken on purpose.

    Attributes:
        apart: groups of machines; nothing passes between a group and anything outside it.
        cut: pairs of clouds whose tunnels are cut, in alphabetical order.
        keys: ids of keys that are disabled.
    """

    apart: tuple[tuple[str, ...], ...] = ()
    cut: tuple[tuple[Cloud, Cloud], ...] = ()
    fills: tuple[Fill, ...] = ()
    skews: tuple[Skew, ...] = ()
    keys: tuple[str, ...] = ()

    def with_group(self, machines: Collection[str]) -> Broken:
        """One more group that is set apart."""
        return replace(self, apart=_added(self.apart, tuple(sorted(machines))))

    def with_cuts(self, pairs: Collection[tuple[Cloud, Cloud]]) -> Broken:
        return replace(self, cut=tuple(sorted({*self.cut, *pairs})))

    def with_fill(self, fill: Fill) -> Broken:
        return replace(self, fills=_added(self.fills, fill))

    def with_skew(self, skew: Skew) -> Broken:
        """A later shift of the same processes takes the place of the earlier; one of 0 s takes it back."""
        kept = [one for one in self.skews if (one.machine, one.unit) != (skew.machine, skew.unit)]
        return replace(self, skews=(*kept, *([skew] if skew.seconds else [])))

    def with_keys(self, keys: Collection[str], *, disabled: bool) -> Broken:
        known = set(self.keys)
        return replace(self, keys=tuple(sorted(known | set(keys) if disabled else known - set(keys))))

    def of(self, machine: str) -> list[str]:
        """What is broken about one machine, in words."""
        return [
            *("set apart" + _with(machine, group) for group in self.apart if machine in group),
            *(str(each) for each in (*self.fills, *self.skews) if each.machine == machine),
        ]

    def beside(self) -> list[str]:
        """What is broken that is no machine's, in words."""
        return [
            *(f"tunnels between {one} and {other} cut" for one, other in self.cut),
            *(f"key {key} disabled" for key in self.keys),
        ]


_ADAPTER = TypeAdapter(Broken)


def read(lab: Path) -> Broken:
    """What is broken in the lab that lies in a folder.

    Raises:
        SandboxError: the file is not what `write` makes.
    """
    file = lab / _FILE
    try:
        return _ADAPTER.validate_json(file.read_bytes())
    except FileNotFoundError:
        return Broken()
    except ValidationError:
        raise SandboxError(
            f"{file} does not say what is broken in the lab, so nothing of it can be mended by name.",
            "Mend the file, or destroy the lab.",
        ) from None


def write(lab: Path, broken: Broken) -> None:
    """Writes it down, whole; no file where nothing is broken."""
    file = lab / _FILE
    if broken == Broken():
        file.unlink(missing_ok=True)
        return
    scratch = file.with_suffix(".part")
    scratch.write_bytes(_ADAPTER.dump_json(broken))
    scratch.replace(file)


def _added(known: tuple[_T, ...], new: _T) -> tuple[_T, ...]:
    return known if new in known else (*known, new)


def _with(machine: str, group: tuple[str, ...]) -> str:
    others = [other for other in group if other != machine]
    return f" with {others[0] if len(others) == 1 else f'{len(others)} others'}" if others else ""
