"""A machine's files entered as root: its own programs' paths, users and mounts, without touching those of this host."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.rendered.rig import Rig
from tests.rendered.tools import TREE, as_root, missing

_ENTER = TREE / "tests" / "rendered" / "enter.sh"


@dataclass(frozen=True)
class Entered:
    """A machine that can be entered again and again; only its disks remember."""

    made: Rig
    scratch: Path
    console: Path

    def run(self, script: str, patience: int = 5) -> subprocess.CompletedProcess[str]:
        """Run shell text on a fresh start of the machine."""
        self.console.write_text("")
        command = [
            *as_root(), "unshare", "--mount", "--propagation", "private", str(_ENTER), str(self.scratch),
            str(self.made.root), str(self.console), "env", "-i", f"PLATFORM_PATIENCE={patience}",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "bash", "-euc", script,
        ]  # fmt: skip
        return subprocess.run(command, capture_output=True, text=True, check=False)


def entered(made: Rig, tmp_path: Path) -> Entered:
    """The machine, its service manager played: it notes what it is told in /systemctl and answers that nothing runs."""
    made.write("/usr/local/sbin/systemctl", '#!/bin/sh\necho "$@" >>/systemctl\n[ "$1" != is-active ]\n', 0o755)
    made.path("/dev/console").unlink()
    made.path("/dev").rmdir()
    (tmp_path / "scratch").mkdir()
    (tmp_path / "console").touch()
    machine = Entered(made, tmp_path / "scratch", tmp_path / "console")
    tried = machine.run("true")
    if tried.returncode:
        missing(f"no machine can be entered here: {tried.stderr.strip()}")
    return machine


@contextmanager
def loop_device(image: Path) -> Iterator[str]:
    """A block device whose content is a file."""
    attached = subprocess.run(
        [*as_root(), "losetup", "--find", "--show", str(image)], capture_output=True, text=True, check=False
    )
    if attached.returncode:
        missing(f"there is no loop device: {attached.stderr.strip()}")
    device = attached.stdout.strip()
    try:
        yield device
    finally:
        subprocess.run([*as_root(), "losetup", "--detach", device], check=True)


def blank(image: Path, mib: int = 16) -> Path:
    """An empty disk."""
    image.touch()
    os.truncate(image, mib * 1024 * 1024)
    return image
