"""The registered resources of one region, as an exported state holds them.

Owns finding resources and following references between them. Knows no cloud: what a property means is the readers'.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

_HANDLES = ("selfLink", "arn", "name", "email", "member")
"""Outputs by which clouds let one thing refer to another."""


@dataclass(frozen=True)
class Resource:
    """One resource. Properties are those of the program's inputs, in the engine's spelling."""

    urn: str
    type: str
    id: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    parent: str
    protected: bool
    ignores: frozenset[str]
    replaces_on: frozenset[str]

    @property
    def name(self) -> str:
        """Its name in the program."""
        return self.urn.rpartition("::")[2]

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - any JSON value
        """An input, or what the cloud answered where the program said nothing; None if neither."""
        found = self.inputs.get(name)
        return self.outputs.get(name) if found is None else found


@dataclass(frozen=True)
class State:
    """All resources of one region."""

    document: Mapping[str, Any] = field(repr=False)
    """The exported deployment."""

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        return tuple(_read(raw) for raw in self.document["resources"])

    @cached_property
    def _by_urn(self) -> dict[str, Resource]:
        return {resource.urn: resource for resource in self.resources}

    def of(self, type_: str) -> list[Resource]:
        """All resources of a type, in the order of their names."""
        return sorted((found for found in self.resources if found.type == type_), key=lambda found: found.name)

    def named(self, type_: str, reference: str) -> Resource:
        """The resource of a type that a property refers to, in any of the forms that clouds accept.

        Raises:
            LookupError: there is none.
        """
        for found in self.of(type_):
            if reference in (found.id, *(found.outputs.get(handle) for handle in _HANDLES)):
                return found
        raise LookupError(f"nothing of {type_} is called {reference}")

    def ancestors(self, resource: Resource) -> Iterator[Resource]:
        """The components that a resource lies in, the innermost first."""
        while resource.parent:
            resource = self._by_urn[resource.parent]
            yield resource

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The stack's outputs; secrets as the engine's sealed objects."""
        return self.of("pulumi:pulumi:Stack")[0].outputs


def _read(raw: Mapping[str, Any]) -> Resource:
    return Resource(
        urn=raw["urn"],
        type=raw["type"],
        id=raw.get("id", ""),
        inputs=raw.get("inputs", {}),
        outputs=raw.get("outputs", {}),
        parent=raw.get("parent", ""),
        protected=raw.get("protect", False),
        ignores=frozenset(raw.get("ignoreChanges", ())),
        replaces_on=frozenset(raw.get("replaceOnChanges", ())),
    )
