"""What the backup agent writes and the real node exporter serves is what the checks read."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.plan.flows import NODE_EXPORTER
from components.templates.backup.report import Report
from runbook.health.machines import METRICS
from runbook.health.outcome import Outcome, Verdict
from tests.rendered.tools import system
from tests.runbook.regions import World, told
from tests.runbook.stage import BASE

ADDRESS = f"{BASE}.250.1"
HOUR = 3600


def written(folder: Path, age: dict[str, float], failed: str = "") -> Path:
    """The agent's metrics after a run on a Vault node of azure; gives their folder."""
    metrics = folder / "metrics"
    metrics.mkdir(parents=True)
    settings = {"cloud": "azure", "targets": ["azure", "aws"], "sets": ["vault"], "state": str(folder)}
    report = Report({**settings, "metrics": str(metrics)})
    for cloud, seconds in age.items():
        taken = time.time() - seconds
        report.sent("vault", cloud, {"taken": taken, "index": 1, "size": 2, "seconds": 0.5, "object": "x"})
    if failed:
        report.failed("vault", failed, "refused")
    assert report.save() is not bool(failed)
    return metrics


def judged(text: str, check: str) -> list[Outcome]:
    """What a check says of vault-azure when its machines serve this."""
    world = World(at=dt.datetime.now(dt.UTC))
    for server in world.servers("vault-azure"):
        world.say(server, METRICS, text, certificate=None)
    return [one for one in world.judged("vault") if one.subject == "vault-azure" and one.check == check]


@contextmanager
def exporter(textfiles: Path, log: Path) -> Iterator[str]:
    """The real exporter; gives what it serves."""
    program = system("prometheus-node-exporter", "prometheus-node-exporter")
    url = f"http://{ADDRESS}:{NODE_EXPORTER}/metrics"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [str(program), f"--web.listen-address={ADDRESS}:{NODE_EXPORTER}",
             f"--collector.textfile.directory={textfiles}"],
            stdout=stream, stderr=stream,
        )  # fmt: skip
    try:
        for _ in range(600):
            try:
                with urllib.request.urlopen(url, timeout=10) as answer:
                    yield answer.read().decode()
                    break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail(log.read_text())
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("age", "failed", "verdict", "says"),
    [
        ({"azure": 600, "aws": 600}, "", Verdict.FINE, "backup of vault in aws is 10 minutes old"),
        ({"azure": 600, "aws": 3 * HOUR}, "", Verdict.WRONG, "backup of vault in aws is 3.0 hours old (critical)"),
        ({"azure": 600}, "", Verdict.WRONG, "backup of vault in aws: no machine knows of one"),
        ({"azure": 600, "aws": 600}, "aws", Verdict.ELEVATED, "to aws, and the newest there is in time"),
        ({"azure": 600, "aws": 3000}, "aws", Verdict.WRONG, "its last run failed to bring vault to aws"),
        ({"azure": 600}, "aws", Verdict.WRONG, "its last run failed to bring vault to aws"),
        ({"azure": 600, "aws": -HOUR}, "", Verdict.WRONG, "backup of vault in aws is of the future"),
    ],
)
def test_what_the_agent_writes_is_what_the_check_reads(
    tmp_path: Path, age: dict[str, float], failed: str, verdict: Verdict, says: str
) -> None:
    (file,) = written(tmp_path, age, failed).iterdir()
    found = judged("node_time_seconds 1\n" + file.read_text(), "backup age")
    assert any(says in line for line in told(found, verdict)), found


def test_the_real_exporter_tells_disks_and_the_agents_backups(tmp_path: Path) -> None:
    with exporter(written(tmp_path, {"azure": 600, "aws": 600}), tmp_path / "log") as text:
        backups, disks = judged(text, "backup age"), judged(text, "disks")
    assert {one.verdict for one in backups} == {Verdict.FINE}
    assert len(backups) == 2
    assert [one for one in disks if re.match(r"disk /\S* is \d+% full", one.said.says)], disks
    assert Verdict.UNKNOWN not in {one.verdict for one in disks}
