"""What the engine makes of the project's files: a stack's own values over the project's defaults, by key without namespace.

Owns that merge, for whoever needs a plan without an engine. Judges nothing: `parse` does. Values of other namespaces
(providers' settings) keep theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def effective(project: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that count for a stack.

    Args:
        project: `Pulumi.yaml`, which holds every default.
        own: the `config` of the stack's file.
    """
    prefix = f"{project['name']}:"
    defaults = {key: entry["default"] for key, entry in project["config"].items()}
    return defaults | {key.removeprefix(prefix): value for key, value in own.items()}


def settings(project: Path, stack: Path) -> dict[str, Any]:
    """The same of files: the folder with `Pulumi.yaml`, and the stack's file, wherever it lies."""
    whole, own = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in (project / "Pulumi.yaml", stack))
    return effective(whole, own["config"])
