"""Properties that must not be there, such as stored credentials, and lists that must hold something.

Owns one reading of presence: a value that is not known yet is there all the same, so it is refused and never deferred.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.conditions import UNSET, Condition
from policies.context import Context
from policies.resource import Node, Resource
from policies.rule import Check, Finding, Unknown, demand


def present(node: Node) -> bool:
    """Whether something is set, known or not."""
    return node.unknown or not UNSET.holds(node.value)


def absent(types: tuple[str, ...], *paths: str) -> Check:
    """A check that nothing is set at the paths."""

    def judge(resource: Resource, _: Context) -> Iterator[Finding]:
        for path in paths:
            for node in resource.each(path):
                if present(node):
                    yield Finding(node.path, UNSET.says)

    return Check(types, judge, paths, unknown="fail")


def filled(types: tuple[str, ...], path: str, condition: Condition, unknown: Unknown = "defer") -> Check:
    """A check that a list holds something, and nothing that does not meet a condition."""

    def judge(resource: Resource, _: Context) -> Iterator[Finding]:
        if not present(resource.at(path)):
            yield Finding(path, "must be set")
        for node in resource.each(f"{path}[]"):
            yield from demand(node, condition)

    return Check(types, judge, (f"{path}[]",), unknown)
