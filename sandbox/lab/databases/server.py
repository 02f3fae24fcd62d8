"""One managed database: a PostgreSQL server in the lab's network, at the address and under the name of its cloud's.

Owns the server's folder (data, certificate) and that its role and database are as declared. Who may reach it is the
firewall's; that clients must speak TLS and know the password is the server's own, as in the cloud. Backups, replicas and
maintenance of the cloud are not here: the platform's own dumps are what is proven.

The server is the operating system's newest, whatever version the cloud was asked for: a dump proves the way, and not the
version.

Dangerous edges:
- A password goes to the server by its standard input. It stands in no argument, file or log.
- The folder belongs to an account without rights, and lies below one that only root enters: programs see it as /run.

Source: PostgreSQL manual, "Server Administration".
"""

from __future__ import annotations

import hashlib
import pwd
import shutil
import subprocess
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.lab.links.daemons import ROOM, WITHIN, Daemon
from sandbox.lab.machines.lab import SWITCH
from sandbox.toolchain import packages

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sandbox.lab.machines.lab import Lab
    from sandbox.lab.world import Database
    from sandbox.mesh.namespaces import Namespaces
    from sandbox.stores.certificates import Authority

ACCOUNT = "postgres"
"""The operating system's account of the server, which its package makes."""
_FOLDER, _PROGRAM = "databases", "postgres"
_DAYS = 397
_CLIENTS = """
local   all all             trust
hostssl all all 0.0.0.0/0   scram-sha-256
"""


def apply(lab: Lab, namespaces: Namespaces, declared: Iterable[Database], issuer: Authority) -> list[str]:
    """Lets these run and no others; returns what it changed, a line each. One that is not declared any more is gone.

    Raises:
        SandboxError: one does not start, or refuses what is declared.
    """
    folder, changes = lab.folder / _FOLDER, list[str]()
    wanted = {database.host: database for database in declared}
    for left in sorted(folder.iterdir()) if folder.is_dir() else ():
        if left.name not in wanted:
            Daemon(namespaces, SWITCH, left, _PROGRAM, (), ()).end()
            shutil.rmtree(left)
            changes.append(f"remove database {left.name}")
    for host, database in wanted.items():
        if Server(namespaces, folder / host, database, issuer).apply():
            changes.append(f"start database {host}")
    return changes


class Server(Daemon):
    """A database's server, whether or not it runs.

    Args:
        folder: its own.
    """

    def __init__(self, namespaces: Namespaces, folder: Path, database: Database, issuer: Authority) -> None:
        self._database, self._issuer = database, issuer
        self._programs = packages.program("postgresql").parent
        self._data = folder / "data"
        settings = {
            "listen_addresses": database.address,
            "port": str(database.port),
            "unix_socket_directories": str(ROOM),
            "ssl": "on",
            "ssl_cert_file": str(ROOM / "server.pem"),
            "ssl_key_file": str(ROOM / "server.key"),
            # Nothing here outlives a machine's crash anyway.
            "fsync": "off",
            "log_statement": "none",
            "log_min_error_statement": "panic",
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = self._as_account("postgres", "-D", str(ROOM / "data"), *words)
        super().__init__(namespaces, SWITCH, folder, _PROGRAM, command, ["data/postmaster.pid"])

    def apply(self) -> bool:
        """Lets it run as declared; says whether anything was done.

        Raises:
            SandboxError: it does not start, or refuses what is declared.
        """
        applied = self._folder / "applied"
        if self.lives and applied.exists() and applied.read_text(encoding="ascii") == self._digest:
            return False
        self.end()
        applied.unlink(missing_ok=True)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._own(self._folder)
        if not (self._data / "PG_VERSION").exists():
            shutil.rmtree(self._data, ignore_errors=True)
            self._run("initdb", "-D", str(ROOM / "data"), "--auth=trust", "--encoding=UTF8", "--no-sync")
        self._write(self._data / "pg_hba.conf", _CLIENTS.encode())
        key, shown = self._issuer.issue([self._database.host], _DAYS)
        self._write(self._folder / "server.key", key)
        self._write(self._folder / "server.pem", shown)
        self.start(self._answers)
        self._declare()
        applied.write_text(self._digest, encoding="ascii")
        return True

    def _answers(self) -> None:
        if self._done("pg_isready", *self._local).returncode:
            raise ConnectionRefusedError

    def _declare(self) -> None:
        """Makes role and database what the cloud was told."""
        role, name = _quoted(self._database.user), _quoted(self._database.name)
        known = self._sql("SELECT rolname FROM pg_roles UNION ALL SELECT datname FROM pg_database;").split()
        verb = "ALTER" if self._database.user in known else "CREATE"
        self._sql(f"{verb} ROLE {role} LOGIN CREATEDB CREATEROLE PASSWORD {_literal(self._database.password)};")
        if self._database.name not in known:
            self._sql(f"CREATE DATABASE {name} OWNER {role};")

    @property
    def _local(self) -> tuple[str, ...]:
        return ("--host", str(ROOM), "--port", str(self._database.port))

    @property
    def _digest(self) -> str:
        declared = repr((self._database, self._database.password))
        return hashlib.sha256(declared.encode()).hexdigest()

    def _sql(self, statement: str) -> str:
        words = ("--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--dbname=postgres")
        return self._run("psql", *self._local, "--username", ACCOUNT, *words, told=statement)

    def _run(self, program: str, *words: str, told: str = "") -> str:
        """What a program of PostgreSQL's says."""
        done = self._done(program, *words, told=told)
        if done.returncode:
            # Its words quote a statement that it refuses, and with it a password.
            said = "" if told else f": {done.stderr.strip()[-500:]}"
            raise SandboxError(
                f"{program} of the database {self._database.host} ended with {done.returncode}{said}",
                f"Its log is {self._folder / 'postgres.out'}.",
            )
        return done.stdout

    def _done(self, program: str, *words: str, told: str = "") -> subprocess.CompletedProcess[str]:
        command = ["sh", str(WITHIN), str(self._folder), *self._as_account(program, *words)]
        return subprocess.run(
            self._namespaces.command(SWITCH, command), input=told, capture_output=True, text=True, check=False
        )

    def _as_account(self, program: str, *words: str) -> list[str]:
        rights = ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups"]
        return [*rights, "env", "LC_ALL=C", str(self._programs / program), *words]

    def _write(self, file: Path, content: bytes) -> None:
        file.unlink(missing_ok=True)
        file.touch(0o600)
        file.write_bytes(content)
        self._own(file)

    def _own(self, path: Path) -> None:
        account = pwd.getpwnam(ACCOUNT)
        shutil.chown(path, account.pw_uid, account.pw_gid)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
