"""Programs that judge rendered files. Without one a test skips and says so; in CI `tests/conftest.py` makes that a failure."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from sandbox.toolchain import cache
from sandbox.toolchain.table import TOOLS

TREE = Path(__file__).parents[2]


def missing(what: str) -> NoReturn:
    """Skip, and say what would make it run."""
    pytest.skip(what)


def product(name: str) -> Path:
    """A product's real binary."""
    tool = TOOLS[name]
    binary = cache.place(tool.name, tool.version) / tool.name
    return binary if binary.is_file() else missing(f"{name} is not built: make tools")


def packaged(name: str) -> Path:
    """A program that a pinned Python package brings."""
    found = shutil.which(name, path=str(TREE / ".venv" / "bin"))
    return Path(found) if found else missing(f"{name} is not in the virtual environment: make venv")


def system(name: str, package: str) -> Path:
    """A program of the operating system."""
    found = shutil.which(name)
    return Path(found) if found else missing(f"{name} is not installed: apt-get install {package}")


def as_root() -> list[str]:
    """What to put before a command that needs root."""
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ["sudo", "-n"]
    missing("this needs root or a sudo that asks nothing")
