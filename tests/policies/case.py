"""Resources that comply with a rule, and what breaks each of them: the data of the rules' tests.

A `Case` is one resource of one type with inputs that the SDK takes; a `StackCase` is a whole stack with outputs. What
the tests do with them is in test_rules.py; the cells of the generated table come from here too.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from policies.context import Context
from policies.exemptions import Exemptions
from policies.resource import Options, Provider, Resource, World
from policies.settings import Settings
from policies.values import ABSENT

PROJECT = "hashicorp-multicloud"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)

Props = Mapping[str, Any]


def urn(type_: str, name: str, above: Sequence[str] = (), stack: str = "aws") -> str:
    """As the engine makes it."""
    return f"urn:pulumi:{stack}::{PROJECT}::{'$'.join((*above, type_))}::{name}"


@dataclass(frozen=True)
class Case:
    """One resource for one rule.

    Attributes:
        good: inputs that comply and that the SDK takes, with everything that the rule reads of this type, except where
            another case of the type has it.
        breaks: values by property path (`a.b[0].c`), each of which alone makes it a violation; `ABSENT` takes it out.
        advises: the same for what is only advised against.
        indifferent: paths as the rule reads them (`a[].b`) where an unknown is no finding, such as references.
        above: types of the components that it lies below, outermost first.
        place: the column of the table of tested cells; the type's package when empty.
    """

    type: str
    good: Props
    breaks: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    advises: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    indifferent: Sequence[str] = ()
    name: str = "example"
    above: Sequence[str] = ()
    options: Options = field(default_factory=Options)
    broken_options: Sequence[Options] = ()
    provider: Provider | None = None
    settings: Settings = field(default_factory=Settings)
    exemptions: Exemptions = field(default_factory=Exemptions)
    at: datetime = NOON
    place: str = ""
    stack: str = "aws"

    def resource(self, props: Props | None = None, options: Options | None = None) -> Resource:
        """The resource, with other inputs or options if given."""
        return Resource(
            urn(self.type, self.name, self.above, self.stack),
            self.type,
            self.name,
            dict(self.good if props is None else props),
            self.options if options is None else options,
            self.provider,
        )

    @property
    def context(self) -> Context:
        return Context(self.settings, self.at, self.exemptions)


@dataclass(frozen=True)
class Held:
    """A resource of a stack, as a stack rule sees it: outputs, and which resources its properties come from.

    Attributes:
        depends: names of other resources of the stack, by property.
    """

    type: str
    name: str
    props: Props = field(default_factory=dict)
    depends: Mapping[str, Sequence[str]] = field(default_factory=dict)
    above: Sequence[str] = ()
    options: Options = field(default_factory=Options)
    parent: str | None = None


Stack = Sequence[Held]
Change = Callable[[Stack], Stack]


@dataclass(frozen=True)
class StackCase:
    """One stack for one rule.

    Attributes:
        good: complies.
        breaks: what makes it a violation, by what it is.
        advises: what is only advised against.
        defers: what cannot be decided before the update.
        places: the columns of the table of tested cells.
    """

    places: Sequence[str]
    good: Stack
    breaks: Mapping[str, Change] = field(default_factory=dict)
    advises: Mapping[str, Change] = field(default_factory=dict)
    defers: Mapping[str, Change] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    exemptions: Exemptions = field(default_factory=Exemptions)
    at: datetime = NOON

    @property
    def context(self) -> Context:
        return Context(self.settings, self.at, self.exemptions)


def world(stack: Stack) -> World:
    """The stack as rules see it."""
    urns = {held.name: urn(held.type, held.name, held.above) for held in stack}
    return World(
        tuple(
            Resource(
                urns[held.name],
                held.type,
                held.name,
                dict(held.props),
                held.options,
                parent=held.parent,
                dependencies={
                    prop: tuple(urns[name] for name in names if name in urns) for prop, names in held.depends.items()
                },
            )
            for held in stack
        )
    )


def without(name: str) -> Change:
    """The stack without a resource."""
    return lambda stack: [held for held in stack if held.name != name]


def changed(name: str, path: str, value: Any) -> Change:  # noqa: ANN401
    """The stack with another value in one of its resources."""
    return lambda stack: [
        replace(held, props=patched(held.props, path, value)) if held.name == name else held for held in stack
    ]


def independent(name: str, prop: str) -> Change:
    """The stack with a property that no longer comes from another resource."""
    return lambda stack: [
        replace(held, depends={key: names for key, names in held.depends.items() if key != prop})
        if held.name == name
        else held
        for held in stack
    ]


def joined(*held: Held) -> Change:
    """The stack with more resources."""
    return lambda stack: [*stack, *held]


def patched(props: Props, path: str, value: Any) -> dict[str, Any]:  # noqa: ANN401
    """A copy with another value at a path (`a.b[0].c`); `ABSENT` takes it out. Maps on the way are made."""
    made = copy.deepcopy(dict(props))
    *way, last = [int(i) if i else name for name, i in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path)]
    place: Any = made
    for step in way:
        if isinstance(place, dict) and step not in place:
            place[step] = {}
        place = place[step]
    if value is not ABSENT:
        if isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value
    elif isinstance(place, list):
        del place[last]
    else:
        place.pop(last, None)
    return made


def paths(props: Props, read: str) -> list[str]:
    """The places in the inputs that a rule's path (`a[].b?.c`) means."""
    resource = Resource("urn:pulumi:s::p::t::n", "t", "n", dict(props))
    return [node.path for node in resource.each(read) if node.value is not ABSENT]
