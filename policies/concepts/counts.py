"""How many items a list has.

An item that is not known may still turn out to be none, so it is reported as unknown and not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Unknown


def counted(
    types: tuple[str, ...],
    paths: tuple[str, ...],
    holds: Callable[[int], bool],
    says: str,
    when: Callable[[Resource], bool] | None = None,
    unknown: Unknown = "defer",
) -> Check:
    """A check of how many items each of some lists has; an absent list has none.

    Args:
        paths: of the lists, without the `[]` at the end.
        when: whether the demand applies to a resource; to all of the types when left out.
    """

    def judge(resource: Resource, _: Context) -> Iterator[Finding]:
        for path in paths if when is None or when(resource) else ():
            if not holds(len([node.known() for node in resource.each(f"{path}[]")])):
                yield Finding(path, says)

    return Check(types, judge, tuple(f"{path}[]" for path in paths), unknown)


def filled(
    types: tuple[str, ...],
    *paths: str,
    when: Callable[[Resource], bool] | None = None,
    unknown: Unknown = "defer",
) -> Check:
    """A check that lists hold something."""
    return counted(types, paths, lambda number: number > 0, "must be set", when, unknown)
