"""Cloud Storage and Google's token service: bearer tokens, pools, permissions and conditions.

Source: Cloud Storage, "IAM permissions for JSON methods"; IAM, "Workload Identity Federation".
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from . import conditions
from .aws import Aws
from .exchange import Answer, Forward, Request, answered, document
from .ground import GcpGrant, GcpProvider, Ground
from .tokens import Tokens

GOOGLE = "googleapis.com"
"""What tokens are for: one is good for every service of Google's that its holder has grants of."""
_AWS_TYPE, _JWT_TYPE = (f"urn:ietf:params:{kind}" for kind in ("aws:token-type:aws4_request", "oauth:token-type:jwt"))
_JSON = re.compile(r"/(?:download/|upload/)?storage/v1/b/([^/]+)/o(?:/(.+))?")
_NEEDS: Mapping[tuple[str, bool], str] = {
    ("GET", True): "storage.objects.get",
    ("GET", False): "storage.objects.list",
    ("DELETE", True): "storage.objects.delete",
    ("PATCH", True): "storage.objects.update",
    ("PUT", True): "storage.objects.update",
}
"""By method, and whether an object is named. Inserts: see `_insert`."""


class Gcp:
    """Buckets, accounts and pools of a project."""

    def __init__(self, ground: Ground, tokens: Tokens, port: int, exists: Callable[[int, str], bool], aws: Aws) -> None:
        self._ground, self._tokens, self._port, self._exists, self._aws = ground, tokens, port, exists, aws
        self._providers = {f"//iam.googleapis.com/{provider.name}": provider for provider in ground.pool_providers}

    def serves(self, host: str) -> bool:
        """Whether the host is one of these services'."""
        return host in (f"storage.{GOOGLE}", f"sts.{GOOGLE}")

    def handle(self, request: Request) -> Answer | Forward:
        """Authenticate, authorize, hand on."""
        if request.host == "sts.googleapis.com":
            return self._exchange(request)
        found = _JSON.fullmatch(request.target.partition("?")[0])
        if found is None:
            raise document(501, {"code": 501, "status": "UNIMPLEMENTED"}, f"{request.target} is not modelled")
        bucket, name = found[1], unquote(found[2] or "")
        if bucket not in self._ground.gcs_buckets:
            raise document(404, {"code": 404, "status": "NOT_FOUND"})
        bearer = self._tokens.holder(request.headers.get("authorization", ""))
        if bearer is None or bearer.audience != GOOGLE:
            raise document(401, {"code": 401, "status": "UNAUTHENTICATED"})
        if request.method == "POST" and not name:
            self._insert(request, bucket, bearer.names)
        elif (needed := _NEEDS.get((request.method, bool(name)))) is None:
            raise document(501, {"code": 501, "status": "UNIMPLEMENTED"})
        else:
            self._demand(bearer.names, bucket, name, needed)
        dropped = ("content-length", "authorization")
        headers = {key: value for key, value in request.headers.items() if key not in dropped}
        return Forward(self._port, request.target, headers)

    def _demand(self, names: frozenset[str], bucket: str, name: str, permission: str) -> None:
        values = {
            "resource.name": f"projects/_/buckets/{bucket}" + (f"/objects/{name}" if name else ""),
            "resource.type": f"storage.googleapis.com/{'Object' if name else 'Bucket'}",
        }
        if not allowed(self._ground.gcp_grants, names, bucket, permission, values):
            message = f"Caller does not have {permission} access to the Google Cloud Storage object."
            raise document(403, {"code": 403, "status": "PERMISSION_DENIED", "message": message})

    def _insert(self, request: Request, bucket: str, names: frozenset[str]) -> None:
        name, content_md5 = request.query.get("name", ""), request.digests["md5"]
        if request.query.get("uploadType") == "multipart":
            name, declared, content_md5 = _parts(request)
            if declared and declared != base64.b64encode(content_md5).decode():
                raise document(400, {"code": 400, "status": "INVALID_ARGUMENT", "message": "md5Hash does not match"})
        elif request.query.get("uploadType") != "media":
            raise document(501, {"code": 501, "status": "UNIMPLEMENTED"})
        self._demand(names, bucket, name, "storage.objects.create")
        if self._exists(self._port, f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}"):
            self._demand(names, bucket, name, "storage.objects.delete")

    def _exchange(self, request: Request) -> Answer:
        form = request.form()
        if (provider := self._providers.get(form["audience"])) is None:
            raise document(400, "invalid_target", "no such provider")
        assertion = self._assertion(provider, form)
        known = {f"assertion.{key}": str(value) for key, value in assertion.items()}
        mapped = {key: str(conditions.google(expression, known)) for key, expression in provider.mapping.items()}
        if provider.condition and not conditions.google(provider.condition, {**known, **mapped}):
            raise document(403, "unauthorized_client", "rejected by the attribute condition")
        pool = f"iam.googleapis.com/{provider.name.partition('/providers/')[0]}"
        names = [f"principal://{pool}/subject/{mapped['google.subject']}", f"principalSet://{pool}/*"]
        names += [
            f"principalSet://{pool}/{key}/{value}" for key, value in mapped.items() if key.startswith("attribute.")
        ]
        return answered({"access_token": self._tokens.bearer(GOOGLE, *names), "token_type": "Bearer"})

    def _assertion(self, provider: GcpProvider, form: Mapping[str, str]) -> Mapping[str, Any]:
        kind, subject = form["subject_token_type"], form["subject_token"]
        if provider.aws_account:
            if kind != _AWS_TYPE:
                raise document(400, "invalid_request", "the provider takes signed requests of AWS")
            session = self._aws.identified(unquote(subject), form["audience"])
            account = session.arn.split(":")[4]
            if account != provider.aws_account:
                raise document(400, "invalid_grant", "the request is of another account")
            return {"arn": session.arn, "account": account}
        claims = self._tokens.claims(subject) if kind == _JWT_TYPE else None
        if claims is None or claims["iss"] != provider.issuer or claims["aud"] not in provider.audiences:
            raise document(400, "invalid_grant", "the token's issuer, audience or signature is not the provider's")
        return claims


def allowed(
    grants: Iterable[GcpGrant], names: frozenset[str], thing: str, permission: str, values: Mapping[str, str]
) -> bool:
    """Whether one of the caller's grants on the thing has the permission."""
    return any(
        grant.resource == thing
        and grant.member in names
        and permission in grant.permissions
        and (not grant.condition or bool(conditions.google(grant.condition, values)))
        for grant in grants
    )


def _parts(request: Request) -> tuple[str, str, bytes]:
    """Name and digest that a multipart insert declares, and the digest of its content."""
    boundary = request.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    request.body.seek(0)
    whole = request.body.read()
    _, about, content = whole.split(b"--" + boundary, 2)
    declared = json.loads(about.partition(b"\r\n\r\n")[2])
    data = content.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n--" + boundary + b"--\r\n")
    return declared["name"], declared.get("md5Hash", ""), hashlib.md5(data, usedforsecurity=False).digest()
