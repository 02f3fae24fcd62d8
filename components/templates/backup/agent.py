"""The snapshot agent: one run on one voter.

Owns a run's course: whose turn it is, what is due, when it ends. Every voter runs at the same time and the leader alone
takes the sets. A writer can create objects and not list them, so nobody can see whether another has finished: those that
do not lead watch for a part of the run, and whoever leads in that time takes the sets too. Two backups of one slot
do no harm; none would.

Dangerous edges:
- A snapshot is kept in memory until every destination has it. A machine that ends before takes it along; the next leader
  takes another.
- Python's standard library is all there is on the machine.

Source: runbook, "Automated Backup Procedures"; runbook-conformance RB-049 to RB-055.
"""

# ruff: noqa: INP001, T201 - a script of the machine, not a package; the journal reads its output
from __future__ import annotations

import argparse
import base64
import errno
import fcntl
import gzip
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from report import Report
from server import Server, Unanswered
from spool import Spool

_TROUBLE = (*Unanswered, RuntimeError, subprocess.SubprocessError)
_LONGEST_PAUSE = 120


class Run:
    """One run of the agent."""

    def __init__(self, settings: dict[str, Any], *, everything: bool) -> None:
        self._settings, self._everything = settings, everything
        self._report = Report(settings)
        self._spool = Spool(settings, self._report)
        self._server = Server(settings["server"])
        self._todo = dict.fromkeys(settings["sets"], 0.0)
        """When each set may be tried."""
        self._pause = float(settings["pause"])
        self._packed, self._manifest = self._read()

    def __call__(self) -> int:
        """Take and send until all is done or the time is over; the exit code."""
        settings, start = self._settings, time.monotonic()
        watch = 0 if self._everything else settings["watch"]
        leads, unled = True, ""
        while True:
            passed, took = time.monotonic() - start, False
            if watching := bool(self._todo) and (leads or passed < watch):
                try:
                    leads, unled = self._server.leads(), ""
                    took = leads and self._take()
                except Unanswered as error:
                    leads, unled = False, f"nobody can tell who leads, so nobody takes it: {error}"
            left = self._spool.send(self._manifest)
            self._report.save()
            if passed >= settings["run"] or not (took or left or watching):
                break
            time.sleep(0 if took else settings["pause"])
        for saved in self._todo if unled else ():
            self._report.failed(saved, "", unled)
        if self._todo and not leads and not unled:
            print("platform-backup: another server leads and takes the backup")
        return 0 if self._report.save() else 1

    def _take(self) -> bool:
        """Take the first set whose time it is; whether there was one."""
        for saved, when in self._todo.items():
            if time.monotonic() < when:
                continue
            try:
                if self._due(saved):
                    self._keep(saved)
            except _TROUBLE as error:
                if getattr(error, "errno", 0) == errno.ENOSPC and self._spool.make_room():
                    return True
                self._report.failed(saved, "", f"not taken: {error}; the newest backup grows old meanwhile")
                self._todo[saved] = time.monotonic() + self._pause
                self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            else:
                self._report.taken(saved)
                del self._todo[saved]
            return True
        return False

    def _due(self, saved: str) -> bool:
        """Whether a set that is taken less often than the agent runs is to be taken now."""
        every, known = self._settings["sets"][saved]["every"], self._report.of(saved)
        changed = saved == "platform" and self._packed and known.get("index") != _digest(self._packed)
        if self._everything or not every or changed:
            return True
        return time.time() - known.get("verified", 0) > every - self._settings["run"]

    def _keep(self, saved: str) -> None:
        began = time.time()
        file, note = getattr(self, f"_{saved}", self._snapshot)(Path(self._settings["spool"]) / "work")
        last = self._report.of(saved).get("index", "0")
        if "term" in note and int(note["index"]) < int(last):
            raise ValueError(
                f"its index is {note['index']} and the last was {last}: the cluster went back. If it was restored or made "
                f"anew, remove {self._settings['state']}/state.json"
            )
        now = time.time()
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(began))
        self._spool.keep(saved, file, stamp, {**note, "taken": int(began), "seconds": round(now - began, 3)})

    def _snapshot(self, work: Path) -> tuple[Path, dict[str, Any]]:
        file = work / "snapshot"
        return file, {"version": self._settings["server"]["version"], **self._server.snapshot(file)}

    def _platform(self, work: Path) -> tuple[Path, dict[str, Any]]:
        if not self._packed:
            raise ValueError("the manifest cannot be read")
        file = work / "manifest"
        file.write_bytes(self._packed)
        return file, {"version": str(self._manifest["schemaVersion"]), "index": _digest(self._packed)}

    def _boundary(self, work: Path) -> tuple[Path, dict[str, Any]]:
        import boundary  # noqa: PLC0415 - on the machines that take it, and nowhere else

        database = self._manifest.get("database")
        if not database:
            raise ValueError("the manifest names no database")
        taken = boundary.take({**self._settings["sets"]["boundary"], "host": database["address"]}, work)
        return taken.file, {"version": taken.version, "index": taken.index, **taken.details}

    def _read(self) -> tuple[bytes, dict[str, Any]]:
        """The region's manifest, or the last one that could be read, without its text."""
        kept = Path(self._settings["state"]) / "manifest"
        command = [self._settings["reader"], self._settings["manifest"]]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            if done.returncode:
                raise ValueError(done.stderr.strip()[-300:])
            # The reader's own base64, after the name, around that of the entry.
            packed = base64.b64decode(base64.b64decode(done.stdout.partition("\t")[2]))
            manifest = _unpacked(packed, self._settings)
            kept.write_bytes(packed)
        except (*_TROUBLE, EOFError) as error:
            print(f"platform-backup: the manifest cannot be read: {error}; using the last", file=sys.stderr)
            return b"", _unpacked(kept.read_bytes(), self._settings) if kept.exists() else {}
        return packed, manifest


def _unpacked(packed: bytes, settings: dict[str, Any]) -> dict[str, Any]:
    manifest = json.loads(gzip.decompress(packed))
    if manifest["cloud"] != settings["cloud"]:
        raise ValueError(f"it is the manifest of {manifest['cloud']}")
    return manifest


def _digest(packed: bytes) -> str:
    return hashlib.sha256(packed).hexdigest()[:12]


def main() -> int:
    """Run; the exit code: 0 done or not the leader, 1 a set or a destination failed, 2 wrong settings."""
    parser = argparse.ArgumentParser(
        prog="agent.py",
        description="Back up what this server leads: take it, verify it, send it to both clouds.",
        epilog="Exit code: 0 done, or another server leads; 1 a set or a destination failed; 2 the settings are wrong. "
        "By hand: sudo systemctl start platform-backup",
    )
    parser.add_argument("--settings", default="/etc/platform/backup.json", help="default: %(default)s", metavar="FILE")
    parser.add_argument("--now", action="store_true", help="take every set, due or not, and do not watch for the lead")
    given = parser.parse_args()
    try:
        settings = json.loads(Path(given.settings).read_text())
        lock = (Path(settings["state"]) / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        (Path(settings["spool"]) / "work").mkdir(exist_ok=True)
        run = Run(settings, everything=given.now)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(
            f"platform-backup: wrong settings, nothing is backed up: {error!r}; see {given.settings}", file=sys.stderr
        )
        return 2
    return run()


if __name__ == "__main__":
    sys.exit(main())
