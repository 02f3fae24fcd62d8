"""Pulumi property values: protobuf Struct, JSON, and the Python values that the models see.

Owns the three spellings of one value and the ways between them:

- *wire*: `google.protobuf.Struct`, in which secrets, assets and references are objects with a signature key;
- *value*: Python scalars, lists and dicts, with `Secret`, `Special` and `UNKNOWN` for what Python has no word for;
- *plain*: a value without its `Secret` wrappers, for code that only computes.

Deliberately knows nothing of resources or schemas. The dangerous edge is `plain`: what it returns may hold secrets in
clear, so it must never be logged or stored; `cover` puts the wrappers back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from google.protobuf import struct_pb2

# A property value in any of the forms above; the engine's type system has no narrower word for it.
Value: TypeAlias = Any

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  # Pulumi's mark of a secret, public
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
REFERENCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"

# One sentinel per type of the value that is not known yet; all of them mean the same here.
_UNKNOWNS: Final = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
_UNKNOWN_ON_WIRE: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Unknown:
    """The type of `UNKNOWN`: a value that only exists after the update."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("an unknown value is neither true nor false: ask is_known first")


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Secret:
    """A value the engine encrypts in its state; `repr` does not show it."""

    value: Value

    def __repr__(self) -> str:
        return "[secret]"


@dataclass(frozen=True, slots=True)
class Special:
    """An asset, archive, resource reference or output value, passed through untouched."""

    signature: str
    fields: dict[str, Value]


def decode(message: struct_pb2.Struct) -> dict[str, Value]:
    """Turn a property bag from the wire into values."""
    return {key: _decode(value) for key, value in message.fields.items()}


def _decode(value: struct_pb2.Value) -> Value:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return UNKNOWN if text in _UNKNOWNS else text
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    if kind == "struct_value":
        return signed(decode(value.struct_value))
    return None


def signed(fields: dict[str, Value]) -> Value:
    """Give an object that carries a signature key its own type."""
    signature = fields.get(SIGNATURE)
    if not isinstance(signature, str):
        return fields
    if signature == SECRET:
        return Secret(fields.get("value"))
    return Special(signature, {key: value for key, value in fields.items() if key != SIGNATURE})


def encode(values: dict[str, Value]) -> struct_pb2.Struct:
    """Turn values into a property bag for the wire."""
    message = struct_pb2.Struct()
    for key, value in values.items():
        _encode(message.fields[key], value)
    return message


def _encode(target: struct_pb2.Value, value: Value) -> None:
    if value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, (int, float)):
        target.number_value = value
    elif isinstance(value, dict):
        fields = target.struct_value.fields
        for key, item in value.items():
            _encode(fields[key], item)
        if not value:
            target.struct_value.SetInParent()
    elif isinstance(value, (list, tuple)):
        target.list_value.SetInParent()
        for item in value:
            _encode(target.list_value.values.add(), item)
    else:
        _encode(target, unsigned(value))


def unsigned(value: Value) -> Value:
    """The JSON form of `UNKNOWN`, a `Secret` or a `Special`."""
    if value is UNKNOWN:
        return _UNKNOWN_ON_WIRE
    if isinstance(value, Secret):
        return {SIGNATURE: SECRET, "value": value.value}
    if isinstance(value, Special):
        return {SIGNATURE: value.signature, **value.fields}
    raise TypeError(f"{type(value).__name__} has no form on the wire")


def rewrite(value: Value, leaf: Callable[[Value], Value]) -> Value:
    """Rebuild a value bottom-up; `leaf` sees everything that is neither a dict nor a list."""
    if isinstance(value, dict):
        return {key: rewrite(item, leaf) for key, item in value.items()}
    if isinstance(value, list):
        return [rewrite(item, leaf) for item in value]
    return leaf(value)


def plain(value: Value) -> Value:
    """Take the secret wrappers off. The result may hold secrets in clear."""
    return rewrite(value, _bare)


def _bare(value: Value) -> Value:
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, Special) and value.signature == OUTPUT:
        return plain(value.fields["value"]) if "value" in value.fields else UNKNOWN
    return value


def masked(value: Value) -> Value:
    """The form for human eyes: every secret reads `[secret]`."""
    return rewrite(
        value,
        lambda leaf: (
            "[secret]"
            if isinstance(leaf, Secret)
            else "[unknown]"
            if leaf is UNKNOWN
            else masked(unsigned(leaf))
            if isinstance(leaf, Special)
            else leaf
        ),
    )


def is_known(value: Value) -> bool:
    """Whether a value holds no unknown, however deep."""
    if isinstance(value, Secret):
        return is_known(value.value)
    if isinstance(value, dict):
        return all(is_known(item) for item in value.values())
    if isinstance(value, list):
        return all(is_known(item) for item in value)
    return value is not UNKNOWN


def cover(computed: Value, given: Value) -> Value:
    """Put the wrappers of `given` back on the equal parts of `computed` (a plain value)."""
    if isinstance(given, (Secret, Special)):
        return given if plain(given) == computed else Secret(computed) if isinstance(given, Secret) else computed
    if isinstance(given, dict) and isinstance(computed, dict):
        return {key: cover(item, given.get(key)) for key, item in computed.items()}
    if isinstance(given, list) and isinstance(computed, list) and len(given) == len(computed):
        return [cover(item, wrapped) for item, wrapped in zip(computed, given, strict=True)]
    return computed


def at(value: Value, path: str) -> Iterator[tuple[str, Value]]:
    """All (concrete path, value) under a plain value that a path like `rules[*].destination.bucket` names."""
    head, _, rest = path.partition(".")
    name, many, _ = head.partition("[*]")
    if not isinstance(value, dict) or value.get(name) is None:
        return
    found = value[name]
    if many:
        items = [(f"{name}[{i}]", item) for i, item in enumerate(found)] if isinstance(found, list) else []
    else:
        items = [(name, found)]
    for where, item in items:
        if rest:
            yield from ((f"{where}.{deeper}", leaf) for deeper, leaf in at(item, rest))
        else:
            yield where, item
