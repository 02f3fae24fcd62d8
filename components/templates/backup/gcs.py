"""Google Cloud Storage: an insert that only creates."""

# ruff: noqa: INP001 - a program of the machine, not a package
from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import identity
import stores

LIMIT = 5 << 40
FIX = "Its account needs storage.objects.create in the bucket below this prefix."
_TRUST = "The pool in GCP must trust this identity: update the region that holds the bucket."
_TYPE = "urn:ietf:params:oauth:"
_CUT = "backup-cut"


def _signed(audience: str) -> str:
    """AWS's proof: a signed question who this is, for Google to ask."""
    import s3  # noqa: PLC0415 - only machines of AWS have it

    region = identity.aws("placement/region")
    url = f"https://sts.{region}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
    headers = {"x-goog-cloud-target-resource": audience}
    nothing = s3.hashlib.sha256().hexdigest()
    headers = s3.signed("POST", url, headers, nothing, "sts", region, identity.keys())
    listed = [{"key": key, "value": value} for key, value in headers.items()]
    return quote(json.dumps({"url": url, "method": "POST", "headers": listed}))


def _exchanged(home: str, writer: Mapping[str, str]) -> str:
    provider = writer["provider"]
    form = {
        "grant_type": _TYPE + "grant-type:token-exchange",
        "audience": provider,
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "requested_token_type": _TYPE + "token-type:access_token",
        "subject_token_type": writer["subject_token_type"],
        "subject_token": _signed(provider) if home == "aws" else identity.token(home, writer["audience"]),
    }
    answer = identity.exchanged("proving itself to Google", "https://sts.googleapis.com/v1/token", form, _TRUST)
    return identity.field(answer, "access_token")


def request(
    target: Mapping[str, Any], name: str, file: Path, sha256: str
) -> tuple[str, str, dict[str, str], bytes, bytes]:
    """The request, and what stands before and after the file."""
    writer = target["writer"]
    token = _exchanged(target["home"], writer) if writer else identity.field(identity.gcp("token"), "access_token")
    about = json.dumps({"name": name, "md5Hash": b64encode(stores.md5(file, sha256)).decode()})
    before = (
        f"--{_CUT}\r\nContent-Type: application/json\r\n\r\n{about}\r\n"
        f"--{_CUT}\r\nContent-Type: application/octet-stream\r\n\r\n"
    )
    headers = {"Authorization": f"Bearer {token}", "Content-Type": f"multipart/related; boundary={_CUT}"}
    bucket = target["attributes"]["bucket"]
    url = f"https://storage.googleapis.com/upload/storage/v1/b/{bucket}/o?uploadType=multipart&ifGenerationMatch=0"
    return "POST", url, headers, before.encode(), f"\r\n--{_CUT}--\r\n".encode()
