"""What the engine believes beside what the simulated cloud holds, and what an operator changes behind both."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sandbox.cloud.index import entry
from sandbox.cloud.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.harness import Sandbox, Stack

_GUARDS = ("enableDeletionProtection", "deletionProtection")


def believed(stack: Stack) -> dict[str, str]:
    """Id by URN of everything that the stack's state says exists in a cloud."""
    return {
        found["urn"]: found["id"]
        for found in stack.export().get("resources", [])
        if found["custom"] and not found["type"].startswith("pulumi:")
    }


def existing(sandbox: Sandbox, stack: str) -> dict[str, dict[str, Any]]:
    """The simulated cloud's record by URN of everything that a stack made.

    Raises:
        AssertionError: something exists twice.
    """
    records = sandbox.existing("*", stack)
    twice = [urn for urn, count in Counter(record["urn"] for record in records).items() if count > 1]
    assert twice == []
    return {record["urn"]: record for record in records}


def assert_agreement(stack: Stack) -> None:
    """State and cloud hold the same things, each once."""
    found = {urn: record["id"] for urn, record in existing(stack.sandbox, stack.name).items()}
    assert believed(stack) == found


def protected(stack: Stack) -> dict[str, str]:
    """Id by URN of what the engine would never delete."""
    marked = {found["urn"] for found in stack.export()["resources"] if found.get("protect")}
    return {urn: id_ for urn, id_ in believed(stack).items() if urn in marked}


def lift_guards(sandbox: Sandbox, stack: str) -> None:
    """Switches off, in the cloud itself, what keeps machines and balancers from being deleted by a slip.

    No update does it: whoever wants to destroy a region says so in the cloud first. Keys and secrets keep theirs.
    """
    store = Store(sandbox.home.cloud, entry)
    for record in sandbox.existing("*", stack):
        kept = store.get((record["type"], record["id"]))
        if kept and "secret" not in kept.type and any(kept[guard] for guard in _GUARDS):
            lifted: Mapping[str, Any] = {guard: False for guard in _GUARDS if guard in kept.plain}
            store.put(replace(kept, inputs={**kept.inputs, **lifted}, outputs={**kept.outputs, **lifted}))
    store.close()
