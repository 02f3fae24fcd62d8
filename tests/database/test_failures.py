"""What fails leaves nothing that looks like a backup, takes no older one away, and says why without a secret."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.database.postgres import ADDRESS, HOST, PASSWORD, Server, relay
from tests.database.taking import boundary, final
from tests.rendered import certificates

OLDER = "0123456789ab.dump"
MIDDLE = 400_000
"""Bytes after which a dump of the schema is under way."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A spool that holds an older dump, and what a run that was killed has left."""
    made = tmp_path / "spool"
    made.mkdir()
    (made / OLDER).write_bytes(b"older")
    (made / "boundary.part").write_bytes(b"half")
    return made


def refused(folder: Path, settings: dict[str, object]) -> str:
    """Why there is no dump."""
    return refused_with(folder, settings)[0]


def refused_with(folder: Path, settings: dict[str, object]) -> tuple[str, int | None]:
    """Why there is no dump, and the error's number. Nothing new may be there, and everything old must be."""
    with pytest.raises(OSError, match=r".") as error:
        boundary.take(settings, folder)
    assert final(folder) == {OLDER}
    assert (folder / OLDER).read_bytes() == b"older"
    assert not (folder / "boundary.part").exists()
    said = str(error.value)
    assert PASSWORD not in said
    return said, error.value.errno


def test_the_leftovers_of_a_killed_run_do_not_hinder_the_next(server: Server, folder: Path, tmp_path: Path) -> None:
    taken = boundary.take(server.settings(tmp_path), folder)
    assert final(folder) == {OLDER, taken.file.name}
    assert (folder / OLDER).read_bytes() == b"older"
    assert not (folder / "boundary.part").exists()


def test_a_server_killed_in_the_middle_of_a_dump(server: Server, folder: Path, tmp_path: Path) -> None:
    halves: list[int] = []

    def kill() -> None:
        halves.append((folder / "boundary.part").stat().st_size)
        server.control("--mode=immediate", "stop")

    try:
        with relay(server, MIDDLE, kill) as port:
            said = refused(folder, server.settings(tmp_path, port=port))
    finally:
        server.start()
    assert halves, "the dump was over before"
    assert "pg_dump ended with 1" in said


def test_a_dump_program_killed_in_the_middle(server: Server, folder: Path, tmp_path: Path) -> None:
    def kill() -> None:
        (running,) = [
            int(process.name)
            for process in Path("/proc").glob("[0-9]*")
            if f"--file\0{folder}".encode() in _command(process) and b"/timeout\0" not in _command(process)
        ]
        os.kill(running, signal.SIGKILL)

    with relay(server, MIDDLE, kill) as port:
        assert "pg_dump ended with -9" in refused(folder, server.settings(tmp_path, port=port))


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def test_a_full_disk(server: Server, folder: Path, tmp_path: Path) -> None:
    (folder / "boundary.part").unlink()
    (folder / "boundary.part").symlink_to("/dev/full")
    said, number = refused_with(folder, server.settings(tmp_path))
    assert "No space left on device" in said
    assert number == errno.ENOSPC, "the agent makes room by it"


def test_a_wrong_password(server: Server, folder: Path, tmp_path: Path) -> None:
    settings = server.settings(tmp_path)
    Path(settings["password_file"]).write_text("other-" + PASSWORD, encoding="utf-8")
    assert "password authentication failed" in refused(folder, settings)


def test_no_password(server: Server, folder: Path, tmp_path: Path) -> None:
    assert "missing" in refused(folder, server.settings(tmp_path, password_file=str(tmp_path / "missing")))


