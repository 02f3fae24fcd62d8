"""Resources that remember what is read of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from policies.resource import Node, Resource, World


@dataclass
class Watch:
    """What was looked for and read.

    Attributes:
        asked: the types of which resources were asked for.
        fetched: the types of resources that were looked up because another one depends on them.
        seen: what was read, as type and path; elements of lists are not told apart.
    """

    asked: set[str] = field(default_factory=set)
    fetched: set[str] = field(default_factory=set)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def world(self, world: World) -> World:
        """The same stack, watched."""
        watched = _World(tuple(self._resource(resource) for resource in world.resources))
        vars(watched)["watch"] = self
        return watched

    def saw(self, kind: str, path: str) -> None:
        self.seen.add((kind, plain(path)))

    def _resource(self, resource: Resource) -> Resource:
        held = {name: value for name, value in vars(resource).items() if name in Resource.__dataclass_fields__}
        watched = _Resource(**{**held, "dependencies": _Dependencies(self, resource.kind, resource.dependencies)})
        vars(watched)["watch"] = self
        return watched


def plain(path: str) -> str:
    """A path without the marks of lists and of what may be absent, and of several the first."""
    return re.sub(r"\[\d*]|\?| .*", "", path)


def related(path: str, read: str) -> bool:
    """Whether one path is the other or lies below it, whatever the element; `provider.` stands for its settings."""
    one, other = (f"{plain(text).removeprefix('provider.')}." for text in (path, read))
    return one.startswith(other) or other.startswith(one)


class _World(World):
    def of(self, *kinds: str) -> Iterator[Resource]:
        vars(self)["watch"].asked.update(kinds)
        return super().of(*kinds)

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        return _ByUrn(vars(self)["watch"], super().by_urn)


class _ByUrn(dict[str, Resource]):
    def __init__(self, watch: Watch, held: Mapping[str, Resource]) -> None:
        super().__init__(held)
        self._watch = watch

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - as a dict's
        found = super().get(key, default)
        if found is not None:
            self._watch.fetched.add(found.kind)
        return found

    def __getitem__(self, key: str) -> Resource:
        found = super().__getitem__(key)
        self._watch.fetched.add(found.kind)
        return found


class _Resource(Resource):
    @cached_property
    def node(self) -> Node:
        return _Node(vars(self)["watch"], self.kind, "", dict(self.props))


class _Node(Node):
    def __init__(self, watch: Watch, kind: str, path: str, value: Any) -> None:  # noqa: ANN401
        super().__init__(path, value)
        vars(self).update(watch=watch, kind=kind)

    def _step(self, name: str, *, listed: bool, maybe: bool) -> Iterator[Node]:
        watch, kind = vars(self)["watch"], vars(self)["kind"]
        watch.saw(kind, f"{self.path}.{name}" if self.path else name)
        for node in super()._step(name, listed=listed, maybe=maybe):
            yield _Node(watch, kind, node.path, node.value)


class _Dependencies(dict[str, tuple[str, ...]]):
    def __init__(self, watch: Watch, kind: str, held: Mapping[str, tuple[str, ...]]) -> None:
        super().__init__(held)
        self._watch, self._kind = watch, kind

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - as a dict's
        self._watch.saw(self._kind, key)
        return super().get(key, default)
