"""S3 and STS: full signatures, trust policies, and the action that each operation needs.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3".
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping

from . import iam
from .exchange import Answer, Forward, Request, document, xml
from .ground import AwsBucket, AwsProvider, Ground
from .signatures import Signed, UnprovenError, signer
from .tokens import Session, Tokens

_OBJECT: Mapping[tuple[str, str], str] = {
    ("PUT", ""): "s3:PutObject",
    ("PUT", "partNumber"): "s3:PutObject",
    ("POST", "uploads"): "s3:PutObject",
    ("POST", "uploadId"): "s3:PutObject",
    ("DELETE", "uploadId"): "s3:AbortMultipartUpload",
    ("GET", ""): "s3:GetObject",
    ("HEAD", ""): "s3:GetObject",
    ("GET", "versionId"): "s3:GetObjectVersion",
    ("HEAD", "versionId"): "s3:GetObjectVersion",
    ("DELETE", ""): "s3:DeleteObject",
    ("DELETE", "versionId"): "s3:DeleteObjectVersion",
    ("PUT", "retention"): "s3:PutObjectRetention",
    ("PUT", "legal-hold"): "s3:PutObjectLegalHold",
    ("PUT", "acl"): "s3:PutObjectAcl",
    ("PUT", "tagging"): "s3:PutObjectTagging",
}
"""By method and the query's telling word."""
_BUCKET: Mapping[tuple[str, str], str] = {
    ("GET", ""): "s3:ListBucket",
    ("HEAD", ""): "s3:ListBucket",
    ("GET", "versions"): "s3:ListBucketVersions",
    ("PUT", "lifecycle"): "s3:PutLifecycleConfiguration",
    ("PUT", "policy"): "s3:PutBucketPolicy",
    ("DELETE", "policy"): "s3:DeleteBucketPolicy",
    ("PUT", "versioning"): "s3:PutBucketVersioning",
    ("PUT", "object-lock"): "s3:PutBucketObjectLockConfiguration",
    ("DELETE", ""): "s3:DeleteBucket",
}
_EXTRA: Mapping[str, str] = {
    "x-amz-object-lock-mode": "s3:PutObjectRetention",
    "x-amz-object-lock-legal-hold": "s3:PutObjectLegalHold",
    "x-amz-tagging": "s3:PutObjectTagging",
    "x-amz-acl": "s3:PutObjectAcl",
    "x-amz-bypass-governance-retention": "s3:BypassGovernanceRetention",
}
"""Rights that a header asks for beside the operation's."""
_SILENT = {"list-type", "prefix", "delimiter", "max-keys", "start-after", "continuation-token", "encoding-type", "x-id"}
"""Words of a query that do not change which action is asked for."""


