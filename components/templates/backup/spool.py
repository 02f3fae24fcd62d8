"""Verified backups on their way to their destinations.

Owns the folder in memory in which a backup waits, the note beside it, and who already has it. How an object is put into
a store is `stores`' to know.

A backup is a file named as its object, `~` for `/`; beside it lies its note, and a file `<name>@<cloud>` for each of the
two that was tried at a destination: empty until the store has it. Nothing but success at every destination takes a backup away, except that a full
spool gives up the oldest that at least one destination has: otherwise the next could not be taken at all.
"""

# ruff: noqa: INP001 - a script of the machine, not a package
from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stores import StoreError, put

if TYPE_CHECKING:
    from report import Report

_LONGEST_PAUSE = 60


class Spool:
    """The folder, and when each destination may be tried again."""

    def __init__(self, settings: dict[str, Any], report: Report) -> None:
        self._settings, self._report = settings, report
        self._folder = Path(settings["spool"])
        self._next: dict[str, float] = {}
        self._pause: dict[str, float] = {}
        self._refused: set[tuple[str, str]] = set()

    def keep(self, saved: str, file: Path, stamp: str, note: dict[str, Any]) -> None:
        """Take a verified backup in, its note first: a backup without one is none."""
        settings = self._settings
        name = (
            f"{saved}/{settings['cloud']}/{stamp}-{note['version']}-{note['index']}{settings['sets'][saved]['suffix']}"
        )
        known = {"object": name, "product": saved, "cluster": settings["sets"][saved]["cluster"]}
        known |= {"cloud": settings["cloud"], "region": settings["region"], "time": stamp}
        data = self._folder / name.replace("/", "~")
        self._note(data).write_text(json.dumps({**known, **note, "size": file.stat().st_size, "sha256": _sum(file)}))
        file.rename(data)

    def send(self, manifest: dict[str, Any]) -> bool:
        """Try what is due, oldest first; whether another try may still help."""
        again = False
        for data in self._waiting():
            saved = data.name.partition("~")[0]
            for cloud in self._settings["targets"]:
                if (data.name, cloud) in self._refused or self._has(data, cloud):
                    continue
                if time.monotonic() >= self._next.get(cloud, 0):
                    self._try(data, saved, cloud, manifest)
                else:
                    self._report.waits(saved, cloud)
                again |= (data.name, cloud) not in self._refused and not self._has(data, cloud)
            if all(self._has(data, cloud) for cloud in self._settings["targets"]):
                self._drop(data)
        return again

    def make_room(self) -> bool:
        """Give up the oldest backup that a destination has; whether there was one."""
        for data in self._waiting():
            if any(self._has(data, cloud) for cloud in self._settings["targets"]):
                self._drop(data)
                return True
        return False

    def _waiting(self) -> list[Path]:
        found = (file for file in self._folder.glob("*~*~*") if self._note(file).exists() and "@" not in file.name)
        return sorted(found, key=lambda file: file.name.split("~")[2])

    def _try(self, data: Path, saved: str, cloud: str, manifest: dict[str, Any]) -> None:
        try:
            target = _target(manifest, self._settings, cloud)
            note = self._completed(data, manifest)
            for part in (data, self._note(data)):
                self._put(target, part, cloud)
        except (StoreError, OSError) as error:
            if getattr(error, "retry", True):
                self._pause[cloud] = min(2 * self._pause.get(cloud, float(self._settings["pause"])), _LONGEST_PAUSE)
                self._next[cloud] = time.monotonic() + self._pause[cloud]
            else:
                self._refused.add((data.name, cloud))
            self._report.failed(saved, cloud, f"{error}; it waits in memory and is sent by the next run")
        except (ValueError, LookupError) as error:
            self._refused.add((data.name, cloud))
            self._report.failed(saved, cloud, f"{error}; it waits in memory and is sent by the next run")
        else:
            self._pause.pop(cloud, None)
            self._report.sent(saved, cloud, note)

    def _put(self, target: dict[str, Any], part: Path, cloud: str) -> None:
        mark, tried = _mark(part, cloud), _mark(part, cloud).exists()
        if _stored(mark):
            return
        mark.touch()
        try:
            put(target, part.name.replace("~", "/"), part, _sum(part))
        except StoreError as error:
            # An earlier run may have been ended between the store's answer and the mark.
            if not (tried and getattr(error, "exists", False)):
                raise
        mark.write_text("stored")

    def _completed(self, data: Path, manifest: dict[str, Any]) -> dict[str, Any]:
        """The note with the keys that the backup needs, by reference."""
        file = self._note(data)
        note = json.loads(file.read_text())
        if "keys" not in note:
            keys = [
                {name: key[name] for name in ("purpose", "kind", "region", "attributes")} for key in manifest["keys"]
            ]
            wanted = self._settings["sets"][note["product"]]["key"]
            found = [key for key in keys if key["purpose"] == wanted]
            if wanted and not found:
                raise ValueError(f"the manifest names no key {wanted}, without which nobody can restore it")
            note |= {"seal": found[0] if found else None, "keys": [key for key in keys if key not in found]}
            fresh = file.with_suffix(".new")
            fresh.write_text(json.dumps(note, sort_keys=True))
            fresh.rename(file)
        return note

    def _note(self, data: Path) -> Path:
        return data.with_name(data.name + self._settings["note_suffix"])

    def _has(self, data: Path, cloud: str) -> bool:
        return _stored(_mark(self._note(data), cloud))

    def _drop(self, data: Path) -> None:
        for part in (data, *self._folder.glob(f"{data.name}*")):
            part.unlink(missing_ok=True)


def _mark(part: Path, cloud: str) -> Path:
    return part.with_name(f"{part.name}@{cloud}")


def _stored(mark: Path) -> bool:
    return mark.exists() and mark.stat().st_size > 0


def _sum(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _target(manifest: dict[str, Any], settings: dict[str, Any], cloud: str) -> dict[str, Any]:
    home = settings["cloud"]
    region = manifest if cloud == home else manifest.get("peers", {}).get(cloud) or {}
    if not (backup := region.get("backup")):
        raise ValueError(f"the manifest names no bucket in {cloud}: update that stack, then this one")
    writer = None
    if cloud != home and not (writer := backup.get("writers", {}).get(home, {}).get(settings["role"])):
        raise ValueError(
            f"the bucket in {cloud} admits no {settings['role']} of {home}: update that stack, then this one"
        )
    return {"home": home, "cloud": cloud, "attributes": backup["bucket"]["attributes"], "writer": writer}
