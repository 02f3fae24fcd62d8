"""What is told of the backups: one line a problem, and metrics that node_exporter reads.

Owns what this machine remembers from run to run: it is the source of the metrics, and of the index below which no later
snapshot of the same cluster can be. What other machines did is not known here: an alert takes the newest of all.
"""

# ruff: noqa: INP001, T201 - a script of the machine, not a package; the journal reads its output
from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

_PREFIX = "runbook_backup"


class Report:
    """Successes, problems and sizes by set."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self._state = Path(settings["state"]) / "state.json"
        self.sets: dict[str, dict[str, Any]] = {}
        with contextlib.suppress(OSError, ValueError):
            self.sets = json.loads(self._state.read_text())
        self._problems: dict[tuple[str, str], str] = {}

    def of(self, saved: str) -> dict[str, Any]:
        """What is remembered of a set."""
        return self.sets.setdefault(saved, {"sent": {}})

    def failed(self, saved: str, cloud: str, problem: str) -> None:
        """Note that a destination, or with an empty name every one, did not get a set; said now, counted at the end."""
        if self._problems.get((saved, cloud)) != problem:
            print(f"platform-backup: {saved}{cloud and ' to '}{cloud}: {problem}", file=sys.stderr, flush=True)
        self._problems[saved, cloud] = problem

    def waits(self, saved: str, cloud: str) -> None:
        """Note that a set was not tried because the destination failed a moment ago, which counts until it is sent."""
        self._problems.setdefault((saved, cloud), "waits for the destination's next try")

    def taken(self, saved: str) -> None:
        """Note that a set stands in the spool."""
        self._problems.pop((saved, ""), None)

    def sent(self, saved: str, cloud: str, note: dict[str, Any]) -> None:
        """Note that a destination has a backup and its note."""
        self._problems.pop((saved, cloud), None)
        known = self.of(saved)
        known["sent"][cloud] = max(note["taken"], known["sent"].get(cloud, 0))
        if note["taken"] >= known.get("verified", 0):
            known |= {
                "verified": note["taken"],
                "index": note["index"],
                "size": note["size"],
                "duration": note["seconds"],
            }
        print(f"platform-backup: {cloud} has {note['object']}", flush=True)

    def save(self) -> bool:
        """Write state and metrics; whether all is well."""
        _replace(self._state, json.dumps(self.sets))
        _replace(Path(self._settings["metrics"]) / "platform_backup.prom", "".join(self._metrics()))
        return not self._problems

    def _metrics(self) -> list[str]:
        home, targets = self._settings["cloud"], self._settings["targets"]
        values: dict[str, dict[str, float]] = {}
        for saved in self._settings["sets"]:
            known, labels = self.sets.get(saved, {}), f'product="{saved}",cloud="{home}"'
            for name, unit in (("verified", "_timestamp_seconds"), ("size", "_bytes"), ("duration", "_seconds")):
                if name in known:
                    values.setdefault(name + unit, {})[labels] = known[name]
            for cloud in targets:
                to = f'{labels},destination="{cloud}"'
                failed = (saved, "") in self._problems or (saved, cloud) in self._problems
                values.setdefault("last_run_failed", {})[to] = int(failed)
                if sent := known.get("sent", {}).get(cloud):
                    values.setdefault("last_success_timestamp_seconds", {})[to] = sent
        return [
            f"# TYPE {_PREFIX}_{name} gauge\n"
            + "".join(f"{_PREFIX}_{name}{{{of}}} {value}\n" for of, value in each.items())
            for name, each in values.items()
        ]


def _replace(file: Path, text: str) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.chmod(0o644)
    fresh.replace(file)
