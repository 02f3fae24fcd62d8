"""The programs that a lab's machines install, and those that the lab itself runs.

Owns where each comes from: built from Go modules, or of the operating system. Boundary is in no registry: a stand-in
takes its place that says so and ends, so that its machines boot and nothing waits, unless `BOUNDARY_BINARY` names one.
In Vault's place stands OpenBao where Vault does not build, or where that is wished.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.lab import openbao as stand_in
from sandbox.toolchain import cache, golang, node_packages, openbao, packages
from sandbox.toolchain.table import CONSUL, FAKE_GCS, NOMAD, VAULT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.progress import Board

BOUNDARY_VARIABLE = "BOUNDARY_BINARY"
NOT_SUPPLIED = Path(__file__).parent / "not-supplied.sh"
_DUMP = ("pg_dump", "pg_restore", "psql")
_OF_EVERY_SYSTEM = re.compile(r"(libc|libm|libdl|libpthread|librt|libresolv)[.]so")
"""The C library's own: another one beside a system's would break both."""
_BUILT = (CONSUL, NOMAD)
VAULT_STAND_IN = Path(stand_in.__file__)
"""What machines have under Vault's name where OpenBao takes its place."""


def programs(
    board: Board, environment: Mapping[str, str] = os.environ, *, without_vault: bool = False
) -> dict[str, Path]:
    """A file or folder for each artefact that machines install; what is not built yet is built.

    Args:
        without_vault: OpenBao takes Vault's place, whether or not Vault can be built.

    Raises:
        SandboxError: one is missing.
    """
    return {
        **{tool.name: golang.build(tool, board) / tool.name for tool in _BUILT},
        VAULT.name: openbao.vault(board, instead=without_vault) or VAULT_STAND_IN,
        "boundary": boundary(environment),
        "node_exporter": packages.program("prometheus-node-exporter"),
        "postgresql": _dump_programs(packages.program("postgresql").parent, board),
    }


def behind(found: Mapping[str, Path], versions: Mapping[str, str]) -> dict[str, Path]:
    """What machines need beside their artefacts, by place: OpenBao, where it takes Vault's."""
    if found[VAULT.name] != VAULT_STAND_IN:
        return {}
    return {stand_in.SERVER: openbao.numbered(versions[VAULT.name])}


def stand_ins(board: Board) -> None:
    """Obtains the programs behind the clouds' buckets."""
    for package in node_packages.PACKAGES:
        node_packages.install(package, board)
    golang.build(FAKE_GCS, board)


def supplied(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether there is a Boundary."""
    return bool(environment.get(BOUNDARY_VARIABLE))


def boundary(environment: Mapping[str, str]) -> Path:
    """Boundary's program, or the stand-in.

    Raises:
        SandboxError: the variable names no program.
    """
    named = environment.get(BOUNDARY_VARIABLE)
    if not named:
        return NOT_SUPPLIED
    if not os.access(named, os.X_OK):
        raise SandboxError(
            f"{BOUNDARY_VARIABLE} names {named}, which is no program, so Boundary's machines would have none.",
            "Name Boundary's binary for Linux, or unset the variable.",
        )
    return Path(named).resolve()


def _dump_programs(installed: Path, board: Board) -> Path:
    """PostgreSQL's dump programs with the libraries that a machine does not have, as the release archives bring them."""
    facts = (installed / _DUMP[0]).stat()
    version = f"{installed.parent.name}-{facts.st_size}-{facts.st_mtime_ns}"

    def fill(folder: Path) -> None:
        programs, libraries = folder / "bin", folder / "lib"
        programs.mkdir()
        libraries.mkdir()
        for name in _DUMP:
            shutil.copy(installed / name, programs)
            for library in _libraries(installed / name):
                if not _OF_EVERY_SYSTEM.match(library.name):
                    shutil.copy(library, libraries)

    with board.step("gathering PostgreSQL's dump programs"):
        return cache.obtain("lab-postgresql", version, fill)


def _libraries(program: Path) -> list[Path]:
    """The libraries that a program loads."""
    said = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
    return [Path(found) for found in re.findall(r"=> (/\S+)", said)]
