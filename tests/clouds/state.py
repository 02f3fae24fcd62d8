"""Looking at what an update made or would make: resources of a type by name, names of those that a change touches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.harness import Stack


def resources(stack: Stack, type_: str) -> dict[str, dict[str, Any]]:
    """Those of a type by their names, which are unique within one."""
    return {item["urn"].rpartition("::")[2]: item for item in stack.export()["resources"] if item["type"] == type_}


def touched(urns: set[str], type_: str) -> set[str]:
    """Names of those whose type ends so."""
    return {urn.rpartition("::")[2] for urn in urns if urn.split("::")[2].endswith(type_)}
