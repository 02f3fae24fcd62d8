"""Which Pulumi provider packages a Python environment holds, read from the `pulumi-plugin.json` that each one ships.

Used by the language host on every command, so: standard library only, and no look at the environment's other packages.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Provider(NamedTuple):
    """A provider package; `version` without its leading v, `server` a download address or empty."""

    name: str
    version: str
    server: str


def installed(environment: Path) -> list[Provider]:
    """The providers in a virtual environment, given its folder, by name."""
    found: list[Provider] = []
    for manifest in environment.glob("lib/python3*/site-packages/*/pulumi-plugin.json"):
        plugin = json.loads(manifest.read_text(encoding="utf-8"))
        if plugin.get("resource") and plugin.get("version"):
            found.append(Provider(plugin["name"], plugin["version"].removeprefix("v"), plugin.get("server", "")))
    return sorted(found)