def test_a_server_that_does_not_answer(server: Server, folder: Path, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind((ADDRESS, 0))
        settings = server.settings(tmp_path, port=unused.getsockname()[1])
        assert "Connection refused" in refused(folder, settings)


@pytest.mark.parametrize("missing", ["pg_dump", "pg_restore"])
def test_a_missing_program(server: Server, folder: Path, tmp_path: Path, missing: str) -> None:
    home = _programs(server, tmp_path)
    (home / "bin" / missing).unlink()
    said = refused(folder, server.settings(tmp_path, programs=str(home)))
    assert f"{missing} ended with 127" in said


@pytest.mark.parametrize("kept", ["-s -1", "-s -4000", "-s 60%", "-s 20%", "-s 4000", "-s 0"])
def test_a_dump_that_lost_its_end_although_the_program_was_content(
    server: Server, folder: Path, tmp_path: Path, kept: str
) -> None:
    size = kept.replace("60%", "$((size * 6 / 10))").replace("20%", "$((size / 5))")
    home = _programs(server, tmp_path)
    _replace(home, "pg_dump", f'for file; do :; done\nsize=$(stat -c %s "$file")\ntruncate {size} "$file"')
    assert "pg_restore ended with 1" in refused(folder, server.settings(tmp_path, programs=str(home)))


def test_a_dump_that_is_none_although_the_program_was_content(server: Server, folder: Path, tmp_path: Path) -> None:
    home = _programs(server, tmp_path)
    _replace(home, "pg_dump", 'for file; do :; done\necho "select 1;" >"$file"')
    assert "pg_restore ended with 1" in refused(folder, server.settings(tmp_path, programs=str(home)))


def test_a_dump_with_a_changed_byte_in_its_data(server: Server, folder: Path, tmp_path: Path) -> None:
    home = _programs(server, tmp_path)
    change = 'printf XXXX | dd of="$file" bs=1 seek=$((size / 2)) conv=notrunc status=none'
    _replace(home, "pg_dump", f'for file; do :; done\nsize=$(stat -c %s "$file")\n{change}')
    assert "pg_restore ended with 1" in refused(folder, server.settings(tmp_path, programs=str(home)))


def _programs(server: Server, tmp_path: Path) -> Path:
    """A folder of programs that a test may change."""
    home = tmp_path / "programs"
    (home / "bin").mkdir(parents=True)
    for name in ("pg_dump", "pg_restore"):
        (home / "bin" / name).symlink_to(server.programs / "bin" / name)
    return home


def _replace(home: Path, name: str, afterwards: str) -> None:
    """The real program, and something that happens to its result."""
    file = home / "bin" / name
    real = file.resolve()
    file.unlink()
    file.write_text(f'#!/bin/sh\nset -e\nexport PATH=/usr/bin:/bin\n{real} "$@"\n{afterwards}\n', encoding="utf-8")
    file.chmod(0o755)


def test_a_server_of_another_name(server: Server, folder: Path, tmp_path: Path) -> None:
    said = refused(folder, server.settings(tmp_path, host=ADDRESS))
    assert "server certificate for" in said
    assert "does not match host name" in said


def test_a_server_of_an_unknown_authority(server: Server, folder: Path, tmp_path: Path) -> None:
    certificates.write(tmp_path, (HOST,), ())
    settings = server.settings(tmp_path, authorities=(tmp_path / "ca.pem").as_uri())
    assert "SSL error" in refused(folder, settings)


class TestAuthorities:
    """They come over HTTPS that the system trusts, and the last good ones serve meanwhile."""

    @pytest.fixture(autouse=True)
    def trust(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The system trusts one authority more, and reaches loopback by no proxy."""
        certificates.write(tmp_path, (HOST,), ())
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        monkeypatch.setenv("no_proxy", "*")

    def test_are_fetched_and_kept_for_a_day_on_which_nobody_answers(
        self, server: Server, folder: Path, tmp_path: Path
    ) -> None:
        with _published(tmp_path, server.authority.read_bytes()) as url:
            settings = server.settings(tmp_path, authorities=url)
            boundary.take(settings, folder)
        (folder / "boundary.part").unlink(missing_ok=True)
        assert boundary.take(settings, folder).file.exists()

    def test_that_never_came_are_missed(self, server: Server, folder: Path, tmp_path: Path) -> None:
        with _published(tmp_path, b"") as url:
            pass
        assert "refused" in refused(folder, server.settings(tmp_path, authorities=url))

    @pytest.mark.parametrize("answer", [b"<html>maintenance</html>", b"", b"\xff\xfe"])
    def test_are_not_replaced_by_what_is_no_certificate(
        self, server: Server, folder: Path, tmp_path: Path, answer: bytes
    ) -> None:
        shutil.copy(server.authority, folder / "authorities.pem")
        with _published(tmp_path, answer) as url:
            assert boundary.take(server.settings(tmp_path, authorities=url), folder).file.exists()

    def test_are_not_taken_from_somebody_whom_the_system_does_not_trust(
        self, server: Server, folder: Path, tmp_path: Path
    ) -> None:
        stranger = tmp_path / "stranger"
        stranger.mkdir()
        certificates.write(stranger, (HOST,), ())
        with _published(stranger, server.authority.read_bytes()) as url:
            assert "CERTIFICATE_VERIFY_FAILED" in refused(folder, server.settings(tmp_path, authorities=url))
        assert not (folder / "authorities.pem").exists()


@contextmanager
def _published(identity: Path, body: bytes) -> Iterator[str]:
    """An HTTPS server with the identity of a folder; gone afterwards."""
    serving = _Server((ADDRESS, 0), partial(_Answer, body))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity / "cert.pem", identity / "key.pem")
    serving.socket = context.wrap_socket(serving.socket, server_side=True, do_handshake_on_connect=False)
    thread = Thread(target=serving.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"https://{HOST}:{serving.server_port}/bundle.pem"
    finally:
        serving.shutdown()
        serving.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust this server hangs up, which is what a test may want."""


class _Answer(BaseHTTPRequestHandler):
    def __init__(self, body: bytes, *arguments: object) -> None:
        self._body = body
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self._body)))
        self.end_headers()
        self.wfile.write(self._body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Tests print nothing."""
