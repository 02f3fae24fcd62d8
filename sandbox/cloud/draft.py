"""What a model sees: a resource as a request describes it, and the cloud around it.

`Draft` is handed to every hook. Its inputs are plain, so they may hold secrets in clear: a hook must never put an input
that may be secret into a message.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.cloud import wire
from sandbox.cloud.check import Failure
from sandbox.cloud.errors import Refusal
from sandbox.cloud.store import Record, Store, stack_of
from sandbox.cloud.wire import UNKNOWN, Value

if TYPE_CHECKING:
    from sandbox.cloud.packages import Package
    from sandbox.cloud.reaching import Reach
    from sandbox.cloud.registry import Model


@dataclass(frozen=True)
class Provider:
    """A configured provider: its package, whose rules it follows, and its plain configuration."""

    package: Package
    config: Mapping[str, Value] = field(default_factory=dict)

    def scope(self, word: str) -> str:
        """`region`, `account`, `project`, `subscription`, … of this provider; empty if it has none."""
        return self.package.scope(word, self.config)


@dataclass
class Draft:
    """A resource that is about to be checked, created, changed or deleted.

    Attributes:
        model: its model.
        provider: the provider it goes through.
        store: everything that exists.
        urn: its place in the program.
        inputs: plain inputs; at check they may hold `UNKNOWN`.
        old: the record before this operation, None when it is new.
        id: its id; empty until it is known.
    """

    model: Model
    provider: Provider
    store: Store
    urn: str
    inputs: dict[str, Value]
    old: Record | None = None
    id: str = ""

    @property
    def type(self) -> str:
        return self.model.type

    @property
    def stack(self) -> str:
        return stack_of(self.urn)

    @property
    def logical(self) -> str:
        """Name in the program."""
        return self.urn.rpartition("::")[2]

    @property
    def name(self) -> str:
        """Name in the cloud, or the logical name if the type has none."""
        given = self.inputs.get(self.model.name.property if self.model.name else "name")
        return given if isinstance(given, str) else self.logical

    def get(self, path: str, default: Value = None) -> Value:
        """The input at a path such as `sku.name`; `UNKNOWN` if it or what holds it is not known."""
        value: Value = self.inputs
        for part in path.split("."):
            if value is UNKNOWN:
                return UNKNOWN
            value = value.get(part) if isinstance(value, dict) else None
        return default if value is None else value

    def known(self, path: str) -> Value:
        """The input at a path, or None while it is not known."""
        value = self.get(path)
        return value if wire.is_known(value) else None

    def each(self, path: str) -> Iterator[tuple[str, Value]]:
        """(concrete path, value) for a path through lists, such as `rules[*].port`."""
        return wire.at(self.inputs, path)

    def scope(self, word: str) -> str:
        """Region, account, project, …: the resource's own input of that name, else its provider's."""
        own = self.inputs.get(word)
        return own if isinstance(own, str) else self.provider.scope(word)

    def kept(self, name: str) -> Value:
        """The output before this operation, None when it is new: for values that are made once."""
        return wire.plain(self.old.outputs.get(name)) if self.old else None

    def changed(self, *names: str) -> bool:
        """Whether any of these inputs differs from before; true when it is new."""
        if self.old is None:
            return True
        before = wire.plain(self.old.inputs)
        return any(before.get(name) != self.inputs.get(name) for name in names)

    def find(self, type_: str, value: Value, **same: Value) -> Record | None:
        """What `value` names as a resource of `type_`, where the given properties are equal."""
        if not isinstance(value, str):
            return None
        for record in self.store.find(type_, self.provider.package.fold(value)):
            if all(record[name] == wanted for name, wanted in same.items()):
                return record
        return None

    def others(self, type_: str, **same: Value) -> Iterator[Record]:
        """Existing resources of a type, this one aside, whose properties equal the given ones."""
        own = (self.type, self.id)
        return (record for record in self.store.matching(type_, same) if record.key != own)

    def fill(self, template: str) -> str | None:
        """Fill a template; None if it names something that this resource does not have."""
        try:
            return _TEMPLATES.vformat(template, (), _Words(self))
        except KeyError:
            return None

    def fail(self, path: str, reason: str) -> Failure:
        """A failure for a check to yield."""
        return Failure(path, reason)

    def refuse(self, code: str, message: str, status: int = 400) -> Refusal:
        """A refusal for a hook to raise."""
        return Refusal(code, message, status)


@dataclass(frozen=True)
class Call:
    """A function invoked by a program: plain arguments, the provider it goes through, and everything that exists.

    `reach` is the way to real products, for functions of providers that act.
    """

    token: str
    arguments: dict[str, Value]
    provider: Provider
    store: Store
    reach: Reach

    def scope(self, word: str) -> str:
        """Region, account, …: the argument of that name, else the provider's."""
        own = self.arguments.get(word)
        return own if isinstance(own, str) else self.provider.scope(word)


class _Words(Mapping[str, Any]):
    """The words of a template: id, name, logical, stack, hexN, scope words, and inputs."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    def __getitem__(self, word: str) -> Value:
        draft = self._draft
        if word in ("id", "name", "logical", "stack"):
            return getattr(draft, word)
        if word.startswith("hex") and word[3:].isdigit():
            return secrets.token_hex(int(word[3:]) // 2 + 1)[: int(word[3:])]
        if word.startswith("digits") and word[6:].isdigit():
            return "".join(secrets.choice(string.digits[1:]) for _ in range(int(word[6:])))
        own = draft.inputs.get(word)
        if isinstance(own, (str, int)):
            return own
        scope = draft.provider.scope(word)
        if not scope:
            raise KeyError(word)
        return scope

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


_TEMPLATES = string.Formatter()
