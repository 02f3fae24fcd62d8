"""AWS's signatures, version 4: whose secret signed a request.

Owns the proof of who asks, for every service of AWS. How a service words its refusal is the service's own.

Source: IAM User Guide, "AWS Signature Version 4 for API requests".
"""

from __future__ import annotations

import datetime as dt
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from .tokens import Session, Tokens

_SKEW = 15 * 60
_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([\w-]+)/(\w+)/aws4_request, ?"
    r"SignedHeaders=([\w;-]+), ?Signature=(\w+)"
)


class UnprovenError(Exception):
    """The request proves nobody."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


@dataclass(frozen=True)
class Signed:
    """What a signature covers, beside the headers that it names."""

    method: str
    host: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


def signer(tokens: Tokens, signed: Signed, service: str, region: str) -> Session:
    """The session whose secret signed a request to a region's service.

    Raises:
        UnprovenError: none did.
    """
    headers = signed.headers
    found = _SIGNED.fullmatch(headers.get("authorization", ""))
    if found is None:
        raise UnprovenError(403, "AccessDenied")
    key, day, where, what, names, signature = found.groups()
    if (session := tokens.opened(key, headers.get("x-amz-security-token", ""))) is None:
        raise UnprovenError(400, "InvalidToken")
    stamp = headers.get("x-amz-date", "")
    try:
        age = dt.datetime.now(dt.UTC) - dt.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    except ValueError as error:
        raise UnprovenError(403, "AuthorizationHeaderMalformed") from error
    if abs(age.total_seconds()) > _SKEW:
        raise UnprovenError(403, "RequestTimeTooSkewed")
    listed = names.split(";")
    must = {"host", "x-amz-date", *(name for name in headers if name.startswith("x-amz-"))}
    if (day, where, what) != (stamp[:8], region, service) or not must <= set(listed) <= set(headers):
        raise UnprovenError(403, "AuthorizationHeaderMalformed")
    right = _signature(session, signed, {name: headers[name] for name in listed}, service, region)
    if not hmac.compare_digest(signature, right):
        raise UnprovenError(403, "SignatureDoesNotMatch")
    return session


def _signature(session: Session, signed: Signed, headers: Mapping[str, str], service: str, region: str) -> str:
    """By the vendor's own library, so that the uploader's signature is not judged by itself."""
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    auth = kind(Credentials(session.key, session.secret), service, region)
    asked = AWSRequest(signed.method, f"https://{signed.host}{signed.target}", headers=dict(headers), data=signed.body)
    asked.context["timestamp"] = headers["x-amz-date"]
    return str(auth.signature(auth.string_to_sign(asked, auth.canonical_request(asked)), asked))
