"""Release archives at the addresses that the stacks name, made of programs that this machine has.

Owns the shelf: a folder whose paths are host and path of each archive, with the published sums beside it. Which archive
a machine fetches and from where is `components.plan.versions`.

Dangerous edges:
- What no program was given for is not on the shelf: a machine that wants it fails its boot, and says so.
- The shelf's archives are not the vendor's. Their sums are this shelf's own; a sum that the configuration pins is the
  vendor's, and fits none of them.
"""

from __future__ import annotations

import hashlib
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from components.plan.spec import Artifacts
from components.plan.versions import ARTIFACTS, Archive, archive
from sandbox.stores.exchange import Answer, Forward, Request


def shelve(folder: Path, versions: Mapping[str, str], artifacts: Artifacts, programs: Mapping[str, Path]) -> list[str]:
    """Puts on the shelf what is not there yet; returns the artefacts that nobody gave a program for.

    Args:
        folder: the shelf.
        programs: by artefact, a program's file, or a folder of several with `bin` in it.
    """
    for artefact, program in programs.items():
        found = archive(artefact, versions, artifacts)
        target = place(folder, found)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch = target.with_name(f".{target.name}")
            _pack(scratch, artefact, found, program)
            _publish(folder, found, hashlib.sha256(scratch.read_bytes()).hexdigest())
            # Last: an archive without its sum would be refused by every machine.
            scratch.rename(target)
    return [artefact for artefact in ARTIFACTS if artefact not in programs]


def place(folder: Path, found: Archive) -> Path:
    """Where an archive lies on a shelf."""
    return _at(folder, found.url)


def _at(folder: Path, url: str) -> Path:
    parts = urlsplit(url)
    return folder / (parts.hostname or "") / parts.path.removeprefix("/")


def _pack(target: Path, artefact: str, found: Archive, program: Path) -> None:
    """Writes one archive. Packed, though quickly: every machine reads all of it, and more than once."""
    if found.file.endswith(".zip"):
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            packed.write(program, artefact)
        return
    top = found.file.removesuffix(".tar.gz")
    with tarfile.open(target, "w:gz", compresslevel=1) as packed:
        packed.add(program, top if program.is_dir() else f"{top}/{artefact}")


def _publish(folder: Path, found: Archive, digest: str) -> None:
    sums = _at(folder, found.sums_url)
    kept = sums.read_text(encoding="ascii").splitlines() if sums.exists() else []
    lines = [line for line in kept if not line.endswith(f"  {found.file}")]
    sums.write_text("\n".join([*lines, f"{digest}  {found.file}"]) + "\n", encoding="ascii")


class Shelf:
    """The shelf as the machines find it; one of the clouds that the gateway asks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0

    @property
    def hosts(self) -> list[str]:
        """Host names that it answers at."""
        return sorted(entry.name for entry in self._folder.iterdir()) if self._folder.is_dir() else []

    def serves(self, host: str) -> bool:
        return host in self.hosts

    def handle(self, request: Request) -> Answer | Forward:
        if request.method not in {"GET", "HEAD"}:
            return Answer(405)
        return Forward(self._port, f"/{request.host}{request.target}", {})

    @contextmanager
    def served(self) -> Iterator[None]:
        """Behind the gateway while the body runs: on the loopback of the network that this process is in."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(self._folder)))
        server.daemon_threads = True
        self._port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass
