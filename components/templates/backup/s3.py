"""S3: a signed PUT that only creates."""

# ruff: noqa: INP001 - a program of the machine, not a package
from __future__ import annotations

import hashlib
import hmac
import re
import time
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import identity
from stores import StoreError

LIMIT = 5 << 30
FIX = "Its role needs s3:PutObject below this prefix, and kms:GenerateDataKey on the bucket's key."
_TRUST = "The role in AWS must trust this identity and audience: update the region that holds the bucket."


def signed(
    method: str,
    url: str,
    headers: Mapping[str, str],
    digest: str,
    service: str,
    region: str,
    keys: tuple[str, str, str],
) -> dict[str, str]:
    """The headers, and those of Signature Version 4."""
    parts, (key, secret, session) = urlsplit(url), keys
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    full = {**headers, "host": parts.netloc, "x-amz-date": now, "x-amz-security-token": session}
    names = ";".join(sorted(full))
    lines = [method, parts.path, parts.query, *(f"{name}:{full[name]}" for name in sorted(full)), "", names, digest]
    scope = (now[:8], region, service, "aws4_request")
    text = f"AWS4-HMAC-SHA256\n{now}\n{'/'.join(scope)}\n{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()}"
    mac = f"AWS4{secret}".encode()
    for part in (*scope, text):
        mac = hmac.digest(mac, part.encode(), "sha256")
    proof = f"Credential={key}/{'/'.join(scope)}, SignedHeaders={names}, Signature={mac.hex()}"
    return {**full, "authorization": f"AWS4-HMAC-SHA256 {proof}"}


def _assumed(target: Mapping[str, Any], region: str) -> tuple[str, str, str]:
    """A role of the store's account, for a machine of another cloud."""
    writer = target["writer"]
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": writer["role_arn"],
        "RoleSessionName": "backup",
        "WebIdentityToken": identity.token(target["home"], writer["audience"]),
    }
    text = identity.exchanged("assuming the writer's role", f"https://sts.{region}.amazonaws.com/", form, _TRUST)
    found = [re.search(f"<{name}>([^<]+)<", text) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
    if not all(found):
        raise StoreError("AWS answers without credentials, so there is no copy. Try again.", retry=True)
    key, secret, session = (match[1] for match in found if match)
    return key, secret, session


def request(
    target: Mapping[str, Any], name: str, _: Path, sha256: str
) -> tuple[str, str, dict[str, str], bytes, bytes]:
    """The request, and what stands before and after the file."""
    place = target["attributes"]
    region = place["region"]
    url = f"https://{place['bucket']}.s3.{region}.amazonaws.com/{quote(name)}"
    headers = {
        "if-none-match": "*",
        "x-amz-content-sha256": sha256,
        # Object lock wants a checksum of the object's own.
        "x-amz-checksum-sha256": b64encode(bytes.fromhex(sha256)).decode(),
        "x-amz-sdk-checksum-algorithm": "SHA256",
    }
    keys = _assumed(target, region) if target["writer"] else identity.keys()
    return "PUT", url, signed("PUT", url, headers, sha256, "s3", region, keys), b"", b""
