"""A dump holds everything, at one moment, and tells what it holds; whoever watches learns no password."""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.database.postgres import DATABASE, PASSWORD, USER, Server, running
from tests.database.taking import boundary, final, restore

_TABLES = """
select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relkind in ('r', 'm') order by 1;
"""


def contents(server: Server) -> dict[str, str]:
    """Rows and checksum of every table and large object, and the state of every sequence."""
    tables = server.sql(_TABLES)
    rows = "count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' order by md5(t::text))), '-')"
    queries = [f"select '{table}: ' || {rows} from {table} t" for table in tables]  # noqa: S608 - names of this database
    queries.append("select 'large ' || name || ': ' || md5(lo_get(content)) from attachment")
    state = "coalesce(last_value::text, 'unused') || ' ' || increment_by || ' ' || cycle"
    queries.append(f"select sequencename || ': ' || {state} from pg_sequences")  # noqa: S608 - no input
    return dict(line.split(": ", 1) for line in server.sql(";\n".join(queries)))


def definitions(server: Server) -> list[str]:
    """Everything that is no data: types, functions, triggers, indexes, views, rights."""
    return [line for line in server.run("pg_dump", "--schema-only", DATABASE).splitlines() if not line.startswith("\\")]


def test_a_restored_dump_equals_its_source_in_every_row_and_definition(
    server: Server, empty: Server, tmp_path: Path
) -> None:
    taken = boundary.take(server.settings(tmp_path), tmp_path)
    restore(empty, taken.file)
    expected = contents(server)
    assert len(expected) > 210
    assert contents(empty) == expected
    assert definitions(empty) == definitions(server)
    assert empty.sql("select nextval('audit_seq')") == server.sql("select nextval('audit_seq')")


def test_a_dump_tells_its_versions_its_rows_and_its_own_sum(server: Server, tmp_path: Path) -> None:
    taken = boundary.take(server.settings(tmp_path), tmp_path)
    assert taken.file.parent == tmp_path
    assert final(tmp_path) == {taken.file.name}
    assert hashlib.sha256(taken.file.read_bytes()).hexdigest().startswith(taken.index)
    assert (len(taken.index), taken.version) == (12, "0.21.0")
    details = dict(taken.details)
    rows = details.pop("rows")
    running_version = server.sql("show server_version")[0].split()[0]
    assert details == {"server": running_version, "pg_dump": running_version, "schema": "98003"}
    expected = {name: int(text.split()[0]) for name, text in contents(server).items() if name.startswith("public.")}
    assert rows == {name: count for name, count in expected.items() if name != "public.counted"}


def test_a_database_that_no_controller_has_set_up_yet_is_dumped_as_well(installed: Path, tmp_path: Path) -> None:
    with running(installed) as bare:
        taken = boundary.take(bare.settings(tmp_path), tmp_path)
    assert taken.file.stat().st_size > 0
    assert taken.details["rows"] == {}
    assert "schema" not in taken.details


_TRANSFER = r"""
\set amount random(1, 1000)
\set source random(1, 50)
\set target random(1, 50)
begin;
update account set balance = balance - :amount where id = :source;
update vault set balance = balance + :amount where id = :target;
insert into transfer (amount) values (:amount);
commit;
"""
_INVARIANT = "select (select sum(balance) from account) + (select sum(balance) from vault)"
_MOVED = "select (select coalesce(sum(amount), 0) from transfer) - (select sum(balance) from vault)"


@pytest.fixture
def writers(server: Server, tmp_path: Path) -> Iterator[None]:
    """Clients that move amounts between two tables as long as the test runs."""
    server.sql("""
        create table account as select id, 1000000::bigint as balance from generate_series(1, 50) id;
        create table vault as select id, 0::bigint as balance from generate_series(1, 50) id;
        create table transfer (id serial primary key, amount bigint);
    """)
    script = tmp_path / "transfer.sql"
    script.write_text(_TRANSFER, encoding="utf-8")
    command = [server.programs / "bin/pgbench", *server.socket, "--username", USER, "--no-vacuum"]
    options = ["--client=2", "--time=30", f"--file={script}", DATABASE]
    with subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as working:
        try:
            _until(lambda: _transfers(server) > 100)
            yield
            assert working.poll() is None, "the writers had stopped"
        finally:
            working.terminate()
            working.wait()
            server.sql("drop table account, vault, transfer")


def test_a_dump_under_concurrent_writes_is_of_one_moment(
    server: Server, installed: Path, tmp_path: Path, writers: None
) -> None:
    before = _transfers(server)
    taken = boundary.take(server.settings(tmp_path), tmp_path)
    after = _transfers(server)
    with running(installed) as other:
        restore(other, taken.file)
        assert other.sql(_INVARIANT) == ["50000000"]
        assert other.sql(_MOVED) == ["0"]
        assert before <= _transfers(other) < after, "nothing was written while the dump ran"


def test_nobody_who_watches_a_dump_sees_the_password(server: Server, tmp_path: Path) -> None:
    """A locked table holds the dump up until everything about its processes was read."""
    locked = [server.programs / "bin/psql", *server.socket, "--username", USER, "--quiet", "--tuples-only", DATABASE]
    settings = server.settings(tmp_path)
    with (
        subprocess.Popen(locked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holding,
        ThreadPoolExecutor(1) as pool,
    ):
        assert holding.stdin is not None
        assert holding.stdout is not None
        try:
            holding.stdin.write("begin; lock table session in access exclusive mode; select 'held';\n")
            holding.stdin.flush()
            assert "held" in holding.stdout.readline()
            dumping = pool.submit(boundary.take, settings, tmp_path)
            waiting = (
                "select count(*) from pg_stat_activity where application_name = 'pg_dump' and wait_event_type = 'Lock'"
            )
            _until(lambda: server.sql(waiting) == ["1"])
            seen = _processes()
        finally:
            holding.stdin.write("rollback;\n")
            holding.stdin.close()
        taken = dumping.result(30)
    assert any("pg_dump" in command for command, _ in seen)
    assert not [command for command, variables in seen if PASSWORD in command + variables]
    assert PASSWORD not in repr(taken)
    written = [path for path in tmp_path.iterdir() if PASSWORD.encode() in path.read_bytes()]
    assert [path.name for path in written] == ["password"]


def _processes() -> list[tuple[str, str]]:
    """Command line and environment of every process, as far as this user may read them."""
    found: list[tuple[str, str]] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found.append((command, (process / "environ").read_bytes().decode(errors="replace")))
        except OSError:
            continue
    return found


def _transfers(server: Server) -> int:
    return int(server.sql("select count(*) from transfer")[0])


def _until(holds: object) -> None:
    assert callable(holds)
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)
