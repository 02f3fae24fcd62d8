"""The stores' edge, played by folders: `<folder>/.fault` says how the next puts end. Copied in `stores`' place."""

from __future__ import annotations

import hashlib
import shutil
import time
from pathlib import Path
from typing import Any


class StoreError(Exception):
    def __init__(self, message: str, retry: bool = False, exists: bool = False) -> None:  # noqa: FBT001, FBT002
        super().__init__(message)
        self.retry, self.exists = retry, exists


def put(target: dict[str, Any], name: str, file: Path, sha256: str) -> None:
    assert set(target) == {"home", "cloud", "attributes", "writer"}
    assert (target["writer"] is None) == (target["home"] == target["cloud"])
    folder = Path(target["attributes"]["folder"])
    with (folder / ".asked").open("a") as log:
        log.write(f"{name}\n")
    fault = (folder / ".fault").read_text() if (folder / ".fault").exists() else ""
    word, _, count = fault.partition(" ")
    if word and count:
        left = int(count) - 1
        (folder / ".fault").write_text(f"{word} {left}" if left else "")
    if word == "slow":
        time.sleep(2)
    if word in ("busy", "refused"):
        raise StoreError(f"{target['cloud']} is {word}", retry=word == "busy")
    place = folder / name
    if place.exists():
        raise StoreError(f"{name} exists", exists=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == sha256
    shutil.copy(file, place.with_suffix(".part"))
    place.with_suffix(".part").rename(place)
