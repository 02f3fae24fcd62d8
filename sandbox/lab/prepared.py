"""An image's worth of programs: what a machine's boot would fetch, in place and recorded as the boot itself records it.

Owns a layer that all machines of a lab share, and the shelf of archives that it is made of, both made once and cached. A boot that finds a record checks
the sums of what is installed and fetches nothing, as it does after a restart; so every machine of a lab shares one copy of each
program, on disk and in memory. A machine that wants another version or another sum fetches, as on a plain image.

Dangerous edge: places and records are those of the boot's own step. Where they differ, machines fetch, which costs
gigabytes; a test looks at what a machine says.

Source: components/templates/boot/50-install.sh.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from components.plan.versions import archive
from sandbox.lab.services.artefacts import place, shelve
from sandbox.toolchain.cache import obtain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.plan.spec import Artifacts
    from sandbox.progress import Board

_ARCHIVES, _BINARIES, _TREES = Path("var/cache/platform"), Path("usr/local/bin"), Path("opt")
_CHUNK = 1 << 20


def archives(versions: Mapping[str, str], artifacts: Artifacts, programs: Mapping[str, Path], board: Board) -> Path:
    """A shelf with every artefact, made of these programs; one for all labs that want the same."""

    def fill(folder: Path) -> None:
        with board.step("packing programs into archives, once"):
            shelve(folder, versions, artifacts, programs)

    return obtain("lab-archives", _identity(versions, artifacts, programs), fill)


def prepared(
    versions: Mapping[str, str],
    artifacts: Artifacts,
    programs: Mapping[str, Path],
    board: Board,
    behind: Mapping[str, Path],
) -> Path:
    """The layer with everything that lies on that shelf, and what no archive brings, by place."""
    shelf = archives(versions, artifacts, programs, board)

    def fill(folder: Path) -> None:
        with board.step("putting programs into the machines' image, once"):
            for artefact in programs:
                _install(folder, artefact, place(shelf, archive(artefact, versions, artifacts)))
            for where, file in behind.items():
                target = folder / where.removeprefix("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                # The cache keeps both on one disk.
                os.link(file, target)

    return obtain("lab-programs", _identity(versions, artifacts, programs, *behind.values()), fill)


def _identity(versions: Mapping[str, str], artifacts: Artifacts, programs: Mapping[str, Path], *behind: Path) -> str:
    """Changes when a program or the place of its archive does, or what is behind one."""
    digest = hashlib.sha256()
    for artefact, program in sorted(programs.items()):
        facts = program.stat()
        found = archive(artefact, versions, artifacts)
        digest.update(f"{found.url} {found.sums_url} {program} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    for file in behind:
        digest.update(f"{file}\n".encode())
    return digest.hexdigest()[:12]


def _install(folder: Path, artefact: str, file: Path) -> None:
    """One program as the boot would have left it."""
    cached = folder / _ARCHIVES / file.name
    cached.parent.mkdir(parents=True, exist_ok=True)
    # The cache keeps both on one disk.
    os.link(file, cached)
    scratch = folder / "scratch"
    shutil.unpack_archive(file, scratch)
    # A release of many files has one folder at its top.
    inside = list(scratch.iterdir())
    root = inside[0] if inside[0].is_dir() else scratch
    if (root / "bin").is_dir():
        installed = folder / _TREES / file.name.removesuffix(".tar.gz")
        installed.parent.mkdir(parents=True, exist_ok=True)
        root.rename(installed)
        (installed.parent / artefact).symlink_to(installed.name)
        placed = [entry for entry in sorted(installed.rglob("*")) if entry.is_file() and not entry.is_symlink()]
    else:
        installed = folder / _BINARIES / artefact
        installed.parent.mkdir(parents=True, exist_ok=True)
        (root / artefact).rename(installed)
        installed.chmod(0o755)
        placed = [installed]
    shutil.rmtree(scratch, ignore_errors=True)
    record = "".join(f"{_sum(entry)}  /{entry.relative_to(folder)}\n" for entry in [cached, *placed])
    cached.with_name(f"{file.name}.sha256").write_text(record, encoding="utf-8")


def _sum(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
