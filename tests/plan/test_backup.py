"""Backups: nothing is deleted under its lock, runs keep their hours, and no two sets or writers meet in a bucket."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.plan import backup, resilience
from components.plan.backup import INTERVALS, SETS, SUFFIXES, WRITERS, WRITING_ROLES, ObjectName, parse
from components.plan.federation import TRUSTED
from components.plan.manifest import sets
from components.plan.spec import CLOUDS, PRIMARY, PRODUCTS, RAFT_PRODUCTS, ROLES, SERVER_ROLE, Backup, Stack
from tests.plan.platforms import stacks

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY = timedelta(days=1)
LOCK_DAYS = st.integers(1, resilience.MOST_LOCK_DAYS)
KEEP_DAYS = st.integers(1, resilience.MOST_KEEP_DAYS)
ANY = Backup({}, 60, "compliance", 35, 400, {})
IRREGULAR = (
    datetime(2028, 2, 28, 23, 59, 59, tzinfo=UTC),  # before a leap day
    datetime(2026, 12, 31, 23, 50, tzinfo=UTC),
    datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC),  # clocks change in Europe
    datetime(2026, 11, 1, 8, 30, tzinfo=UTC),  # and in America
)


@given(LOCK_DAYS, KEEP_DAYS)
def test_whatever_is_configured_nothing_is_deleted_under_its_lock(lock: int, keep: int) -> None:
    """Even of a version that is superseded at once, which is deleted so many days after it was."""
    kept = backup.retention(replace(ANY, lock_days=lock, keep_days=keep))
    assert kept.lock_days == lock
    assert kept.expire_days > kept.lock_days
    assert kept.expire_days >= keep
    assert kept.expire_days in (keep, lock + 1)


@given(LOCK_DAYS, KEEP_DAYS)
def test_cold_storage_comes_after_the_lock_and_long_enough_before_the_end(lock: int, keep: int) -> None:
    kept = backup.retention(replace(ANY, lock_days=lock, keep_days=keep))
    if kept.cold_days is not None:
        assert lock <= kept.cold_days < kept.expire_days
        assert kept.cold_days >= 30
        assert kept.expire_days - kept.cold_days >= backup.COLD_DAYS
    else:
        assert keep - max(lock, 30) < backup.COLD_DAYS


@given(LOCK_DAYS, KEEP_DAYS, st.integers(1, 100))
def test_a_longer_lock_never_deletes_sooner(lock: int, keep: int, more: int) -> None:
    before = backup.retention(replace(ANY, lock_days=lock, keep_days=keep))
    after = backup.retention(replace(ANY, lock_days=lock + more, keep_days=keep))
    assert after.lock_days > before.lock_days
    assert after.expire_days >= before.expire_days


@given(st.integers(resilience.LEAST_AUDIT_DAYS, resilience.MOST_LOCK_DAYS))
def test_an_audit_trail_is_locked_for_as_long_as_it_is_kept(days: int) -> None:
    kept = backup.audit_retention(days)
    assert kept.lock_days == days
    assert kept.cold_days is not None
    assert kept.cold_days + backup.COLD_DAYS <= days < kept.expire_days


def elapses(expression: str, after: datetime, count: int) -> list[datetime]:
    """When systemd would start a timer."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not here to judge calendar expressions")
    base = after.strftime("%Y-%m-%d %H:%M:%S UTC")
    said = subprocess.run(
        [program, "calendar", f"--iterations={count}", f"--base-time={base}", expression],
        capture_output=True,
        text=True,
        check=True,
        env={"TZ": "America/Los_Angeles", "LC_ALL": "C"},
    ).stdout
    found = re.findall(r"(?:\(in UTC\)|Next elapse|Iter\. #\d+): \w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", said)
    return [datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) for text in found]


@pytest.mark.parametrize("interval", INTERVALS)
def test_systemd_starts_runs_exactly_an_interval_apart_on_every_day_of_the_year(interval: int) -> None:
    apart = timedelta(minutes=interval)
    count = DAY // apart + 2
    for after in IRREGULAR:
        found = elapses(backup.calendar(interval), after, count)
        assert len(found) == count
        assert timedelta() < found[0] - after <= apart
        assert {later - earlier for earlier, later in pairwise(found)} == {apart}
        assert (found[0] - datetime(2026, 1, 1, tzinfo=UTC)) % apart == timedelta()


@given(st.integers(-10, 3000).filter(lambda minutes: minutes not in INTERVALS))
def test_another_interval_has_no_calendar(minutes: int) -> None:
    with pytest.raises(ValueError, match="do not divide a day"):
        backup.calendar(minutes)
    assert resilience.interval(minutes)


def test_intervals_divide_a_day_and_leave_time_for_a_run() -> None:
    assert list(INTERVALS) == sorted(set(INTERVALS))
    for minutes in INTERVALS:
        assert 24 * 60 % minutes == 0
        assert minutes >= backup.RUN_MINUTES
        assert resilience.interval(minutes) is None


