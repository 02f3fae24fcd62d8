"""Lays published limits over the shapes of a schema.

A *fact* is one node of a vendor's description: it has limits (enumeration, pattern, length, range) and members. A
`Source` says which fact describes a resource type, and which property corresponds to which member where the names
differ. Properties and members of equal name, letter case apart, are paired by themselves, however deep.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol

from sandbox.cloud.schema import Shape, TypeSchema, package_of

SKIP = ""  # as a new name: the member of that name means something else, leave the property alone


class Fact(Protocol):
    """One node of a vendor's description."""

    def limits(self) -> Shape:
        """What the vendor says of a scalar here: any of enum, pattern, min, max."""
        ...

    def member(self, name: str) -> Fact | None:
        """The member of this name, letter case apart; lists and maps are looked through."""
        ...


@dataclass(frozen=True)
class Source:
    """Where the truth about one type is.

    Attributes:
        place: service and operation (AWS) or document and schema (GCP).
        names: property path to member path where they differ; `SKIP` to leave a property alone. Property paths name
            nested objects without indexes: `healthCheck.protocol`.
    """

    place: tuple[str, str]
    names: dict[str, str] = field(default_factory=dict)


def narrow(schema: TypeSchema) -> None:
    """Add to `schema`, in place, what its cloud publishes about the type; nothing if there is no source for it."""
    from sandbox.cloud.truth import aws, azure, gcp  # noqa: PLC0415  # reads tables of megabytes, seldom needed

    package = package_of(schema.type)
    if package == "azure-native":
        azure.narrow(schema)
        return
    module = {"aws": aws, "gcp": gcp}.get(package)
    source = module.SOURCES.get(schema.type) if module else None
    if module is not None and source is not None:
        _Overlay(schema, source.names, module.fact(source)).lay()


def tighten(shape: Shape, limits: Shape) -> None:
    """Add limits to a scalar shape where both speak of the same kind of value."""
    if shape["kind"] == "string":
        wanted = ("enum", "pattern", "min", "max")
    elif shape["kind"] in ("integer", "number") and "pattern" not in limits:
        wanted = ("min", "max")
    else:
        return
    for key in wanted:
        if key not in limits or key in shape:
            continue
        if key == "pattern" and not _compiles(limits[key]):  # written for another dialect of regular expressions
            continue
        shape[key] = limits[key]


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


@dataclass
class _Overlay:
    schema: TypeSchema
    names: dict[str, str]
    root: Fact
    seen: set[str] = field(default_factory=set)

    def lay(self) -> None:
        base = self._walk(self.root, self.names.get(".", "").split(".")) if "." in self.names else self.root
        if base is not None:
            self._object("", self.schema.inputs, base)

    def _object(self, path: str, properties: dict[str, Shape], fact: Fact) -> None:
        for name, shape in properties.items():
            where = f"{path}.{name}" if path else name
            if where in self.names:
                target = self.names[where]
                found = None if target == SKIP else self._walk(self.root, target.split("."))
            else:
                found = fact.member(name)
            if found is not None:
                self._value(where, shape, found)
            elif any(renamed.startswith(f"{where}.") for renamed in self.names):
                self._value(where, shape, _Nothing())

    def _value(self, where: str, shape: Shape, fact: Fact) -> None:
        kind = shape["kind"]
        if kind == "list":
            self._value(where, shape["items"], fact)
        elif kind == "union":
            for member in shape["of"]:
                self._value(where, member, fact)
        elif kind == "object":
            if where not in self.seen and where.count(".") < 6:
                self.seen.add(where)
                self._object(where, self.schema.objects[shape["ref"]].properties, fact)
        else:
            tighten(shape, fact.limits())

    @staticmethod
    def _walk(fact: Fact, names: list[str]) -> Fact | None:
        found: Fact | None = fact
        for name in names:
            found = found.member(name) if found is not None else None
        return found


class _Nothing:
    """The fact about an object that only exists on Pulumi's side; its properties are named one by one."""

    def limits(self) -> Shape:
        return {}

    def member(self, name: str) -> Fact | None:
        return None