class Aws:
    """One account's buckets, roles and providers."""

    def __init__(self, ground: Ground, tokens: Tokens, port: int) -> None:
        self._tokens, self._port = tokens, port
        self._roles = {role.arn: role for role in ground.roles}
        self._buckets = {f"{bucket.name}.s3.{bucket.region}.amazonaws.com": bucket for bucket in ground.buckets}
        self._providers: dict[str, AwsProvider] = {provider.arn: provider for provider in ground.providers}

    def serves(self, host: str) -> bool:
        """Whether the host is one of these services'."""
        return host.endswith(".amazonaws.com") and (".s3." in host or host.startswith("sts."))

    def handle(self, request: Request) -> Answer | Forward:
        """Authenticate, authorize, hand on."""
        if request.host.startswith("sts."):
            return self._sts(request)
        if (bucket := self._buckets.get(request.host)) is None:
            raise xml(404, "NoSuchBucket")
        session, digest = self._caller(request, bucket)
        self._authorize(request, bucket, session.role)
        self._check_content(request, bucket, digest)
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
        return Forward(self._port, f"/{bucket.name}{request.target}", headers)

    def _caller(self, request: Request, bucket: AwsBucket) -> tuple[Session, str]:
        digest = request.headers.get("x-amz-content-sha256", "")
        if digest == "UNSIGNED-PAYLOAD":
            digest = request.digests["sha256"].hex()
        if digest != request.digests["sha256"].hex():
            raise xml(400, "XAmzContentSHA256Mismatch")
        # The body's digest is signed in its header, and that it is the body's has just been seen.
        signed = Signed(request.method, request.host, request.target, request.headers)
        return self._verified(signed, "s3", bucket.region), digest

    def _verified(self, signed: Signed, service: str, region: str) -> Session:
        try:
            return signer(self._tokens, signed, service, region)
        except UnprovenError as unproven:
            raise xml(unproven.status, unproven.code) from unproven

    def _authorize(self, request: Request, bucket: AwsBucket, role: str) -> None:
        name = request.path[1:]
        words = {word for word in request.query if word not in _SILENT}
        telling = "partNumber" if "partNumber" in words else "".join(sorted(words))
        action = (_OBJECT if name else _BUCKET).get((request.method, telling))
        if action is None or "x-amz-copy-source" in request.headers:
            raise xml(501, "NotImplemented", f"{request.method} ?{telling} is not modelled")
        arn = f"arn:{role.split(':')[1]}:s3:::{bucket.name}" + (f"/{name}" if name else "")
        context = {"aws:principalarn": role, "aws:securetransport": "true"}
        context |= {
            f"s3:{header}": request.headers[header] for header in ("if-none-match",) if header in request.headers
        }
        context |= {f"s3:{word}": request.query[word] for word in ("prefix", "delimiter") if word in request.query}
        for needed in [action, *(right for header, right in _EXTRA.items() if header in request.headers)]:
            if role.split(":")[4] != bucket.account or not self._may(role, bucket.policy, needed, arn, context):
                raise xml(403, "AccessDenied", f"{role} is not authorized to perform {needed} on {arn}")
        use = {
            "s3:PutObject": "kms:GenerateDataKey",
            "s3:GetObject": "kms:Decrypt",
            "s3:GetObjectVersion": "kms:Decrypt",
        }
        if bucket.key and action in use:
            context |= {"kms:viaservice": f"s3.{bucket.region}.amazonaws.com"}
            own = self._policies(role)
            if not iam.allowed_key(own, bucket.key_policy, use[action], bucket.key, context, role):
                raise xml(403, "AccessDenied", f"{role} is not authorized to perform {use[action]} on {bucket.key}")

    def _may(self, role: str, policy: str, action: str, resource: str, context: iam.Context) -> bool:
        return iam.allowed(self._policies(role), policy, action, resource, context, role)

    def _policies(self, role: str) -> tuple[str, ...]:
        return self._roles[role].policies if role in self._roles else ()

    def _check_content(self, request: Request, bucket: AwsBucket, digest: str) -> None:
        if request.method != "PUT":
            return
        checksum = request.headers.get("x-amz-checksum-sha256")
        if checksum and checksum != base64.b64encode(bytes.fromhex(digest)).decode():
            raise xml(400, "BadDigest")
        if bucket.lock_days and not checksum and "content-md5" not in request.headers:
            raise xml(400, "InvalidRequest", "Content-MD5 or x-amz-checksum- is required with Object Lock")

    def _sts(self, request: Request) -> Answer:
        form = request.form()
        if form.get("Action") != "AssumeRoleWithWebIdentity":
            raise xml(501, "NotImplemented")
        claims = self._tokens.claims(form["WebIdentityToken"])
        if claims is None:
            raise xml(400, "InvalidIdentityToken")
        role = self._roles.get(form["RoleArn"])
        if role is None or not self._trusts(role.trust, claims):
            raise xml(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
        made = self._tokens.session(role.arn, form["RoleSessionName"])
        return Answer(
            200,
            f"<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{made.key}"
            f"</AccessKeyId><SecretAccessKey>{made.secret}</SecretAccessKey><SessionToken>{made.token}</SessionToken>"
            f"<Expiration>{self._tokens.ends()}</Expiration></Credentials>"
            "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
            {"Content-Type": "text/xml"},
        )

    def _trusts(self, trust: str, claims: Mapping[str, str]) -> bool:
        issuer = claims["iss"].removeprefix("https://")
        context = {f"{issuer}:aud": claims["aud"], f"{issuer}:sub": claims["sub"]}
        known = {
            provider.arn
            for provider in self._providers.values()
            if provider.url.removeprefix("https://") == issuer and claims["aud"] in provider.audiences
        }
        if issuer == "accounts.google.com":
            # Known to every account; here `aud` is the authorised party and `oaud` the audience.
            known = {issuer}
            context |= {f"{issuer}:oaud": claims["aud"], f"{issuer}:aud": claims.get("azp", claims["aud"])}
        action = "sts:AssumeRoleWithWebIdentity"
        found = list(iam.effects(trust, action, "*", context, {"Federated": frozenset(known)}))
        return "Allow" in found and "Deny" not in found

    def identified(self, signed: str, audience: str) -> Session:
        """Whose signed question "who am I" this is; the question must have been signed for this audience.

        Raises:
            RefusedError: it proves nobody.
        """
        asked = json.loads(signed)
        headers = {one["key"].lower(): one["value"] for one in asked["headers"]}
        found = re.fullmatch(
            r"https://(sts\.([\w-]+)\.amazonaws\.com)(/\?Action=GetCallerIdentity&Version=2011-06-15)", asked["url"]
        )
        if found is None or asked["method"] != "POST" or headers.get("host") != found[1]:
            raise document(400, "invalid_grant", "the subject token is no GetCallerIdentity request")
        named = headers.get("authorization", "").partition("SignedHeaders=")[2].partition(",")[0].split(";")
        if headers.get("x-goog-cloud-target-resource") != audience or "x-goog-cloud-target-resource" not in named:
            raise document(400, "invalid_grant", "the request was signed for another audience")
        return self._verified(Signed("POST", found[1], found[3], headers), "sts", found[2])
