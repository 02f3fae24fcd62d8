"""Secrets in text: which kind one seems to hold, however the text is wrapped.

Owns the patterns beyond those by which the program refuses its own configuration (`components.plan.values.secret_like`),
and the way to a text inside base64 and gzip. A kind is a few harmless words; what was found never leaves this module.

Dangerous edges:
- Templates and scripts name secrets without holding them: what a shell, Kubernetes, Nomad or Vault fills in is taken out
  before anything is compared.
- Packed text is hostile until it is read: how deep and how large it may get is bounded.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from components.plan.values import secret_like
from policies.resource import Node
from policies.values import UNKNOWN

_DEEPEST = 5
"""Wrappings that are opened: user data is base64 of gzip of files, which may be wrapped again."""
_LARGEST = 4 * 2**20
"""Bytes that one wrapping may unpack to; no cloud takes user data of more than a fraction of that."""

_PLACEHOLDER = re.compile(r"\{\{.*?\}\}|\$\{[^}]*\}|\$\([^)]*\)|\$\w+|<[\w. -]+>|%\([a-z_]+\)s", re.DOTALL)
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_GAP = r"""["'\\\s:=>]{1,8}"""
_WORD = r"""['"]?[^\s;,'"\\/$<{%*&|][^\s;'"]{3,}"""
_IS = r"(?:=|\s=\s)"
_TARGET = r"\b(?:host|hostaddr|user|username|dbname|server|user id|uid|data source|database|sslmode)(?:=|\s=\s)[^\s;]+"
_BASE64_KEY = r"(?:[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{22}==)"

_SECRETS: Mapping[str, str] = {
    "a Vault token": r"(?<![\w./-])[sb]\.[A-Za-z0-9]{24}(?![\w./-])",
    "a Consul or Nomad token": rf"(?i:(?:token|secret)[\w\"'\s:=>{{\[\\-]{{0,40}}?\b{_UUID}\b)",
    "an AWS secret key": rf"(?i:aws_?secret\w*){_GAP}[A-Za-z0-9/+]{{40}}(?![A-Za-z0-9/+])",
    "a private key": r"""private_key\\?["']\s*:\s*\\?["'][^"'\\/\s]""",
    "a gossip key": rf"(?i:encrypt|gossip)[\w -]{{0,20}}{_GAP}{_BASE64_KEY}",
    "an unseal or recovery key": (
        r"(?i:(?:unseal|recovery)[ _-]?(?:keys?|shares?)[\w -]{0,16})[\"'\\\s:=\[]{1,8}[A-Za-z0-9+/]{32,}"
    ),
    "a password in a connection string": (
        rf"(?i:{_TARGET}[;\s](?:[^\n]*[\s;])?(?:password|pwd){_IS}{_WORD}"
        rf"|\b(?:password|pwd){_IS}{_WORD}['\"]?[;\s](?:[^\n]*[\s;])?{_TARGET})"
    ),
}
_PASSWORD = re.compile(r"(?i:password|passwd|passphrase)$")
"""Names of what holds a password and nothing else."""
_NO_PASSWORD = re.compile(
    r"(?i:true|false|yes|no|none|null|\d{1,5})$|/|arn:[\w-]+:secretsmanager:|projects/[^/]+/secrets/"
)
"""What stands under such a name without being one: switches, lengths, paths, ids of entries in a secret store."""

_BASE64 = re.compile(r"(?:(?:[A-Za-z0-9+/]{60,76}\r?\n[ \t]*)++[A-Za-z0-9+/]*+|[A-Za-z0-9+/]{24,}+)={0,2}")
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Found:
    """A place and the kind of secret that it seems to hold; None where its text is not known yet."""

    path: str
    kind: str | None


def secret_kind(text: str, name: str = "") -> str | None:
    """The kind of secret that a text seems to hold, packed or not; None if it holds none.

    Args:
        name: what the text stands under, such as a variable or a key: it tells a token from any other number.
    """
    for opened in _readings(text, _DEEPEST):
        plain = _PLACEHOLDER.sub("", opened)
        kind = secret_like(plain) or _kind(f"{name}={plain}" if name else plain)
        if kind is not None:
            return kind
    plain = _PLACEHOLDER.sub("", text).strip()
    return "a password" if plain and _PASSWORD.search(name) and not _NO_PASSWORD.match(plain) else None


def secrets_in(node: Node, name: str = "") -> Iterator[Found]:
    """The places below a value that seem to hold a secret or are not known yet; names in maps are judged too."""
    if node.value is UNKNOWN:
        yield Found(node.path, None)
    elif isinstance(node.value, dict):
        for key, item in cast("dict[str, Any]", node.value).items():
            told = secret_kind(key)
            if told is not None:
                yield Found(node.path, told)
            # A name that is a secret itself must not reach a message by way of the path.
            step = "*" if told is not None else key
            yield from secrets_in(Node(f"{node.path}.{step}" if node.path else step, item), key)
    elif isinstance(node.value, list):
        for index, item in enumerate(cast("list[Any]", node.value)):
            yield from secrets_in(Node(f"{node.path}[{index}]", item), name)
    elif isinstance(node.value, str) and (kind := secret_kind(node.value, name)) is not None:
        yield Found(node.path, kind)


def _kind(text: str) -> str | None:
    return next((kind for kind, pattern in _SECRETS.items() if re.search(pattern, text)), None)


def _readings(text: str, depth: int) -> Iterator[str]:
    """The text, and each text that is packed into it."""
    yield text
    if depth:
        for found in _BASE64.finditer(text):
            inner = _unpacked(found[0])
            if inner is not None:
                yield from _readings(inner, depth - 1)


def _unpacked(packed: str) -> str | None:
    """What base64 holds, unzipped if it was zipped; None where that is no text."""
    joined = "".join(packed.split()).rstrip("=")
    try:
        # Where the run began in the middle of a longer word, its length does not fit: the rest is cut off.
        raw = base64.b64decode(joined[: len(joined) - (len(joined) % 4 == 1)] + "=" * (-len(joined) % 4))
        if raw.startswith(_GZIP):
            raw = zlib.decompressobj(wbits=31).decompress(raw, _LARGEST)
        return raw.decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError):
        return None
