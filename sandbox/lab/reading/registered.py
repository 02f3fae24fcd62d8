"""Resources as the simulated cloud holds them, found by type."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Resource = Mapping[str, Any]
"""`type`, `id`, `inputs` and `outputs`, as in an exported deployment; secrets in clear."""
Row = dict[str, Any]


class NotReadError(Exception):
    """A resource means something that the lab cannot build; the message says what and of which resource."""


class Registered:
    """All resources of some stacks."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self._by_type: defaultdict[str, list[Row]] = defaultdict(list)
        for each in resources:
            row = {**each.get("inputs", {}), **each.get("outputs", {}), "id": each.get("id", "")}
            self._by_type[each["type"]].append(row)

    def of(self, kind: str) -> Iterator[Row]:
        """Properties of all resources of a type, with `id`."""
        yield from self._by_type.get(kind, ())

    def by(self, kind: str, key: str) -> dict[str, Row]:
        """Resources of a type by one of their properties."""
        return {row[key]: row for row in self.of(kind)}
