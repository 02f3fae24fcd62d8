"""What a stack still guards against deletion.

Owns the question only. Guards are lifted the way a person lifts them on a real cloud, by an update with the setting
`deletion` open; a region that holds none must not be built up again just to be destroyed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandbox.process import run as run_command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GUARDS = ("enableDeletionProtection", "deletionProtection")
"""How providers spell the guard (AWS balancers, GCP machines)."""


def guarded(stack: str, *, project: Path, environment: Mapping[str, str]) -> bool:
    """Whether the stack holds anything, outside the protected lineage, that its cloud refuses to delete."""
    command = ["pulumi", "stack", "export", "--stack", stack, "--cwd", str(project)]
    exported = json.loads(run_command(command, env=environment, doing=f"reading the state of {stack}"))
    return any(
        any(resource.get("inputs", {}).get(guard) is True for guard in GUARDS)
        for resource in exported["deployment"].get("resources", [])
        if not resource.get("protect")
    )
