"""Where the time and the memory of a lab's making went: its phases, one after the other, and the table of them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FLOORS: Mapping[int, int] = {1: 33, 2: 67, 3: 120}
"""Seconds by number of regions until the same programs are healthy when they are started directly in namespaces, region
after region: no machines, no engine, no user data. Measured once on two cores; what a lab cannot be faster than."""
_KIB = 1024


def used() -> int:
    """Bytes of memory that this machine cannot give to others."""
    rows = (line.split() for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    known = {row[0].rstrip(":"): int(row[1]) * _KIB for row in rows}
    return known["MemTotal"] - known["MemAvailable"]


@dataclass(frozen=True)
class Phase:
    """One phase.

    Attributes:
        memory: bytes that the whole machine used more at its end than when the first phase began.
    """

    title: str
    seconds: float
    memory: int


@dataclass
class Phases:
    """The phases so far."""

    ended: list[Phase] = field(default_factory=list)
    _before: int = field(default_factory=used)

    @contextmanager
    def phase(self, title: str) -> Iterator[None]:
        """Counts the body as one phase, also when it fails."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.ended.append(Phase(title, time.monotonic() - began, used() - self._before))

    @property
    def seconds(self) -> float:
        """All of them together."""
        return sum(phase.seconds for phase in self.ended)

    def table(self, regions: int) -> Table:
        """One row a phase, the whole, and the floor beside it."""
        table = Table(title="Where the time went", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        table.add_column("Phase")
        table.add_column("Seconds", justify="right")
        table.add_column("Memory", justify="right")
        for phase in self.ended:
            table.add_row(phase.title, f"{phase.seconds:.1f}", f"{phase.memory / _KIB**3:+.1f} GiB")
        table.add_section()
        table.add_row("in all", f"{self.seconds:.1f}", "")
        table.add_row("floor: the same programs, started directly", f"{FLOORS[regions]}", "")
        return table
