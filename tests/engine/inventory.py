"""What the engine believes beside what the simulated cloud holds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sandbox.cloud.graves import alive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.harness import Sandbox, Stack


def believed(stack: Stack) -> dict[str, str]:
    """Id by URN of everything that the stack's state says exists in a cloud."""
    return listed(stack.export())


def listed(document: Mapping[str, Any]) -> dict[str, str]:
    """The same of an exported state."""
    return {
        found["urn"]: found["id"]
        for found in document.get("resources", [])
        if found["custom"] and not found["type"].startswith("pulumi:")
    }


def existing(sandbox: Sandbox, stack: str) -> dict[str, dict[str, Any]]:
    """The simulated cloud's record by URN of everything that a stack made and that has not been deleted.

    Raises:
        AssertionError: something exists twice.
    """
    # What is deleted may hold its name for a while.
    records = [record for record in sandbox.existing("*", stack) if alive(record["type"]) == record["type"]]
    twice = [urn for urn, count in Counter(record["urn"] for record in records).items() if count > 1]
    assert twice == []
    return {record["urn"]: record for record in records}


def assert_agreement(stack: Stack) -> None:
    """State and cloud hold the same things, each once."""
    found = {urn: record["id"] for urn, record in existing(stack.sandbox, stack.name).items()}
    known = believed(stack)
    assert known == found, f"differing: {sorted(dict(known.items() ^ found.items()))}"


def protected(stack: Stack) -> dict[str, str]:
    """Id by URN of what the engine would never delete."""
    marked = {found["urn"] for found in stack.export()["resources"] if found.get("protect")}
    return {urn: id_ for urn, id_ in believed(stack).items() if urn in marked}
