"""Reads a resource class of an installed SDK into a `TypeSchema`, and lays the offline truth over it.

The SDK gives names, types, which arguments are required, Azure's enumerations, which outputs are secret, and (GCP) the
format of ids, which its documentation of `pulumi import` states. Where the SDK only says "string", `truth` narrows.
Runs seldom: `SchemaBook` keeps what comes out. Needs no network and makes no object of the SDK.
"""

from __future__ import annotations

import difflib
import enum
import importlib
import inspect
import re
import sys
import typing
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pulumi
from pulumi import _types  # pyright: ignore[reportPrivateUsage]  # how an SDK class maps names, said nowhere else
from pulumi.runtime import rpc

from sandbox.cloud.schema import ObjectShape, SchemaError, Shape, TypeSchema, package_of, sdk_version
from sandbox.cloud.truth import narrow

_SCALARS: Final[dict[object, str]] = {str: "string", bool: "boolean", int: "integer", float: "number"}
# The SDK's enumerations of these packages list what the cloud accepts; AWS's are hand-picked and lag behind botocore.
_EXACT_ENUMS: Final = frozenset({"azure-native"})


def derive(token: str) -> TypeSchema:
    """Describe a type from its SDK class and the offline truth.

    Raises:
        SchemaError: the package has no SDK here, or the SDK no such type.
    """
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # whole modules warn of single classes that nobody asked for
        return _derive(token)


def _derive(token: str) -> TypeSchema:
    package = package_of(token)
    sdk_version(package)
    importlib.import_module("pulumi_" + package.replace("-", "_"))
    resource = _resource_class(token)
    module = sys.modules[resource.__module__]
    source = Path(inspect.getfile(resource)).read_text()
    reader = _Reader(exact_enums=package in _EXACT_ENUMS)
    arguments = _arguments_class(module)
    inputs = reader.read_object(arguments) if arguments else ObjectShape({})
    computed, optional = _outputs(resource, reader)
    schema = TypeSchema(
        type=token,
        inputs=inputs.properties,
        required=inputs.required,
        computed=computed,
        optional=tuple(sorted(optional)),
        secret=frozenset(
            name
            for listed in re.findall(r"additional_secret_outputs=\[([^\]]*)\]", source)
            for name in re.findall(r'"([^"]+)"', listed)
        ),
        formats=_id_formats(source),
        objects=reader.objects,
    )
    narrow(schema)
    return schema


def _id_formats(source: str) -> tuple[str, ...]:
    """The forms of id in the documentation of `pulumi import`, the longest (canonical) first."""
    _, _, section = source.partition("## Import")
    forms = re.findall(r"^\s+\* `([^`\s]*\{\{[^`\s]*)`$", section.partition(":param")[0], re.MULTILINE)
    return tuple(dict.fromkeys(forms))


def _modules(package: str) -> dict[str, tuple[str, str]]:
    """{token: (module, class)} of everything an SDK registered when it was imported."""
    return {
        token: (module.mod_info["fqn"], name)
        for key, modules in _register().items()
        if package_of(key) == package
        for module in modules
        for token, name in module.mod_info["classes"].items()
    }


def _register() -> dict[str, list[Any]]:
    """The SDKs' own register of their types, the only place that maps tokens to classes."""
    return vars(rpc)["_RESOURCE_MODULES"]


