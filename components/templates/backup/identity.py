"""Who this machine is, as its cloud's metadata service says it. No key is kept anywhere."""

# ruff: noqa: INP001 - a program of the machine, not a package
from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from stores import StoreError, call

_AT = "http://169.254.169.254"
_FIX = "Look whether the machine still has its identity."


def field(text: str, name: str) -> str:
    """One string of an answer."""
    try:
        return json.loads(text)[name]
    except (ValueError, KeyError, TypeError):
        raise StoreError(
            f"an answer holds no {name}, so this machine cannot prove itself. Try again.", retry=True
        ) from None


def exchanged(doing: str, url: str, form: Mapping[str, str], fix: str) -> str:
    """The answer of a token service."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return call(doing, "POST", url, headers, urlencode(form).encode(), fix)


def aws(path: str) -> str:
    """One item of EC2's metadata."""
    life = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    session = call("reading metadata", "PUT", f"{_AT}/latest/api/token", life, fix=_FIX)
    url = f"{_AT}/latest/meta-data/{path}"
    return call("reading metadata", "GET", url, {"X-aws-ec2-metadata-token": session}, fix=_FIX)


def keys() -> tuple[str, str, str]:
    """The role's key id, secret and session token."""
    path = "iam/security-credentials/"
    text = aws(path + aws(path).strip())
    return field(text, "AccessKeyId"), field(text, "SecretAccessKey"), field(text, "Token")


def azure(resource: str) -> str:
    """The managed identity's token for a resource."""
    env = dict(line.split("=", 1) for line in Path("/etc/platform/azure.env").read_text().split())
    query = {"api-version": "2018-02-01", "resource": resource, "client_id": env["AZURE_CLIENT_ID"]}
    url = f"{_AT}/metadata/identity/oauth2/token?{urlencode(query)}"
    return field(call("asking for a token", "GET", url, {"Metadata": "true"}, fix=_FIX), "access_token")


def gcp(path: str) -> str:
    """What the metadata server says of the service account."""
    url = f"http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/{path}"
    return call("asking for a token", "GET", url, {"Metadata-Flavor": "Google"}, fix=_FIX)


def token(home: str, audience: str) -> str:
    """What another cloud can verify."""
    if home == "azure":
        return azure(audience)
    return gcp("identity?" + urlencode({"audience": audience, "format": "full"}))
