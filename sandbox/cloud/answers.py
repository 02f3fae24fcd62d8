"""What the cloud answers: the outputs of a resource, at preview and for real.

Precedence for a created resource: the model's computations, the inputs, the model's `outputs`, the package's, what was
answered before (on update), and at last a plausible value of the right kind, so that a type without a model is usable.
Secret inputs stay secret in the outputs they turn up in, and outputs the SDK calls secret are wrapped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from sandbox.cloud import wire
from sandbox.cloud.draft import Draft
from sandbox.cloud.registry import Output
from sandbox.cloud.schema import Shape, TypeSchema
from sandbox.cloud.wire import UNKNOWN, Secret, Value

_TELLING: Final = 6  # characters from which on a secret inside a longer text is no coincidence
_DEPTH: Final = 3  # how deep a plausible nested object goes
_EMPTY: Final[dict[str, Value]] = {"integer": 0, "number": 0, "boolean": False, "list": [], "map": {}}


def expected(schema: TypeSchema, draft: Draft, given: dict[str, Value]) -> dict[str, Value]:
    """Outputs at preview: inputs and what is kept from before; the rest is unknown until it exists."""
    outputs = _echoed(schema, given)
    reshaped = [name for name in draft.model.reshaped if outputs.pop(name, None) is not None]
    for name in (*schema.computed, *reshaped):
        if outputs.get(name) is None:
            outputs[name] = draft.old.outputs[name] if draft.old and name in draft.old.outputs else UNKNOWN
    return outputs


def answered(schema: TypeSchema, draft: Draft, given: dict[str, Value], computed: dict[str, Value]) -> dict[str, Value]:
    """Outputs after create or update, wrapped; `given` are the inputs with their wrappers."""
    outputs = {**_echoed(schema, given), **{name: wire.cover(value, given.get(name))
                                           for name, value in computed.items()}}  # fmt: skip
    offers = (draft.model.outputs, draft.provider.package.outputs)
    for name in (*schema.computed, *draft.model.outputs):
        if outputs.get(name) is None and name != "id":
            outputs[name] = _answer(name, schema.computed.get(name, {"kind": "any"}), schema, draft, offers)
    return _guarded(schema, given, outputs)


def observed(schema: TypeSchema, given: dict[str, Value], found: Mapping[str, Value]) -> dict[str, Value]:
    """Outputs of what really exists: as found, wrapped, and nothing made up."""
    there = {name: value for name, value in found.items() if value is not None}
    return _guarded(schema, given, _echoed(schema, there))


def _guarded(schema: TypeSchema, given: dict[str, Value], outputs: dict[str, Value]) -> dict[str, Value]:
    """Outputs with wrappers on what the SDK calls secret, and on whatever repeats a secret that was given."""
    hidden = set(secret_texts(given))
    return {
        name: Secret(value)
        if name in schema.secret and not isinstance(value, Secret) and value is not None
        else wire.rewrite(value, partial(_hide, hidden))
        for name, value in outputs.items()
    }


def secret_texts(value: Value) -> Iterator[str]:
    """The texts inside secrets, so that an output made from one can be told."""
    if isinstance(value, Secret):
        yield from _texts(wire.plain(value.value))
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from secret_texts(item)


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _hide(hidden: set[str], leaf: Value) -> Value:
    """Wrap a text that is a secret, or has one of some length inside: outputs are computed from plain inputs."""
    if not hidden or not isinstance(leaf, str):
        return leaf
    inside = any(len(text) >= _TELLING and text in leaf for text in hidden)
    return Secret(leaf) if inside or leaf in hidden else leaf


def _echoed(schema: TypeSchema, given: dict[str, Value]) -> dict[str, Value]:
    """Inputs that are outputs too. Write-only ones (`passwordWo`) never come back."""
    outputs = schema.computed.keys() | set(schema.optional)
    return {name: value for name, value in given.items() if name in outputs and not name.endswith("Wo")}


def _answer(
    name: str, shape: Shape, schema: TypeSchema, draft: Draft, offers: tuple[Mapping[str, Output], ...]
) -> Value:
    before = draft.old.outputs.get(name) if draft.old else None
    for offer in offers:
        if name not in offer:
            continue
        output = offer[name]
        if isinstance(output, str):
            if before is not None and ("{hex" in output or "{digits" in output):
                return before  # made once
            found = draft.fill(output)
        else:
            found = output(draft) if callable(output) else output
        if found is not None:
            return found
    return _plausible(name, shape, schema, draft, _DEPTH) if before is None else before


def _plausible(name: str, shape: Shape, schema: TypeSchema, draft: Draft, depth: int) -> Value:
    kind = shape["kind"]
    if kind == "string":
        return _sentence(name, shape, draft)
    if kind == "object":
        properties = schema.objects[shape["ref"]].properties if depth else {}
        return {key: _plausible(key, inner, schema, draft, depth - 1) for key, inner in properties.items()}
    if kind == "union":
        return _plausible(name, shape["of"][0], schema, draft, depth)
    value = _EMPTY.get(kind)
    return type(value)() if value is not None else None


def _sentence(name: str, shape: Shape, draft: Draft) -> str:
    if "enum" in shape:
        return shape["enum"][0]
    if name == "arn" or name.endswith("Arn"):
        _, module, noun = draft.type.split(":")
        service = module.partition("/")[0]
        return draft.fill(f"arn:aws:{service}:{{region}}:{{account}}:{noun.lower()}/") + draft.id  # type: ignore[operator]
    return f"{name}-{draft.id.rpartition('/')[2]}"
