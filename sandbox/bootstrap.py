"""Makes the Python environments with their pinned packages, from nothing but a system Python.

Owns the first seconds on a new machine: finds uv (or installs it with pip beside the environment), creates `.venv` and
the policy pack's `policies/.venv`, installs each one's lock with hashes checked, and does nothing where the lock is
already installed. It imports nothing but the standard library, because nothing else exists yet. Everything after it runs
inside `.venv`; the pack has its own because the policy SDK wants other versions than the program.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
OLDEST = (3, 11)


@dataclass(frozen=True)
class Environment:
    """A virtual environment, `.venv` in a folder, that holds what the folder's `requirements.lock` says."""

    folder: Path

    @property
    def venv(self) -> Path:
        return self.folder / ".venv"

    @property
    def lock(self) -> Path:
        return self.folder / LOCK.name

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def stamp(self) -> Path:
        """What was installed last; written when all of it is there."""
        return self.venv / ".installed"

    def wanted(self) -> str:
        """Fingerprint of what it must hold: the locked packages on this interpreter."""
        return hashlib.sha256(self.lock.read_bytes() + sys.version.encode()).hexdigest()

    def ready(self) -> bool:
        return self.python.exists() and self.stamp.exists() and self.stamp.read_text(encoding="utf-8") == self.wanted()


ENVIRONMENTS = (Environment(ROOT), Environment(ROOT / "policies"))


def say(text: str) -> None:
    """Prints to stderr, so that `make env` stays clean on stdout."""
    print(text, file=sys.stderr, flush=True)


def fail(text: str) -> None:
    """Ends the program with an explanation instead of a traceback."""
    say(f"error: {text}")
    raise SystemExit(1)


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


def run(command: list[str], venv: Path) -> None:
    """Runs one uv command on an environment, showing its own output; ends the program if it fails."""
    environment = {**os.environ, "VIRTUAL_ENV": str(venv)}
    code = subprocess.run(command, cwd=ROOT, env=environment, stdout=sys.stderr, check=False).returncode
    if code != 0:
        fail(f"`{' '.join(command)}` ended with {code}; its output above says why. Run make again once it is mended.")


def install(uv: list[str], environment: Environment) -> None:
    """Brings one environment up to date with its lock."""
    venv = environment.venv
    if not environment.python.exists():
        run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)], venv)
    say(f"installing the pinned Python packages into {venv.relative_to(ROOT)}")
    # On a terminal uv shows its progress; in a log its list of packages would only be noise.
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    run([*uv, "pip", "install", *quiet, "--require-hashes", "--requirement", str(environment.lock)], venv)
    environment.stamp.write_text(environment.wanted(), encoding="utf-8")


def main() -> None:
    """Brings the environments up to date with their locks."""
    if sys.version_info < OLDEST:
        need = ".".join(map(str, OLDEST))
        fail(f"Python {need} or newer is needed, this is {sys.version.split()[0]}. Try `make PYTHON=python{need} …`")
    stale = [environment for environment in ENVIRONMENTS if not environment.ready()]
    if not stale:
        return
    began = time.monotonic()
    uv = find_uv()
    for environment in stale:
        install(uv, environment)
    say(f"Python environment ready in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
