"""No secret leaves the places that are made for secrets: searched for by value, in everything that an update writes."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from components.plan import secrets
from components.plan.spec import CLOUDS, PRIMARY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from components.plan.spec import Cloud
    from tests.deployed import Deployed

pytestmark = pytest.mark.engine

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Marks a wrapped value in a state; `plaintext` beside it when secrets are shown."""
STORED = {
    "aws:secretsmanager/secretVersion:SecretVersion": ("secretString",),
    "azure-native:keyvault:Secret": ("properties", "value"),
    "gcp:secretmanager/secretVersion:SecretVersion": ("secretData",),
}
"""Where the value of an entry of the secret store is."""
KEY_TYPE = "tls:index/privateKey:PrivateKey"
PUBLIC = re.compile("BEGIN (CERTIFICATE|PUBLIC KEY|CERTIFICATE REQUEST)")
PACKED = re.compile(rb"[A-Za-z0-9+/]{64,}={0,2}")
LINE = 40
"""A shorter line of a key may be its end; whole ones have 64 characters and stand in no two keys."""


def _opened(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return json.loads(value["plaintext"]) if isinstance(value, dict) and SIGNATURE in value else value


def _sealed(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    """Every text inside of a secret, however deep."""
    if isinstance(value, dict) and SIGNATURE in value:
        yield from _texts(_opened(value))
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _sealed(inner)


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


@dataclass(frozen=True)
class Secret:
    """A value to search for: `label` tells which, `pieces` are what must not be found."""

    label: str
    pieces: tuple[str, ...]

    @classmethod
    def of(cls, value: str, public: str = "") -> Secret:
        """Of a key each whole line, so that no way of writing line ends hides it, but for lines of its public half."""
        pieces = (value,)
        if "PRIVATE KEY" in value:
            pieces = tuple(line for line in value.splitlines() if len(line) >= LINE and "PRIVATE KEY" not in line)
        return cls(f"{value[:4]}… of {len(value)} characters", tuple(piece for piece in pieces if piece not in public))


def _spellings(piece: str) -> Iterator[bytes]:
    """The piece, and what it becomes inside of longer text in base64: one form for each place it can start at."""
    raw = piece.encode()
    yield raw
    for before in range(3):
        packed = base64.b64encode(b"\0" * before + raw)
        # The characters at both ends also hold bits of what stands beside.
        yield packed[-(-before * 8 // 6) : len(packed) - (4 if (before + len(raw)) % 3 else 0)]


def _views(raw: bytes) -> Iterator[bytes]:
    """The bytes themselves, and whatever is compressed in base64 among them: user data is."""
    yield raw
    for found in PACKED.finditer(raw):
        blob = found.group()
        if blob.startswith(b"H4sI"):
            # What is shown to people may be cut off: as much as there is.
            whole = blob[: len(blob) // 4 * 4]
            yield zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(base64.b64decode(whole))


def _found(searched: Iterable[Secret], raw: bytes) -> list[str]:
    """Labels of the secrets that stand in the bytes."""
    views = list(_views(raw))
    return [
        secret.label
        for secret in searched
        if any(spelling in view for piece in secret.pieces for spelling in _spellings(piece) for view in views)
    ]


def _entries(document: dict[str, Any]) -> dict[str, str]:
    """Value by name of each entry of the region's secret store."""
    values: dict[str, str] = {}
    for found in document["resources"]:
        value: Any = found.get("inputs") or {}
        for step in STORED.get(found["type"], ()):
            value = _opened(value)[step]
        if found["type"] in STORED:
            # The store of what is read at boot, or the one of what is recorded later.
            values[re.split("::(?:secrets|record)-", found["urn"])[-1]] = _opened(value)
    return values


@pytest.fixture(scope="module")
def opened(deployed: Deployed) -> dict[Cloud, dict[str, Any]]:
    """Each region's state with its secrets in clear; never printed."""
    return {cloud: deployed.stack(cloud).export(secrets=True) for cloud in CLOUDS}


@pytest.fixture(scope="module")
def values(opened: dict[Cloud, dict[str, Any]]) -> tuple[Secret, ...]:
    """Every secret value of the platform."""
    stored = {value for document in opened.values() for value in _entries(document).values()}
    made = {text for document in opened.values() for text in _sealed(document) if "PRIVATE KEY" in text}
    keys = [
        found["outputs"] for document in opened.values() for found in document["resources"] if found["type"] == KEY_TYPE
    ]
    public = "".join(key[half] for key in keys for half in ("publicKeyPem", "publicKeyOpenssh"))
    return tuple(Secret.of(value, public) for value in sorted(stored | made) if not PUBLIC.search(value))


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_entry_has_a_value_and_shared_ones_are_the_primarys(
    cloud: Cloud, opened: dict[Cloud, dict[str, Any]]
) -> None:
    own, primary = _entries(opened[cloud]), _entries(opened[PRIMARY])
    assert own.keys() - {""} >= secrets.ENTRIES.keys()
    for entry, spec in secrets.ENTRIES.items():
        assert own[entry]
        if cloud != PRIMARY:
            assert (own[entry] == primary[entry]) is spec.shared, entry


def test_no_secret_value_stands_in_what_an_update_prints(deployed: Deployed, values: tuple[Secret, ...]) -> None:
    for cloud in CLOUDS:
        assert _found(values, deployed.said(cloud).encode()) == [], cloud


def test_no_secret_value_stands_in_any_file_that_an_update_leaves(
    deployed: Deployed, values: tuple[Secret, ...]
) -> None:
    """State, the engine's logs, the simulated cloud's data and log."""
    files = [file for file in deployed.platform.rglob("*") if file.is_file()]
    assert {"cloud.db", "cloud.log", *(f"{cloud}.json" for cloud in CLOUDS)} <= {file.name for file in files}
    for file in files:
        assert _found(values, file.read_bytes()) == [], file


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_secret_value_stands_in_a_state_or_its_plain_outputs(
    cloud: Cloud, deployed: Deployed, values: tuple[Secret, ...]
) -> None:
    """User data among the rest: it is looked at unpacked."""
    assert _found(values, json.dumps(deployed.state(cloud)).encode()) == []
    assert _found(values, json.dumps(deployed.stack(cloud).outputs()["manifest"]).encode()) == []


KEY = "-----BEGIN EC PRIVATE KEY-----\n" + "MIGkAgEBBDCwYmFzZTY0IGlzIG5vIGtleSBhdCBhbGwsIGl0IGlzIG9ubHkgdGVz" + "\n"
TOKEN = "5f2b6c1e-0b52-4f5e-9a44-3c1f0c7d9e21"


@pytest.mark.parametrize("secret", [KEY, TOKEN], ids=["key", "token"])
@pytest.mark.parametrize("before", range(4))
def test_the_search_finds_a_value_however_it_is_wrapped(secret: str, before: int) -> None:
    text = "x" * before + secret + "y" * 80
    packed = base64.b64encode(gzip.compress(text.encode()))
    for wrapped in (text.encode(), json.dumps(text).encode(), base64.b64encode(text.encode()), b'"' + packed + b'"'):
        assert _found([Secret.of(secret)], b"before " + wrapped + b" after"), wrapped[:40]
    assert not _found([Secret.of(secret)], b"before " + base64.b64encode(b"z" * 99) + b" after")
