"""Azure Blob Storage: a Put Blob that only creates."""

# ruff: noqa: INP001 - a program of the machine, not a package
from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import quote

import identity
import stores

LIMIT = 5000 << 20
FIX = "Its identity needs blobs/add/action on the container below this prefix, and the account must admit its address."
_RESOURCE = "https://storage.azure.com/"
_TRUST = "The identity in Azure must trust this issuer, subject and audience: update the region that holds the bucket."


def _exchanged(home: str, writer: Mapping[str, str]) -> str:
    form = {
        "grant_type": "client_credentials",
        "scope": _RESOURCE + ".default",
        "client_id": writer["client_id"],
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": identity.token(home, writer["audience"]),
    }
    url = f"https://login.microsoftonline.com/{writer['tenant']}/oauth2/v2.0/token"
    return identity.field(identity.exchanged("proving itself to Azure", url, form, _TRUST), "access_token")


def request(
    target: Mapping[str, Any], name: str, file: Path, sha256: str
) -> tuple[str, str, dict[str, str], bytes, bytes]:
    """The request, and what stands before and after the file."""
    place, writer = target["attributes"], target["writer"]
    token = _exchanged(target["home"], writer) if writer else identity.azure(_RESOURCE)
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-MD5": b64encode(stores.md5(file, sha256)).decode(),
        "If-None-Match": "*",
        "x-ms-blob-type": "BlockBlob",
        "x-ms-date": formatdate(usegmt=True),
        "x-ms-version": "2023-11-03",
    }
    url = f"https://{place['account']}.blob.core.windows.net/{place['container']}/{quote(name)}"
    return "PUT", url, headers, b"", b""
