"""Programs of the operating system that the sandbox uses: which are here, and the Debian packages of those that are not.

Owns the reading of `packages.tsv`, which CI reads too. Installs nothing: what a machine has is its owner's to say.

Dangerous edge: Debian starts the services that it installs. In run level 1 it does not; the remedy says so.
"""

from __future__ import annotations

import glob
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from sandbox.errors import SandboxError

Purpose = Literal["tests", "mesh", "lab", "ipsec", "monitoring"]
_TABLE = Path(__file__).parent / "packages.tsv"


@dataclass(frozen=True)
class Wanted:
    """A program.

    Attributes:
        program: its name on the PATH, or a pattern of absolute paths.
        package: Debian's.
    """

    program: str
    package: str
    purposes: frozenset[str]

    @property
    def found(self) -> str:
        """Where it is; the last of several in order of their names. Empty if it is not here."""
        if self.program.startswith("/"):
            return max(glob.glob(self.program), default="")  # noqa: PTH207 - a pattern of absolute paths
        return shutil.which(self.program) or ""


@cache
def table() -> tuple[Wanted, ...]:
    """All of them."""
    rows = (line.split("\t") for line in _TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return tuple(Wanted(program, package, frozenset(purposes.split())) for program, package, purposes in rows)


def absent(*purposes: Purpose) -> list[str]:
    """Packages of programs for these purposes that are not here."""
    return sorted({one.package for one in table() if one.purposes & set(purposes) and not one.found})


def remedy(packages: Iterable[str]) -> str:
    """The command that installs them on Debian."""
    return f"RUNLEVEL=1 apt-get install --no-install-recommends {' '.join(packages)}"


def program(package: str) -> Path:
    """Where a package's program is.

    Raises:
        SandboxError: it is not here.
    """
    wanted = next(one for one in table() if one.package == package)
    if not wanted.found:
        raise SandboxError(
            f"A program that is needed is not installed: {package} (Debian's name).", f"Debian: `{remedy([package])}`."
        )
    return Path(wanted.found)
