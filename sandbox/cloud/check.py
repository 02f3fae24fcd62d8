"""Checks inputs against a `TypeSchema`: names, types, required properties, enumerations, lengths, patterns.

Pure. Speaks for no cloud in particular; what only one type knows is in `models`. Unknown values pass everywhere: they
are checked when they are known.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sandbox.cloud.schema import Shape, TypeSchema
from sandbox.cloud.wire import ARCHIVE, ASSET, UNKNOWN, Secret, Special, Value

_EXAMPLES: Final = 12  # values of an enumeration that an error names
_PYTHON: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "map": (dict,),
    "object": (dict,),
}


@dataclass(frozen=True)
class Failure:
    """One reason why inputs are refused, at the property it is about."""

    property: str
    reason: str


def check(schema: TypeSchema, inputs: dict[str, Value]) -> list[Failure]:
    """Everything in `inputs` that the type does not accept. A `Secret` in them is checked, but never quoted."""
    return list(_object(schema, "", inputs, schema.inputs, schema.required))


def _object(
    schema: TypeSchema, path: str, value: dict[str, Value], properties: dict[str, Shape], required: Iterable[str]
) -> Iterator[Failure]:
    for name in required:
        if value.get(name) is None:
            yield Failure(_join(path, name), f"missing required property '{name}'")
    for name, item in value.items():
        if name.startswith("__"):  # __defaults and friends are the provider's own notes
            continue
        if name not in properties:
            near = difflib.get_close_matches(name, properties, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            yield Failure(_join(path, name), f"unknown property '{name}'{hint}")
        elif item is not None:
            yield from _value(schema, _join(path, name), item, properties[name])


def _value(schema: TypeSchema, path: str, value: Value, shape: Shape) -> Iterator[Failure]:
    kind = shape["kind"]
    if isinstance(value, Secret):
        if any(_value(schema, path, value.value, shape)):
            yield Failure(path, "the secret value is not of the form that this property takes")
    elif value is UNKNOWN or value is None or kind == "any":
        return
    elif kind == "union":
        yield from _union(schema, path, value, shape["of"])
    elif kind == "asset":
        if not (isinstance(value, Special) and value.signature in (ASSET, ARCHIVE)):
            yield Failure(path, f"expected an asset or archive, got {_kind_of(value)}")
    elif not isinstance(value, _PYTHON[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield Failure(path, f"expected {_article(kind)}, got {_kind_of(value)}")
    elif kind in ("list", "map", "object"):
        yield from _container(schema, path, value, shape)
    else:
        yield from _scalar(path, value, shape)


def _container(schema: TypeSchema, path: str, value: Value, shape: Shape) -> Iterator[Failure]:
    if shape["kind"] == "list":
        yield from _size(path, len(value), shape, "items")
        for index, item in enumerate(value):
            yield from _value(schema, f"{path}[{index}]", item, shape["items"])
    elif shape["kind"] == "map":
        for name, item in value.items():
            yield from _value(schema, f'{path}["{name}"]', item, shape["values"])
    else:
        nested = schema.objects[shape["ref"]]
        yield from _object(schema, path, value, nested.properties, nested.required)


def _union(schema: TypeSchema, path: str, value: Value, shapes: list[Shape]) -> Iterator[Failure]:
    tries = [list(_value(schema, path, value, shape)) for shape in shapes]
    if all(tries):
        yield from min(tries, key=len)


def _scalar(path: str, value: str | float, shape: Shape) -> Iterator[Failure]:
    allowed = shape.get("enum")
    if allowed is not None and value not in allowed:
        yield Failure(path, f"expected one of {_choices(value, allowed)}, got {value!r}")
    elif isinstance(value, str):
        yield from _size(path, len(value), shape, "characters")
        pattern = shape.get("pattern")
        if pattern is not None and not _compiled(pattern).fullmatch(value):
            yield Failure(path, f"{value!r} does not match the pattern {pattern}")
    else:
        yield from _size(path, value, shape, "")


def _size(path: str, size: float, shape: Shape, unit: str) -> Iterator[Failure]:
    low, high = shape.get("min"), shape.get("max")
    what = f"{size} {unit}".rstrip()
    if low is not None and size < low:
        yield Failure(path, f"expected at least {f'{low} {unit}'.rstrip()}, got {what}")
    if high is not None and size > high:
        yield Failure(path, f"expected at most {f'{high} {unit}'.rstrip()}, got {what}")


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


def _choices(value: Value, allowed: list[Value]) -> str:
    if len(allowed) <= _EXAMPLES:
        return ", ".join(map(repr, allowed))
    near = difflib.get_close_matches(str(value), [str(item) for item in allowed], n=3, cutoff=0)
    return f"{', '.join(map(repr, near))} and {len(allowed) - len(near)} more"


def _kind_of(value: Value) -> str:
    for kind, types in (("boolean", bool), ("number", (int, float)), ("string", str), ("list", list), ("object", dict)):
        if isinstance(value, types):
            return _article(kind)
    return "an asset"


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
