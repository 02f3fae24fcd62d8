"""What is made when it is first needed and stays the same as long as the lab's folder does.

Dangerous edge: these files are secrets. Only their owner may read them, and none ever stands there half written.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """The file's content, made if nobody has made it. Of two that make it at once, both get the first one's."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made by mkstemp for its owner alone.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(name, path)
        except FileExistsError:
            pass
        else:
            _synced(path.parent)
    finally:
        Path(name).unlink()
    return path.read_bytes()


def _synced(folder: Path) -> None:
    """The new name outlives a power cut too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
