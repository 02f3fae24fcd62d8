"""Does on a machine what a test asks of it: `act.py TEMPLATES`, one JSON request on standard input, one JSON answer.

The uploader's own modules are used as they are; other requests than an upload are made with the identity that the
uploader would use.
"""

from __future__ import annotations

import hashlib
import http.client
import importlib
import json
import re
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

_NAMES = ("authorization", "x-amz-security-token", "x-aws-ec2-metadata-token")
_FIELDS = ("WebIdentityToken", "client_assertion", "subject_token")
_ANSWERS = ("access_token", "SecretAccessKey", "Token")
_PART = 16
"""So many characters of a secret are too many."""
secrets: set[str] = set()

sys.path.insert(0, sys.argv[1])

_uploader: list[Any] = [importlib.import_module(name) for name in ("identity", "s3", "stores")]
identity, s3, stores = _uploader


def _notes(
    doing: str, method: str, url: str, headers: dict[str, str], body: bytes | Iterable[bytes] = b"", fix: str = ""
) -> str:
    """`stores.call`, noting every secret that passes."""
    secrets.update(value for key, value in headers.items() if key.lower() in _NAMES)
    if isinstance(body, bytes):
        form = dict(parse_qsl(body.decode()))
        secrets.update(form[key] for key in _FIELDS if key in form)
    text = _call(doing, method, url, headers, body, fix)
    if "/identity?" in url or url.endswith("/api/token"):
        secrets.add(text)
    elif text.startswith("{"):
        secrets.update(str(value) for key, value in json.loads(text).items() if key in _ANSWERS)
    secrets.update(re.findall("<(?:SecretAccessKey|SessionToken)>([^<]+)<", text))
    return text


_call, _pieces = stores.call, stores._pieces
stores.call = identity.call = _notes


def _half(before: bytes, file: Path, after: bytes) -> Iterator[bytes]:
    """As if the network went away in the middle."""
    pieces = list(_pieces(before, file, after))
    yield from pieces[: len(pieces) // 2]
    raise OSError("network is unreachable")


def _whole_md5(file: Path, _: str) -> bytes:
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).digest()


def _shown(message: str) -> int:
    found = [secret[at : at + _PART] for secret in secrets for at in range(len(secret) - _PART)]
    return sum(part in message for part in found)


def put(asked: dict[str, Any]) -> dict[str, Any]:
    file = Path(asked["file"])
    stores.TIMEOUT = asked.get("timeout", stores.TIMEOUT)
    began = time.monotonic()
    digest = asked.get("sha256") or hashlib.sha256(file.read_bytes()).hexdigest()
    if asked.get("spoil"):
        with file.open("r+b") as content:
            content.write(b"worse")
    if asked.get("cut"):
        stores.md5, stores._pieces = _whole_md5, _half
    tries: list[dict[str, Any]] = []
    for _ in range(asked.get("tries", 1)):
        try:
            stores.put(asked["target"], asked["name"], file, digest)
        except stores.StoreError as error:
            tries.append({"stored": False, "retry": error.retry, "message": str(error), "shown": _shown(str(error))})
        else:
            tries.append({"stored": True, "seconds": time.monotonic() - began})
        if asked.get("heal"):
            Path(asked["heal"]).unlink(missing_ok=True)
    return {
        "tries": tries,
        "secrets": len(secrets),
        "left": sorted(path.name for path in file.parent.glob(f"{file.name}@*")),
    }


def ask(asked: dict[str, Any]) -> dict[str, Any]:
    """One request of any kind; the answer's status, headers and, in hex, SHA-256 of the body."""
    target, method, body = asked["target"], asked["method"], asked.get("body", "").encode()
    place, cloud, name = target["attributes"], target["cloud"], asked.get("name", "")
    headers: dict[str, str] = dict(asked.get("headers", {}))
    query = asked.get("query", "")
    digest = hashlib.sha256(body).hexdigest()
    if cloud == "aws":
        host, path = f"{place['bucket']}.s3.{place['region']}.amazonaws.com", f"/{quote(name)}"
        keys = s3._assumed(target, place["region"]) if target["writer"] else identity.keys()
        url = f"https://{host}{path}" + (f"?{query}" if query else "")
        headers = s3.signed(
            method, url, {**headers, "x-amz-content-sha256": digest}, digest, "s3", place["region"], keys
        )
    else:
        store = importlib.import_module(stores._STORES[cloud])
        headers["Authorization"] = store.request(target, name, Path("/dev/null"), hashlib.sha256().hexdigest())[2][
            "Authorization"
        ]
        if cloud == "azure":
            headers["x-ms-version"] = "2023-11-03"
            host, path = (
                f"{place['account']}.blob.core.windows.net",
                f"/{place['container']}" + (name and f"/{quote(name)}"),
            )
        else:
            host, path = (
                "storage.googleapis.com",
                f"/storage/v1/b/{place['bucket']}/o" + (name and f"/{quote(name, safe='')}"),
            )
    if asked.get("forge"):
        (proof,) = [key for key in headers if key.lower() == "authorization"]
        headers[proof] = headers[proof][:-1] + ("0" if headers[proof][-1] != "0" else "1")
    path = asked.get("path", path) + (f"?{query}" if query else "")
    line = http.client.HTTPSConnection(host, timeout=30)
    line.request(method, path, body, headers)
    answer = line.getresponse()
    content = answer.read()
    return {
        "status": answer.status,
        "headers": {key.lower(): value for key, value in answer.headers.items()},
        "sha256": hashlib.sha256(content).hexdigest(),
        "text": content[:20000].decode(errors="replace"),
    }


if __name__ == "__main__":
    request = json.load(sys.stdin)
    try:
        print(json.dumps({"put": put, "ask": ask}[request["do"]](request)))  # noqa: T201 - the answer
    except stores.StoreError as error:
        print(json.dumps({"status": 0, "error": str(error)}))  # noqa: T201 - the answer