def _resource_class(token: str) -> type[pulumi.CustomResource]:
    known = _modules(package_of(token))
    if token not in known:
        near = difflib.get_close_matches(token, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise SchemaError(f"unrecognized resource type (Check): {token}{hint}")
    module, name = known[token]
    return getattr(importlib.import_module(module), name)


def _arguments_class(module: ModuleType) -> type | None:
    names = [name for name in getattr(module, "__all__", ()) if name.endswith("Args")]
    return getattr(module, names[0]) if names else None


def _outputs(resource: type, reader: _Reader) -> tuple[dict[str, Shape], set[str]]:
    types = _types.resource_types(resource)
    computed: dict[str, Shape] = {}
    optional: set[str] = set()
    for attribute in vars(resource).values():
        if not isinstance(attribute, property):
            continue
        name = getattr(attribute.fget, "_pulumi_name", None) or getattr(attribute.fget, "__name__", "")
        if name not in types:
            continue
        if "Optional[" in str(getattr(attribute.fget, "__annotations__", {}).get("return", ""))[:40]:
            optional.add(name)
        else:
            computed[name] = reader.read(types[name])
    return computed, optional


class _Reader:
    """Turns type hints into shapes, collecting the nested object types it meets."""

    def __init__(self, *, exact_enums: bool) -> None:
        self.objects: dict[str, ObjectShape] = {}
        self._exact_enums = exact_enums

    def read_object(self, cls: type) -> ObjectShape:
        """Properties of an Args class or an output class by their names on the wire."""
        if _types.is_output_type(cls):
            types = _types.output_type_types(cls)
            return ObjectShape({name: self.read(hint) for name, hint in types.items()})
        types = _types.input_type_types(cls)
        names = _types.input_type_py_to_pulumi_names(cls)
        required = tuple(
            names.get(parameter.name, parameter.name)
            for parameter in list(inspect.signature(cls.__init__).parameters.values())[1:]
            if parameter.default is inspect.Parameter.empty
        )
        return ObjectShape({name: self.read(hint) for name, hint in types.items()}, required)

    def read(self, hint: Any) -> Shape:  # noqa: ANN401  # type hints have no common type
        """The shape of one type hint."""
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Union:
            return self._union([item for item in arguments if not _is_plumbing(item)])
        if origin in (list, Sequence):
            return {"kind": "list", "items": self.read(arguments[0])}
        if origin in (dict, Mapping):
            return {"kind": "map", "values": self.read(arguments[1])}
        return self._class(hint) if isinstance(hint, type) else {"kind": "any"}

    def _class(self, cls: type) -> Shape:
        if cls in _SCALARS:
            return {"kind": _SCALARS[cls]}
        if issubclass(cls, enum.Enum):
            return self._enum(cls)
        if issubclass(cls, (pulumi.Asset, pulumi.Archive)):
            return {"kind": "asset"}
        if _types.is_input_type(cls) or _types.is_output_type(cls):
            return self._reference(cls)
        return {"kind": "any"}

    def _union(self, members: list[Any]) -> Shape:
        shapes: list[Shape] = []
        for member in members:
            shape = self.read(member)
            if shape not in shapes:
                shapes.append(shape)
        if not shapes:
            return {"kind": "any"}
        closed = [shape for shape in shapes if "enum" in shape]
        if closed:  # Union[str, Enum]: the open half is only there for the type checker
            shapes = [shape for shape in shapes if "enum" in shape or shape["kind"] != closed[0]["kind"]]
        return shapes[0] if len(shapes) == 1 else {"kind": "union", "of": shapes}

    def _enum(self, cls: type[enum.Enum]) -> Shape:
        values = [member.value for member in cls]
        shape: Shape = {"kind": _SCALARS.get(type(values[0]), "any")} if values else {"kind": "any"}
        return {**shape, "enum": values} if self._exact_enums else shape

    def _reference(self, cls: type) -> Shape:
        name = f"{cls.__module__.removeprefix('pulumi_')}.{cls.__name__}"
        if name not in self.objects:
            self.objects[name] = ObjectShape({})  # holds the place: types may contain themselves
            self.objects[name] = self.read_object(cls)
        return {"kind": "object", "ref": name}


def _is_plumbing(member: Any) -> bool:  # noqa: ANN401
    """Whether a union member is there for Pulumi's own sake: None, Awaitable, Output, or the TypedDict twin."""
    if member is type(None) or typing.is_typeddict(member):
        return True
    name = getattr(typing.get_origin(member) or member, "__name__", "")
    return name in ("Awaitable", "Output")
