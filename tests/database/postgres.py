"""A real PostgreSQL server on loopback with TLS, run by a user without rights, in a folder of its own.

Clients on TCP must use TLS and a password, as on RDS; the tests themselves come in by a socket in the folder. A
`Relay` stands in front of a server where the connection must break at a certain byte.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from tests.rendered import certificates

HOST, ADDRESS = "localhost", "127.0.0.1"
PASSWORD = r"hush:\p4ss-word"  # the characters that a password file must escape
USER = DATABASE = "boundary"
_UNPRIVILEGED = "nobody"
_SETTINGS = """
listen_addresses = '127.0.0.1'
ssl = on
ssl_cert_file = 'cert.pem'
ssl_key_file = 'key.pem'
fsync = off
log_min_messages = fatal
"""
_CLIENTS = f"""
local   all all                   trust
hostssl all {USER} 127.0.0.1/32   scram-sha-256
"""


def programs() -> Path | None:
    """Folder of the newest installed PostgreSQL, which holds `bin` and `lib` as on a machine."""
    found = [path.parent.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    return max(found, key=lambda path: int(path.name), default=None)


@dataclass(frozen=True)
class Server:
    """A running server. `folder` holds its data, its socket and its authority's certificate."""

    programs: Path
    folder: Path
    port: int

    @property
    def authority(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def socket(self) -> list[str]:
        """Arguments of a client that comes in by the socket."""
        return ["--host", str(self.folder), "--port", str(self.port)]

    def run(self, program: str, *words: str, text: str | None = None, user: str = USER) -> str:
        """A client program's output."""
        command = [self.programs / "bin" / program, *self.socket, "--username", user, *words]
        ended = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def sql(self, statements: str, user: str = USER) -> list[str]:
        """Lines that the statements answer."""
        words = (
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set=ON_ERROR_STOP=1",
            f"--dbname={DATABASE}",
        )
        return self.run("psql", *words, text=statements, user=user).splitlines()

    def control(self, *words: str) -> None:
        command = [self.programs / "bin/pg_ctl", "--pgdata", self.folder / "data", "--wait", "--silent", *words]
        subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL, cwd=self.folder, **_unprivileged())

    def start(self) -> None:
        self.control("--options", f"-p {self.port} -k {self.folder}", "start")

    def settings(self, folder: Path, **other: object) -> dict[str, Any]:
        """What the agent hands to a dump of this server."""
        password = folder / "password"
        password.write_text(PASSWORD + "\n", encoding="utf-8")
        return {
            "host": HOST,
            "port": self.port,
            "database": DATABASE,
            "user": USER,
            "password_file": str(password),
            "authorities": self.authority.as_uri(),
            "programs": str(self.programs),
            "version": "0.21.0",
            **other,
        }


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    return {} if os.getuid() else {"user": _UNPRIVILEGED, "group": "nogroup", "extra_groups": []}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return probe.getsockname()[1]


@contextmanager
def running(home: Path) -> Iterator[Server]:
    """An empty server with the database and its owner, gone afterwards."""
    # Not below pytest's own folder, into which no other user may look.
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp"))
    try:
        certificates.write(folder, (HOST,), ())
        folder.chmod(0o755)
        if not os.getuid():
            for file in (folder, folder / "key.pem"):
                shutil.chown(file, _UNPRIVILEGED, "nogroup")
        words = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        command = [home / "bin/initdb", "--pgdata", folder / "data", *words]
        subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL, cwd=folder, **_unprivileged())
        for name in ("cert.pem", "key.pem"):
            copied = Path(shutil.copy(folder / name, folder / "data" / name))
            copied.chmod(0o600)
            if not os.getuid():
                shutil.chown(copied, _UNPRIVILEGED, "nogroup")
        (folder / "data/postgresql.conf").write_text(_SETTINGS, encoding="utf-8")
        (folder / "data/pg_hba.conf").write_text(_CLIENTS, encoding="utf-8")
        server = Server(home, folder, free_port())
        server.start()
        try:
            server.run("createuser", USER, user="postgres")
            server.run("createdb", "--owner", USER, DATABASE, user="postgres")
            server.sql(f"alter role {USER} password '{PASSWORD}'", user="postgres")
            yield server
        finally:
            with suppress(subprocess.CalledProcessError):
                server.control("--mode=immediate", "stop")
    finally:
        shutil.rmtree(folder)


@contextmanager
def relay(server: Server, after: int, break_off: Callable[[], None]) -> Iterator[int]:
    """A port in front of the server; once, when it has sent so many bytes, `break_off` is called."""
    with socket.create_server((ADDRESS, 0)) as listening:
        served = Thread(target=_serve, args=(listening, server.port, after, break_off), daemon=True)
        served.start()
        yield listening.getsockname()[1]
        served.join(10)


def _serve(listening: socket.socket, port: int, after: int, break_off: Callable[[], None]) -> None:
    near, _ = listening.accept()
    with near, socket.create_connection((ADDRESS, port)) as far:
        requests = Thread(target=_pass, args=(near, far), daemon=True)
        requests.start()
        sent = 0
        with suppress(OSError):
            while block := far.recv(4096):
                if sent <= after < sent + len(block):
                    break_off()
                sent += len(block)
                near.sendall(block)
        for end in (near, far):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        requests.join()


def _pass(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(4096):
            target.sendall(block)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
