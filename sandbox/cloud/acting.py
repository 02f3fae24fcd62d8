"""Types that act: what a program declares of them is made in a product that really runs.

A provider whose configuration names an address is taken at its word: its resources are created, read, changed and
deleted through that product's API, and nothing of them is kept here, since a copy could disagree. The engine remembers
what was declared, the product what there is; refresh compares the two. Without an address the package is a plain record.

Owns the order of one operation (connect, act, read back) and how what is found is held against what is remembered. The
products and their errors are `products.py`'s; what to ask of which is in `models/vault`, `models/consul`, `models/nomad`.

Dangerous edges:
- What a type or an input of a type does not do here is refused as soon as an address is known, at preview too. A
  resource that was only recorded would be believed to exist.
- What was recorded before there was an address is not in the product: a refresh finds it gone, and an up makes it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from sandbox.cloud import answers, wire
from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.errors import PartialFailureError, Refusal
from sandbox.cloud.products import acts, client
from sandbox.cloud.reaching import Reach
from sandbox.cloud.registry import product_of
from sandbox.cloud.schema import Shape, TypeSchema, package_of
from sandbox.cloud.store import Record
from sandbox.cloud.wire import Secret, Value


class Actor(ABC):
    """What one type does. `api` is what the type's `Product.connect` gave; inputs are plain and known.

    Attributes:
        inputs: those that it sees to; any other is refused.
    """

    inputs: ClassVar[frozenset[str]]

    def place(self, inputs: Mapping[str, Value]) -> str | None:
        """What of it only one can have, such as a path, so that a replacement which keeps it has to delete first."""
        return inputs.get("name")

    @abstractmethod
    def create(self, api: Any, draft: Draft) -> str:  # noqa: ANN401
        """Make it; its id."""

    @abstractmethod
    def read(self, api: Any, draft: Draft) -> Mapping[str, Value] | None:  # noqa: ANN401
        """Inputs and outputs as they are, by `draft.id`; None if it is gone. `draft.inputs` are those remembered."""

    @abstractmethod
    def update(self, api: Any, draft: Draft) -> None:  # noqa: ANN401
        """Change it; `draft.old` is what was remembered before."""

    @abstractmethod
    def delete(self, api: Any, draft: Draft) -> None:  # noqa: ANN401
        """Remove it; not finding it is no error to raise."""


def unsupported(draft: Draft) -> Iterator[Failure]:
    """What a program asks for that nobody would do."""
    product = product_of(package_of(draft.type))
    if product is None or not acts(draft.provider, draft.type):
        return
    actor = draft.model.acts
    if actor is None:
        yield Failure(
            "",
            f"{draft.type} is not made on a real {product.title} by the simulated provider, and a record alone would "
            "be taken for the thing: use a supported type, or a provider without an address",
        )
        return
    for name, value in draft.inputs.items():
        if name not in actor.inputs and not name.startswith("__") and value is not None:
            yield Failure(
                name, f"the simulated provider does not see to '{name}' on a real {product.title}: leave it out"
            )


def deletes_first(draft: Draft, before: Mapping[str, Value]) -> bool:
    """Whether old and new would be the same thing to the product, which has no place for both."""
    actor = draft.model.acts
    if actor is None:
        return False
    old, new = (actor.place({name: value for name, value in inputs.items() if wire.is_known(value)})
                for inputs in (before, draft.inputs))  # fmt: skip
    return old is not None and old == new


def create(reach: Reach, schema: TypeSchema, draft: Draft, inputs: dict[str, Value]) -> Record:
    """Make a resource; what it is then.

    Raises:
        Refusal: the product does not do it.
        PartialFailureError: it did, and was not heard of again.
    """
    with _connected(reach, draft, inputs) as (actor, api):
        draft.id = actor.create(api, draft)
        try:
            return _read_back(actor, api, schema, draft, inputs)
        except Exception as error:  # whatever it is, the engine must hear of what exists now
            made = Record(draft.type, draft.id, draft.urn, inputs, answers.observed(schema, inputs, _given(inputs)))
            reason = f"{draft.id} was made, but then could not be read ({type(error).__name__}): see that the provider's token may read it, then run again"
            raise PartialFailureError(made, reason) from error


def update(reach: Reach, schema: TypeSchema, draft: Draft, inputs: dict[str, Value]) -> Record:
    """Change a resource; what it is then.

    Raises:
        Refusal: the product does not do it, or it is gone.
    """
    with _connected(reach, draft, inputs) as (actor, api):
        actor.update(api, draft)
        return _read_back(actor, api, schema, draft, inputs)


def read(reach: Reach, schema: TypeSchema, draft: Draft, remembered: Record) -> Record | None:
    """What there is; None if it is gone. Without remembered inputs (import) all that the type can see is answered.

    Raises:
        Refusal: the product does not tell.
    """
    with _connected(reach, draft, remembered.inputs, remembered.outputs) as (actor, api):
        found = actor.read(api, draft)
    if found is None:
        return None
    if remembered.inputs:
        inputs = {
            name: _seen(value, found[name], schema.inputs.get(name, {"kind": "any"})) if name in found else value
            for name, value in remembered.inputs.items()
        }
    else:
        inputs = {
            name: value for name, value in found.items() if name in actor.inputs and value not in (None, "", [], {})
        }
        inputs |= {name: Secret(wire.plain(value)) for name, value in inputs.items() if name in schema.secret}
    return replace(remembered, inputs=inputs, outputs=answers.observed(schema, remembered.inputs, {**found, **inputs}))


def delete(reach: Reach, draft: Draft, remembered: Record) -> None:
    """Remove a resource.

    Raises:
        Refusal: the product does not do it.
    """
    with _connected(reach, draft, remembered.inputs, remembered.outputs) as (actor, api):
        actor.delete(api, draft)


@contextmanager
def _connected(reach: Reach, draft: Draft, *given: Mapping[str, Value]) -> Iterator[tuple[Actor, Any]]:
    actor = draft.model.acts
    if actor is None:  # `unsupported` has said so at check
        raise Refusal("NotSupported", f"{draft.type} does not act on a real product", 501)
    with client(reach, draft.provider, package_of(draft.type), *_hidden(given)) as api:
        yield actor, api


def _read_back(actor: Actor, api: Any, schema: TypeSchema, draft: Draft, inputs: dict[str, Value]) -> Record:  # noqa: ANN401
    found = actor.read(api, draft)
    if found is None:
        raise Refusal("NotFound", f"{draft.id} is not there: somebody removed it; refresh, then run again", 404)
    return Record(
        draft.type, draft.id, draft.urn, inputs, answers.observed(schema, inputs, {**found, **_given(inputs)})
    )


def _given(inputs: dict[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in inputs.items() if value is not None}


def _seen(remembered: Value, found: Value, shape: Shape) -> Value:
    """What was found, in the place and with the wrappers of what is remembered; equal in meaning, it is that itself."""
    old, now = wire.plain(remembered), wire.plain(found)
    if shape["kind"] == "object" and isinstance(old, dict) and isinstance(now, dict):
        now = {name: _same(value, now.get(name, value)) for name, value in old.items()}
    return wire.cover(_same(old, now), remembered)


def _same(old: Value, found: Value) -> Value:
    """The old value if the new one means the same: lists are sets to these products, and texts may end as they like."""
    if isinstance(old, str) and isinstance(found, str) and old.strip() == found.strip():
        return old
    if isinstance(old, list) and isinstance(found, list) and sorted(map(repr, old)) == sorted(map(repr, found)):
        return old
    return found


def _hidden(given: Iterable[Mapping[str, Value]]) -> Iterator[str]:
    """All texts inside secrets."""
    for values in given:
        yield from answers.secret_texts(dict(values))
