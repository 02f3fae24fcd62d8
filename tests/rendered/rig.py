"""A machine's files laid out below a folder, and its boot steps run there, with other programs played where named."""

from __future__ import annotations

import getpass
import grp
import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from components.products.program import LIBRARY
from tests.products.machines import Case, contents, machine

ME = f"{getpass.getuser()}:{grp.getgrgid(os.getgid()).gr_name}"
"""An owner that this process may give files to."""


@dataclass(frozen=True)
class Rig:
    """One machine below `root`."""

    root: Path

    def path(self, path: str) -> Path:
        """Where a path of the machine is."""
        return self.root / path.lstrip("/")

    def write(self, path: str, content: str, mode: int = 0o644) -> Path:
        """Put a file on the machine."""
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(mode)
        return file

    def table(self, name: str, *rows: tuple[str, ...]) -> None:
        """Replace a table that a step reads."""
        self.write(f"/etc/platform/{name}.tsv", "".join("\t".join(row) + "\n" for row in rows))

    def plays(self, program: str, script: str) -> None:
        """Put a shell script in a program's place, before the machine's own."""
        self.write(f"/fake/{program}", f"#!/bin/sh\n{script}\n", 0o755)

    def run(self, script: str, *arguments: str, patience: int = 2) -> subprocess.CompletedProcess[str]:
        """Run a script of the boot; `steps/…` or one beside them."""
        environment = {
            "PATH": f"{self.path('/fake')}:{os.environ['PATH']}",
            "PLATFORM_ROOT": str(self.root),
            "PLATFORM_PATIENCE": str(patience),
        }
        command = [str(self.path(f"{LIBRARY}/{script}")), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    @property
    def console(self) -> str:
        """What the console shows."""
        return self.path("/dev/console").read_text()


def rig(root: Path, case: Case) -> Rig:
    """Lay a machine out."""
    made = Rig(root)
    modes = {file.path: file.mode for file in machine(case).files}
    for path, content in contents(machine(case), case.cloud).items():
        made.write(path, content, int(modes.get(path, "0644"), 8))
    made.write("/dev/console", "")
    return made


def mode(path: Path) -> int:
    """Permission bits."""
    return stat.S_IMODE(path.stat().st_mode)
