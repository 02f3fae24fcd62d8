"""What a resource type accepts and answers, read from the installed SDK's own classes.

Owns the description (`TypeSchema`) and its store (`SchemaBook`): memory, then disk, then the SDK. Importing an SDK costs
seconds, so a derived description is written to a cache keyed by the versions of everything it came from; with a warm
cache no SDK is imported. How a class is read is in `derive.py`; checking inputs is in `check.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

# A shape is a JSON object: {"kind": "string" | "integer" | "number" | "boolean" | "any" | "asset"} with the optional
# limits "enum", "pattern", "min", "max" (length of a string, value of a number, items of a list); {"kind": "list",
# "items": shape}; {"kind": "map", "values": shape}; {"kind": "object", "ref": name}; {"kind": "union", "of": [shape]}.
Shape = dict[str, Any]


class SchemaError(Exception):
    """A type cannot be described: its package has no installed SDK, or the SDK has no such type."""


@dataclass(frozen=True)
class ObjectShape:
    """A nested object: its properties, and which of them must be there."""

    properties: dict[str, Shape]
    required: tuple[str, ...] = ()


@dataclass(frozen=True)
class TypeSchema:
    """One resource type. `computed` are the outputs that the cloud always answers, `optional` those it may leave out."""

    type: str
    inputs: dict[str, Shape]
    required: tuple[str, ...]
    computed: dict[str, Shape]
    optional: tuple[str, ...] = ()
    secret: frozenset[str] = frozenset()
    formats: tuple[str, ...] = ()
    objects: dict[str, ObjectShape] = field(default_factory=dict)

    def as_json(self) -> str:
        """The form the disk cache keeps."""
        return json.dumps({**asdict(self), "secret": sorted(self.secret)}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> TypeSchema:
        """Read what `as_json` wrote."""
        raw = json.loads(text)
        return cls(
            type=raw["type"],
            inputs=raw["inputs"],
            required=tuple(raw["required"]),
            computed=raw["computed"],
            optional=tuple(raw["optional"]),
            secret=frozenset(raw["secret"]),
            formats=tuple(raw["formats"]),
            objects={
                name: ObjectShape(shape["properties"], tuple(shape["required"]))
                for name, shape in raw["objects"].items()
            },
        )


def package_of(token: str) -> str:
    """`aws` of `aws:ec2/vpc:Vpc`."""
    return token.partition(":")[0]


def sdk_version(package: str) -> str:
    """Version of the SDK of a package.

    Raises:
        SchemaError: the SDK is not installed.
    """
    try:
        return metadata.version(f"pulumi-{package}")
    except metadata.PackageNotFoundError:
        raise SchemaError(
            f"the simulated cloud knows the package '{package}' only by its Python SDK, which is not installed: "
            f"add pulumi-{package} to requirements.txt"
        ) from None


def default_cache() -> Path:
    """Where derived schemas are kept between runs, outside the tree so that `make clean` keeps them."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "hashicorp-multicloud" / "cloud-schema"


class SchemaBook:
    """Descriptions of all types, derived on first use and then read from the cache."""

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = cache or default_cache()
        self._known: dict[str, TypeSchema] = {}
        self._lock = threading.Lock()  # importing an SDK twice at once buys nothing

    def get(self, token: str) -> TypeSchema:
        """Describe a type.

        Raises:
            SchemaError: nobody ships such a type.
        """
        found = self._known.get(token)
        if found is None:
            with self._lock:
                found = self._known.get(token) or self._load(token)
                self._known[token] = found
        return found

    def _load(self, token: str) -> TypeSchema:
        path = self._cache / _edition(package_of(token)) / (token.replace(":", ".").replace("/", "-") + ".json")
        try:
            return TypeSchema.from_json(path.read_text())
        except (OSError, ValueError, KeyError):  # absent, or cut short by a full disk: derive it again
            pass
        from sandbox.cloud.derive import derive  # noqa: PLC0415  # loads Pulumi's type system, seldom needed

        schema = derive(token)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as scratch:
            scratch.write(schema.as_json())
        Path(scratch.name).replace(path)  # atomic: another process may read or write the same file
        return schema


_editions: dict[str, str] = {}


def _edition(package: str) -> str:
    """Cache folder of a package: its SDK's version and a fingerprint of everything else the description came from."""
    if package not in _editions:
        digest = hashlib.sha256()
        here = Path(__file__).parent
        for source in sorted([here / "schema.py", here / "derive.py", *here.glob("truth/*.py")]):
            digest.update(source.read_bytes())
        for source in ("botocore", "google-api-python-client"):
            digest.update(metadata.version(source).encode())
        _editions[package] = f"{package}-{sdk_version(package)}-{digest.hexdigest()[:12]}"
    return _editions[package]
