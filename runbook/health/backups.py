"""Judging the age of backups by what the machines' node exporters tell of them.

Owns the reading of the backup agent's metrics (`components/templates/backup/report.py` writes them). Only the leader of a
moment stores a backup, so what counts for a set is the newest that any machine of its cluster knows of.

Does not look into the buckets: that an object is there, whole and locked is another command's to say.

Dangerous edges:
- A machine that does not answer may have stored the newest: without a fresh one elsewhere the age is unknown.
- A time that lies ahead would look fresh for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from components.plan.backup import raft, worst_loss_minutes
from components.plan.manifest import BackupFacts, SetFacts
from components.plan.spec import SERVER_ROLE, Cloud
from runbook.health.machines import METRICS, Sample, samples
from runbook.health.outcome import Check, Said, banded, elevated, fine, unknown, wrong
from runbook.health.replies import Cluster

_SENT = "runbook_backup_last_success_timestamp_seconds"
_FAILED = "runbook_backup_last_run_failed"
_SLACK = timedelta(minutes=5)
"""What clocks of machines may differ by."""


def age(cluster: Cluster) -> Iterator[Said]:
    """Each destination got each of the cluster's sets lately; a last run that failed is shown, and wrong once one is late."""
    backup = cluster.region.backup
    if backup is None:
        yield unknown("the manifest says nothing of backups")
        return
    sets = [one for one in backup.sets if SERVER_ROLE[cluster.facts.product] == one.role]
    if not sets:
        yield fine("its machines save nothing")
        return
    told = {server.name: samples(answer.text) for server, answer in cluster.answered(METRICS)}
    silent = len(cluster.servers) - len(told)
    newest = _newest(cluster, (sample for each in told.values() for sample in each))
    for one in sets:
        for destination in one.targets:
            yield _age(cluster, (backup, one, destination), newest.get((one.saved, destination)), silent)
    late = {one.saved: cluster.at - timedelta(minutes=worst_loss_minutes(one.interval_minutes)) for one in sets}
    for server, each in told.items():
        for sample in each:
            if sample.name == _FAILED and sample.value:
                saved, destination = sample.labels.get("product", ""), sample.labels.get("destination", "")
                stored, due = newest.get((saved, destination)), late.get(saved)
                yield _failed(f"its last run failed to bring {saved} to {destination}", server, stored, due)


def _newest(cluster: Cluster, told: Iterable[Sample]) -> dict[tuple[str, str], datetime]:
    """When the newest backup that any machine knows of was taken, by set and destination."""
    found: dict[tuple[str, str], datetime] = {}
    for sample in told:
        if sample.name == _SENT and sample.labels.get("cloud") == cluster.region.cloud:
            of = sample.labels.get("product", ""), sample.labels.get("destination", "")
            taken = datetime.fromtimestamp(sample.value, UTC)
            found[of] = max(taken, found.get(of, taken))
    return found


def _age(cluster: Cluster, wanted: tuple[BackupFacts, SetFacts, Cloud], taken: datetime | None, silent: int) -> Said:
    backup, one, destination = wanted
    what = f"backup of {one.saved} in {destination}"
    if taken is None:
        if silent:
            return unknown(f"{what}: {silent} of {len(cluster.servers)} machines do not say")
        return wrong(f"{what}: no machine knows of one")
    old = cluster.at - taken
    if old < -_SLACK:
        return wrong(f"{what} is of the future: a machine's clock is wrong, so its age is not known")
    judged = banded(cluster.bands.backup_age.level(old / _allowed(backup, one)), f"{what} is {_span(old)} old")
    if judged.verdict != "fine" and silent:
        return unknown(f"{judged.says}, but {silent} of {len(cluster.servers)} machines do not say")
    return judged


def _failed(what: str, server: str, stored: datetime | None, due: datetime | None) -> Said:
    """One machine's failed run loses nothing while another's came in time: the lead moved on, or a run goes on trying."""
    if stored is None or due is None or stored < due:
        return wrong(what, server)
    return elevated(f"{what}, and the newest there is in time", server)


def _allowed(backup: BackupFacts, one: SetFacts) -> timedelta:
    """The age that is still normal: what may be lost, or for what has no such promise two of its own intervals."""
    bounded = one.saved != "platform" and raft(one.saved)
    return timedelta(minutes=backup.rpo_minutes if bounded else 2 * one.interval_minutes)


def _span(time: timedelta) -> str:
    minutes = max(time, timedelta(0)) / timedelta(minutes=1)
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.1f} hours"


CHECKS = (Check("backup age", age, "A backup is too old"),)