@pytest.mark.parametrize("interval", INTERVALS)
def test_the_worst_loss_is_the_age_of_the_last_backup_when_the_next_arrives_late(interval: int) -> None:
    """Counted on a day of runs: each saves what is there when it begins and arrives as late as it may."""
    starts = range(0, 24 * 60, interval)
    newest = [(begun + backup.RUN_MINUTES, begun) for begun in starts]
    ages = [arrives - begun for (_, begun), (arrives, _) in pairwise([*newest, (24 * 60 + backup.RUN_MINUTES, 0)])]
    assert max(ages) == backup.worst_loss_minutes(interval)


TIMES = st.integers(946684800, 4102444799).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")
)
VERSIONS = st.from_regex(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}(\+ent)?", fullmatch=True)
INDEXES = st.from_regex(r"[0-9a-f]{1,12}", fullmatch=True)


@st.composite
def names(draw: st.DrawFn) -> ObjectName:
    saved = draw(st.sampled_from(SETS))
    suffix = SUFFIXES[saved] + draw(st.sampled_from(("", backup.NOTE_SUFFIX)))
    return ObjectName(saved, draw(st.sampled_from(CLOUDS)), draw(TIMES), draw(VERSIONS), draw(INDEXES), suffix)


@given(names())
def test_a_name_reads_as_its_parts_and_lies_below_its_sets_prefix(name: ObjectName) -> None:
    assert parse(str(name)) == name
    assert str(name).startswith(backup.prefix(name.saved, name.cloud))
    assert name.is_note == str(name).endswith(backup.NOTE_SUFFIX)
    assert re.fullmatch(r"[a-z]+/[a-z]+/[0-9A-Za-z.+-]+", str(name))


@given(names(), names())
def test_names_of_a_set_sort_by_time(one: ObjectName, other: ObjectName) -> None:
    other = replace(other, saved=one.saved, cloud=one.cloud)
    if one.time != other.time:
        assert (str(one) < str(other)) == (one.time < other.time)


GOOD = "vault/aws/20260301T120000Z-1.21.0-4711.snap"


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("vault", "etcd"),
        ("vault/", "vault"),
        ("aws", "ibm"),
        ("aws/", "aws/x/"),
        ("20260301", "20260230"),
        ("120000Z", "240000Z"),
        ("120000Z", "120000"),
        ("-1.21.0", ""),
        ("4711", "47x1"),
        (".snap", ""),
        (".snap", ".dump"),
        (".snap", ".snap.tmp"),
        (".snap", ".manifest.json"),
        (".snap", ".snap\n"),
        ("2026", "２０２６"),  # noqa: RUF001 - digits to \d, and to nobody else
    ],
)
def test_whatever_is_not_a_whole_name_is_none(part: str, wrong: str) -> None:
    assert parse(GOOD).index == "4711"
    with pytest.raises(ValueError, match="is not <product>/<region>"):
        parse(GOOD.replace(part, wrong))


def overlapping(prefixes: Sequence[str]) -> list[tuple[str, str]]:
    return [(one, other) for one, other in permutations(prefixes, 2) if other.startswith(one)]


def test_no_prefix_holds_another_so_no_writer_reaches_anothers_backups() -> None:
    every = [prefix for cloud in CLOUDS for role in ROLES for prefix in backup.prefixes(role, cloud)]
    assert len(every) == len(SETS) * len(CLOUDS)
    assert overlapping(every) == []
    assert overlapping(["a/", "a/b/"]) == [("a/", "a/b/")]


def test_every_set_has_one_writer_whose_machines_vote() -> None:
    assert set(WRITERS) == set(SETS) == set(SUFFIXES)
    for saved in SETS:
        holders = [role for role in ROLES if backup.prefix(saved, PRIMARY) in backup.prefixes(role, PRIMARY)]
        assert holders == [WRITERS[saved]]
    assert set(WRITING_ROLES) == {SERVER_ROLE[product] for product in RAFT_PRODUCTS}
    assert [product for product in PRODUCTS if backup.raft(product)] == list(RAFT_PRODUCTS)
    for product in RAFT_PRODUCTS:
        assert WRITERS[product] == SERVER_ROLE[product]


@given(stacks())
def test_a_region_saves_what_stands_in_it_to_its_own_cloud_first(stack: Stack) -> None:
    planned = {saved.saved: saved for saved in sets(stack)}
    assert list(planned) == [saved for saved in SETS if saved != "boundary" or stack.is_primary]
    for saved in planned.values():
        assert saved.role == WRITERS[saved.saved]
        assert saved.targets[0] == stack.cloud
        assert len(set(saved.targets)) == len(saved.targets) <= 2
        assert set(saved.targets) <= set(stack.platform.clouds)
        assert backup.calendar(saved.interval_minutes)


def test_every_cloud_can_convince_one_other_so_no_region_of_three_keeps_its_backups_in_one() -> None:
    for cloud in CLOUDS:
        assert any((cloud, other) in TRUSTED for other in CLOUDS if other != cloud)
    assert not any(one == other for one, other in TRUSTED)
