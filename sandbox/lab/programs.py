"""The programs that a lab's machines install, and those that the lab itself runs.

Owns where each comes from: built from Go modules, or of the operating system. Boundary is in no registry: a stand-in
takes its place that says so and ends, so that its machines boot and nothing waits, unless `BOUNDARY_BINARY` names one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.toolchain import golang, packages
from sandbox.toolchain.table import CONSUL, NOMAD, VAULT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.progress import Board

BOUNDARY_VARIABLE = "BOUNDARY_BINARY"
NOT_SUPPLIED = Path(__file__).parent / "not-supplied.sh"
_BUILT = (CONSUL, NOMAD, VAULT)


def programs(board: Board, environment: Mapping[str, str] = os.environ) -> dict[str, Path]:
    """A file or folder for each artefact that machines install; what is not built yet is built.

    Raises:
        SandboxError: one is missing.
    """
    return {
        **{tool.name: golang.build(tool, board) / tool.name for tool in _BUILT},
        "boundary": boundary(environment),
        "node_exporter": packages.program("prometheus-node-exporter"),
        "postgresql": packages.program("postgresql").parent.parent,
    }


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
