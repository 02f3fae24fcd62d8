"""Runs other programs: silently, for their result, or attached to the person's terminal."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def run(command: list[str], *, env: Mapping[str, str], doing: str) -> str:
    """Returns the command's stdout.

    Raises:
        SandboxError: it ended with another code than 0; carries what it wrote.
    """
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise SandboxError(
            f"{doing} failed: `{command[0]} {command[1]}` ended with {done.returncode}.\n{done.stderr.strip()}",
            "Mend what it says and run the command again; `make clean` starts the sandbox from nothing.",
        )
    return done.stdout


def attached(command: list[str], folder: Path, env: Mapping[str, str]) -> int:
    """Runs a command on the person's own terminal; returns its exit code."""
    return subprocess.run(command, cwd=folder, env=env, check=False).returncode
