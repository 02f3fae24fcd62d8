"""A resource as rules read it.

Owns reading by path: `Node.at` for one place, `Node.each` for the elements of lists, and `known`, which refuses an
unknown by raising `Undecided`; the runner turns that into what the rule's mode asks for. Nothing here judges.

Paths are property paths in camel case: `a.b`, `a[].b` (each element), `a?.b` (nothing at all where `a` is absent).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from policies.kinds import canonical
from policies.values import ABSENT, UNKNOWN

ROOT_TYPE = "pulumi:pulumi:Stack"
FACTS_OUTPUT = "complianceFacts"

_STEP = re.compile(r"(?P<name>[^.\[\]?]+)(?P<list>\[\])?(?P<maybe>\?)?$")


class Undecided(Exception):  # noqa: N818 - no error: the answer comes with the update
    """A value that a decision needs is not known before the update."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@dataclass(frozen=True)
class Node:
    """A value inside a resource, with its path; `ABSENT` and `UNKNOWN` are values."""

    path: str
    value: Any

    @property
    def absent(self) -> bool:
        return self.value is ABSENT

    @property
    def unknown(self) -> bool:
        return self.value is UNKNOWN

    def known(self) -> Any:  # noqa: ANN401 - any JSON value, or ABSENT
        """The value.

        Raises:
            Undecided: it is not known yet.
        """
        if self.value is UNKNOWN:
            raise Undecided(self.path)
        return self.value

    def at(self, path: str) -> Node:
        """What lies at a path without lists; `ABSENT` if nothing does, `UNKNOWN` below an unknown."""
        return next(self.each(path.replace("?", "")))

    def get(self, path: str) -> Any:  # noqa: ANN401 - any JSON value, or ABSENT
        """The value at a path without lists.

        Raises:
            Undecided: it is not known yet.
        """
        return self.at(path).known()

    def each(self, path: str) -> Iterator[Node]:
        """What lies at a path; each element where it goes through lists, one `UNKNOWN` for an unknown list."""
        step, _, rest = path.partition(".")
        found = _STEP.match(step)
        if found is None:
            raise ValueError(f"{path!r} is no property path")
        for below in self._step(found["name"], listed=bool(found["list"]), maybe=bool(found["maybe"])):
            yield from below.each(rest) if rest else (below,)

    def _step(self, name: str, *, listed: bool, maybe: bool) -> Iterator[Node]:
        path = f"{self.path}.{name}" if self.path else name
        value = self.value if self.value is UNKNOWN else ABSENT
        if isinstance(self.value, dict):
            value = cast("dict[str, Any]", self.value).get(name, ABSENT)
        if value is ABSENT and (maybe or listed):
            return
        if listed and value is not UNKNOWN:
            items = cast("list[Any]", value) if isinstance(value, list) else [value]
            for index, item in enumerate(items):
                yield Node(f"{path}[{index}]", item)
            return
        yield Node(path, value)

    def texts(self) -> Iterator[Node]:
        """Every text below, keys of maps included, and every unknown."""
        if isinstance(self.value, dict):
            for key, item in cast("dict[str, Any]", self.value).items():
                below = f"{self.path}.{key}" if self.path else key
                yield Node(below, key)
                yield from Node(below, item).texts()
        elif isinstance(self.value, list):
            for index, item in enumerate(cast("list[Any]", self.value)):
                yield from Node(f"{self.path}[{index}]", item).texts()
        elif isinstance(self.value, str) or self.value is UNKNOWN:
            yield self


@dataclass(frozen=True)
class Options:
    """Resource options that rules read."""

    protect: bool = False
    ignore_changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Provider:
    """The resource's provider and its settings."""

    type: str
    props: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Resource:
    """A resource: its inputs for a resource rule, its outputs for a stack rule.

    Attributes:
        props: thawed.
        dependencies: URNs by property; known even where the ids are not. Stack rules only.
    """

    urn: str
    type: str
    name: str
    props: Mapping[str, Any]
    options: Options = Options()
    provider: Provider | None = None
    parent: str | None = None
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def kind(self) -> str:
        """The type token without its twins (`kinds`); what checks are found by."""
        return canonical(self.type)

    @cached_property
    def node(self) -> Node:
        """The whole resource, for reading."""
        return Node("", dict(self.props))

    @cached_property
    def ancestry(self) -> tuple[str, ...]:
        """Types above, outermost first, from the URN."""
        chain = self.urn.split("::")[2].split("$") if self.urn.count("::") >= 3 else []
        return tuple(chain[:-1])

    @property
    def stack(self) -> str:
        """The stack's name, from the URN."""
        return self.urn.split("::", 1)[0].rpartition(":")[2]

    def below(self, *tokens: str) -> str | None:
        """The innermost of the given types that the resource lies below; a token may end in `:` for all of a module."""
        for above in reversed(self.ancestry):
            if any(above == token or (token.endswith(":") and above.startswith(token)) for token in tokens):
                return above
        return None

    def at(self, path: str) -> Node:
        return self.node.at(path)

    def get(self, path: str) -> Any:  # noqa: ANN401 - any JSON value, or ABSENT
        return self.node.get(path)

    def each(self, path: str) -> Iterator[Node]:
        return self.node.each(path)


PRODUCT = "hashicorp:products:"
"""All cluster components, for `below`."""


@dataclass(frozen=True)
class World:
    """All resources of a stack, with outputs: what a stack rule sees."""

    resources: tuple[Resource, ...]

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        return {resource.urn: resource for resource in self.resources}

    @cached_property
    def _by_kind(self) -> Mapping[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.resources:
            found.setdefault(resource.kind, []).append(resource)
        return found

    def of(self, *kinds: str) -> Iterator[Resource]:
        """The resources of the given types."""
        for kind in kinds:
            yield from self._by_kind.get(kind, ())

    def specs(self, *tokens: str) -> Iterator[tuple[Resource, Node]]:
        """The components of the given types, each with the spec that it registered."""
        for resource in self.of(*tokens):
            yield resource, resource.at("spec")

    def depending(self, resource: Resource, prop: str, *kinds: str) -> Iterator[Resource]:
        """Resources of the given types whose property comes from the resource."""
        for other in self.of(*kinds):
            if resource.urn in other.dependencies.get(prop, ()):
                yield other

    @cached_property
    def root(self) -> Resource | None:
        """The stack itself, whose properties are the stack's outputs."""
        return next(self.of(ROOT_TYPE), None)

    @cached_property
    def facts(self) -> Node:
        """`complianceFacts` of the stack; `ABSENT` where it exports none."""
        return self.root.at(FACTS_OUTPUT) if self.root else Node(FACTS_OUTPUT, ABSENT)

    def peers(self) -> Iterator[tuple[str, Node]]:
        """Facts of each peer by cloud; `ABSENT` for a peer that has said nothing yet."""
        known = self.facts.at("peers").value
        for cloud, said in (cast("dict[str, Any]", known) if isinstance(known, dict) else {}).items():
            yield cloud, Node(f"{FACTS_OUTPUT}.peers.{cloud}", ABSENT if said is None else said)
