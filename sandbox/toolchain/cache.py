"""Where built and downloaded programs live: outside the tree, one folder a version, complete or absent.

`$HMC_CACHE`, else `$XDG_CACHE_HOME/hashicorp-multicloud`, else `~/.cache/hashicorp-multicloud`. A folder appears by
rename once everything in it is there, so an interrupted build leaves nothing that looks finished; a lock file keeps
two commands from building the same thing side by side.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


VARIABLES = ("HMC_CACHE", "XDG_CACHE_HOME", "HOME")
"""Of the environment: a process that shall find the cache needs them, as far as they are set."""


def cache_root() -> Path:
    """The cache's folder; it may not exist yet."""
    override = os.environ.get("HMC_CACHE")
    if override:
        return Path(override).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "hashicorp-multicloud"


def place(name: str, version: str) -> Path:
    """The folder of one version of a program, whether or not it is there."""
    return cache_root() / f"{name}-v{version}"


def obtain(name: str, version: str, fill: Callable[[Path], None]) -> Path:
    """Returns the program's folder, calling `fill` on an empty folder first if it is not cached yet.

    An error in `fill` leaves the cache as it was.
    """
    target = place(name, version)
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.with_name(f".{target.name}.lock")):
        if target.is_dir():
            return target
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            fill(work)
            work.chmod(0o755)
            work.rename(target)
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise
    return target


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
