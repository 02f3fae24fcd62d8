"""Finds or makes the Pulumi engine: PATH, else the official release, else a build from its Go module.

An engine is accepted from PATH when it is at least the pinned version, of the same major, and can run Python, that is
when its own language host is beside it. A built engine has no language host; the sandbox's own stands in
(`python_host.py`), which needs the exec script that the build puts beside the binary.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.toolchain import cache, golang, official
from sandbox.toolchain.table import PULUMI

if TYPE_CHECKING:
    from sandbox.progress import Board

HOST = "pulumi-language-python"


@dataclass(frozen=True)
class Engine:
    """A usable engine.

    Attributes:
        program: the `pulumi` binary.
        executor: the exec script that the sandbox's language host runs; None when the engine brings its own host.
    """

    program: Path
    executor: Path | None


def obtain(board: Board) -> Engine:
    """The engine of this machine, obtaining it first if need be; quick once it is there."""
    found = _from_path()
    if found:
        return found
    if not cache.place(PULUMI.name, PULUMI.version).is_dir():
        try:
            official.fetch(PULUMI.version, board)
        except official.UnreachableError:
            board.say(f"pulumi v{PULUMI.version}: no download here, so it is built; once a machine, several minutes")
    return _in_folder(golang.build(PULUMI, board))


def _in_folder(folder: Path) -> Engine:
    executor = folder / f"{HOST}-exec"
    return Engine(folder / "pulumi", None if (folder / HOST).exists() else executor)


def _from_path() -> Engine | None:
    """The engine on PATH, if it fits; the sandbox's own wrapper on PATH is not one."""
    for directory in os.get_exec_path():
        found = shutil.which("pulumi", path=directory)
        if found is None or Path(found).parent == WRAPPER.parent:
            continue
        program = Path(found)
        if (program.resolve().parent / HOST).exists() and _acceptable(program):
            return Engine(program, None)
    return None


WRAPPER = Path(__file__).resolve().parent / "bin" / "pulumi"


def _acceptable(program: Path) -> bool:
    done = subprocess.run([program, "version"], capture_output=True, text=True, check=False)
    version, wanted = _numbers(done.stdout), _numbers(PULUMI.version)
    return version[:1] == wanted[:1] and version >= wanted


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.strip().removeprefix("v").partition("-")[0].split(".")
    return tuple(int(part) for part in parts if part.isdigit())
