"""Makes `.venv` with the pinned packages, from nothing but a system Python.

Owns the first seconds on a new machine: finds uv (or installs it with pip beside the environment), creates the
environment, installs `requirements.lock` with hashes checked, and does nothing when the lock is already installed.
It imports nothing but the standard library, because nothing else exists yet. Everything after it runs inside `.venv`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / ".installed"
OLDEST = (3, 11)


def say(text: str) -> None:
    """Prints to stderr, so that `make env` stays clean on stdout."""
    print(text, file=sys.stderr, flush=True)


def fail(text: str) -> None:
    """Ends the program with an explanation instead of a traceback."""
    say(f"error: {text}")
    raise SystemExit(1)


def wanted() -> str:
    """Fingerprint of what the environment must hold: the locked packages on this interpreter."""
    return hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()


def pinned_uv() -> str:
    """The `uv==…` requirement of the lock, so that its version stands in one place."""
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        if line.startswith("uv=="):
            return line.split()[0].rstrip("\\")
    raise SystemExit(f"error: {LOCK.name} does not pin uv; run `make lock`")


def find_uv() -> list[str]:
    """The command that runs uv, installing it with pip into the project's own folder if there is none."""
    found = shutil.which("uv")
    if found:
        return [found]
    target = ROOT / ".sandbox" / "bootstrap"
    uv = target / "bin" / "uv"
    if not uv.exists():
        say("uv is not on PATH: installing it with pip")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", str(target), pinned_uv()]
        environment = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        if subprocess.run(pip, env=environment, check=False).returncode != 0:
            fail(
                "neither uv nor a working pip was found, so no package can be installed. "
                "Install one of them: `sudo apt-get install python3-pip`, or see https://docs.astral.sh/uv"
            )
    return [str(uv)]


def run(command: list[str]) -> None:
    """Runs one uv command, showing its own output; ends the program if it fails."""
    environment = {**os.environ, "VIRTUAL_ENV": str(VENV)}
    code = subprocess.run(command, cwd=ROOT, env=environment, stdout=sys.stderr, check=False).returncode
    if code != 0:
        fail(f"`{' '.join(command)}` ended with {code}; its output above says why. Run make again once it is mended.")


def main() -> None:
    """Brings `.venv` up to date with the lock."""
    if sys.version_info < OLDEST:
        need = ".".join(map(str, OLDEST))
        fail(f"Python {need} or newer is needed, this is {sys.version.split()[0]}. Try `make PYTHON=python{need} …`")
    python = VENV / "bin" / "python"
    if python.exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == wanted():
        return
    began = time.monotonic()
    uv = find_uv()
    if not python.exists():
        run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)])
    say("installing the pinned Python packages into .venv")
    # On a terminal uv shows its progress; in a log its list of packages would only be noise.
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    run([*uv, "pip", "install", *quiet, "--require-hashes", "--requirement", str(LOCK)])
    STAMP.write_text(wanted(), encoding="utf-8")
    say(f"Python environment ready in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
