"""One verified dump of Boundary's database.

Owns pg_dump and what makes its result worth keeping. When it runs, where it goes and what is told of it is the agent's.

Trust: Amazon's authorities are fetched for every dump over HTTPS that the system's own authorities vouch for, and kept:
the last ones serve while Amazon does not answer. They are no part of the image, because Amazon replaces them.

Dangerous edges:
- A table of contents stands in front of a dump, so listing it says nothing about the rest: all of it is read.
- The password is in memory that only the dump's own process inherits: no argument, variable or file shows it.

Source: PostgreSQL manual, pg_dump, pg_restore, libpq "The Password File".
"""

# ruff: noqa: INP001 - a program of machines, no package of ours

import errno
import hashlib
import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Settings = dict[str, Any]
SECONDS = "360"
"""For the dump, and again for reading it: both must end within one run of the agent, the authorities' fetch before them."""
PATIENCE = 30
"""Seconds that Amazon's authorities are waited for."""


@dataclass(frozen=True)
class Taken:
    """`details` go into the note beside the backup."""

    file: Path
    version: str
    index: str
    details: dict[str, Any]


def take(settings: Settings, folder: Path) -> Taken:
    """Dump into `folder`. A file there under a final name is whole; a failure leaves none and takes none away.

    `settings`: host, port, database, user, password_file, authorities (URL), programs (folder of bin and lib), version
    (Boundary's).

    Raises:
        OSError: there is no dump; with the error number of a full disk where that is why. No message holds a secret.
    """
    part = folder / "boundary.part"
    try:
        _dump(settings, _authorities(settings["authorities"], folder), part)
        details = _read(settings, part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
            index = hashlib.file_digest(file, "sha256").hexdigest()[:12]
        return Taken(part.replace(folder / f"{index}.dump"), settings["version"], index, details)
    finally:
        part.unlink(missing_ok=True)


def _authorities(url: str, folder: Path) -> Path:
    kept, part = folder / "authorities.pem", folder / "authorities.part"
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - the platform's own setting
            part.write_bytes(answer.read())
        if b"BEGIN CERTIFICATE" in part.read_bytes():
            part.replace(kept)
    except OSError:
        if not kept.exists():
            raise
    return kept


def _dump(settings: Settings, authorities: Path, part: Path) -> None:
    password = os.memfd_create("password")
    try:
        os.fchmod(password, 0o600)
        text = Path(settings["password_file"]).read_text().rstrip("\n")
        os.write(password, ("*:*:*:*:" + re.sub(r"([\\:])", r"\\\1", text)).encode())
        variables = {
            "PGHOST": settings["host"],
            "PGPORT": str(settings["port"]),
            "PGDATABASE": settings["database"],
            "PGUSER": settings["user"],
            "PGPASSFILE": f"/proc/self/fd/{password}",
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": str(authorities),
            "PGCONNECT_TIMEOUT": "10",
        }
        words = "pg_dump --format=custom --no-owner --no-password --lock-wait-timeout=60s --file"
        for _ in _lines(settings, [*words.split(), str(part)], variables, password):
            pass
    finally:
        os.close(password)


def _read(settings: Settings, part: Path) -> dict[str, Any]:
    """Read the whole dump: versions, and rows by table, by what a restore would write."""
    found: dict[str, Any] = {}
    rows: dict[str, int] = {}
    table = ""
    for line in _lines(settings, ["pg_restore", "--data-only", "--file=-", str(part)], {}):
        if table and line == b"\\.\n":
            table = ""
        elif table:
            rows[table] += 1
            if table.endswith(".boundary_schema_version"):
                found["schema"] = line.split()[-1].decode()
        elif begun := re.match(rb"COPY (.+?) +(\(.*\) )?FROM stdin;", line):
            table = begun[1].decode()
            rows[table] = 0
        elif said := re.match(rb"-- Dumped (from|by).* version (\S+)", line):
            found["server" if said[1] == b"from" else "pg_dump"] = said[2].decode()
    return {**found, "rows": rows}


def _lines(settings: Settings, words: list[str], variables: dict[str, str], *passed: int) -> Iterator[bytes]:
    """What a program of PostgreSQL's says, with nothing of this process's surroundings."""
    programs = settings["programs"]
    with subprocess.Popen(
        ["/usr/bin/timeout", SECONDS, f"{programs}/bin/{words[0]}", *words[1:]],
        env={"LD_LIBRARY_PATH": f"{programs}/lib", **variables},
        pass_fds=passed,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        yield from running.stdout or ()
        said = running.communicate()[1].decode(errors="replace")[-500:].strip()
    if running.returncode:
        error = OSError(f"{words[0]} ended with {running.returncode}, so there is no dump: {said}")
        error.errno = errno.ENOSPC if "No space left" in said else None
        raise error
