"""Puts a file into an object store under a new name, as this machine's own identity.

Owns sending, and what a failure means. `s3`, `blob` and `gcs` know a store each, `identity` the machine. Nothing is
ever read, listed or deleted: a writer may not.

Dangerous edges:
- A writer cannot look whether an object is there. "It exists" is success only after an own attempt whose answer was
  lost; an empty file beside the file, `<file>@<cloud>.unsure`, remembers one, also for the next process.
- Timeouts are for one step of a connection; whoever calls bounds the whole.
"""

# ruff: noqa: INP001 - a program of the machine, not a package
from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 60
_PIECE = 1 << 20
_STORES = {"aws": "s3", "azure": "blob", "gcp": "gcs"}
_CODE = re.compile(r'(?:<Code>|"(?:error|status)" ?: ?"|(?=AADSTS))(\w+)')
# GCS and Azure ask for the right to overwrite only where there is something to overwrite.
_EXISTS = re.compile(
    r"PreconditionFailed|AlreadyExists|UnauthorizedBlobOverwrite|BlobImmutable|storage\.objects\.delete"
)


class StoreError(Exception):
    """Why nothing was stored; `retry`: the same may succeed later."""

    def __init__(self, message: str, retry: bool = False, exists: bool = False) -> None:  # noqa: FBT001, FBT002
        super().__init__(message)
        self.retry, self.exists = retry, exists


def call(
    doing: str, method: str, url: str, headers: Mapping[str, str], body: bytes | Iterable[bytes] = b"", fix: str = ""
) -> str:
    """The answer to one request. Of what was sent and answered, errors hold the error's code alone."""
    parts = urlsplit(url)
    host, encrypted = parts.netloc, parts.scheme == "https"
    line = (HTTPSConnection if encrypted else HTTPConnection)(host, timeout=TIMEOUT)
    try:
        # A refusal may come before all is sent.
        with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            line.request(method, url.partition(host)[2], body, headers)
        answer = line.getresponse()
        text = answer.read(_PIECE).decode(errors="replace")
    except ssl.SSLCertVerificationError as error:
        why = f"{doing}: the certificate of {host} is not trusted ({error.verify_message}), so nothing was sent. "
        raise StoreError(why + "Set this machine's clock, or renew its CA certificates.") from None
    except (OSError, HTTPException) as error:
        why = f"{doing}: no answer of {host} ({type(error).__name__}), so it is unknown whether anything was stored. "
        raise StoreError(why + "Try again; if it stays, check name resolution and the way out.", retry=True) from None
    finally:
        line.close()
    status = answer.status
    if status < 300:
        return text
    code = answer.headers.get("x-ms-error-code", "")
    what = f"{doing}: {host} answers {' '.join(dict.fromkeys([str(status), *code.split(), *_CODE.findall(text)]))}"
    if status == 412 or (status in (403, 409) and _EXISTS.search(code + text)):
        why = "the name is taken, and not by this run. Nothing was overwritten; find out who else writes there."
        raise StoreError(f"{what}: {why}", exists=True)
    # Metadata services know a young machine's identity only after a while; S3 says 409 while two write one name.
    again = status in (408, 409, 429) or status >= 500 or "RequestTimeout" in text or (not encrypted and status != 400)
    if again:
        fix = "Try again."
    elif status == 404:
        fix = "What the manifest names is gone: update its region, then this one."
    elif status == 400 and not isinstance(body, bytes):
        fix = "The store cannot read the request: look its code up."
    raise StoreError(f"{what}, so there is no copy. {fix}", retry=again)


def put(target: Mapping[str, Any], name: str, file: Path, sha256: str) -> None:
    """Store the file as `name`.

    Args:
        target: `home`, the machine's cloud; `cloud`, the store's; its `attributes`; `writer`, None at home.
        name: an object's, never used before.
        file: what is stored.
        sha256: its digest, hex.

    Raises:
        StoreError: it is not stored, or nobody knows.
    """
    store = import_module(_STORES[target["cloud"]])
    size = file.stat().st_size
    if size > store.LIMIT:
        why = f"{name} has {size} bytes and {target['cloud']} takes {store.LIMIT} in one request, so there is no copy. "
        raise StoreError(why + "Find out what grew: a snapshot is far smaller.")
    method, url, headers, before, after = store.request(target, name, file, sha256)
    length = {"Content-Length": str(len(before) + size + len(after))}
    unsure = file.with_name(f"{file.name}@{target['cloud']}.unsure")
    before_now = unsure.exists()
    unsure.touch()
    try:
        call(f"storing {name}", method, url, {**headers, **length}, _pieces(before, file, after), store.FIX)
    except StoreError as error:
        if not (error.exists and before_now):
            if not (error.retry or before_now):
                unsure.unlink()
            raise
    unsure.unlink()


def _pieces(before: bytes, file: Path, after: bytes) -> Iterator[bytes]:
    yield before
    with file.open("rb") as content:
        while piece := content.read(_PIECE):
            yield piece
    yield after


def md5(file: Path, sha256: str) -> bytes:
    """What Azure and GCS check an upload by; of the very file that was verified."""
    found, digest = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    for piece in _pieces(b"", file, b""):
        found.update(piece)
        digest.update(piece)
    if digest.hexdigest() != sha256:
        raise StoreError(f"{file} is not what was verified, so it is not stored. Take it anew.")
    return found.digest()
