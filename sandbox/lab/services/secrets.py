"""The clouds' secret stores: values of entries for those whom a stack allows to read them.

Source: Secrets Manager, GetSecretValue; Key Vault REST, Get Secret; Secret Manager REST,
projects.secrets.versions.access.
"""

from __future__ import annotations

import base64
import re

from sandbox.stores import azure, gcp, iam
from sandbox.stores.exchange import Answer, Request, answered
from sandbox.stores.ground import Ground, Secret
from sandbox.stores.tokens import Tokens

from .asking import (
    aws_answer,
    aws_call,
    aws_refusal,
    azure_denied,
    azure_refusal,
    azure_vault,
    google_caller,
    google_refusal,
)
from .places import SECRET_MANAGER_HOST, aws_host

_READ = "secretsmanager:GetSecretValue"
_AZURE_READ = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
_GOOGLE_READ = "secretmanager.versions.access"
_GOOGLE = re.compile(r"/v1/(projects/[^/]+/secrets/[^/]+)/versions/(?:latest|1):access")


class AwsSecrets:
    """Secrets Manager of all regions."""

    def __init__(self, ground: Ground, tokens: Tokens) -> None:
        self._ground, self._tokens = ground, tokens
        self._keys = {key.id: key for key in ground.keys}

    def serves(self, host: str) -> bool:
        """Whether the host is one of its endpoints."""
        return host.startswith("secretsmanager.") and host.endswith(".amazonaws.com")

    def handle(self, request: Request) -> Answer:
        """The value, for whom the role's policies and the key's admit."""
        call = aws_call(self._ground, self._tokens, request, "secretsmanager")
        if call.operation != "GetSecretValue":
            raise aws_refusal("UnknownOperationException", f"{call.operation} is not modelled", 501)
        secret = self._find(str(call.asked.get("SecretId", "")), call.region)
        own, role = call.policies, call.session.role
        if not call.of_account(secret.id) or not iam.allowed(own, "", _READ, secret.id, call.context(), role):
            raise call.denied(_READ, secret.id)
        if secret.key:
            key = self._keys.get(secret.key)
            via = call.context(kms_viaservice=aws_host("secretsmanager", call.region))
            if key is None or not iam.allowed_key(own, key.policy, "kms:Decrypt", key.id, via, role):
                raise aws_refusal("AccessDeniedException", "Access to KMS is not allowed")
            if not key.enabled:
                said = "Secrets Manager can't decrypt the protected secret text using the provided KMS key."
                raise aws_refusal("DecryptionFailure", said)
        return aws_answer(
            {"ARN": secret.id, "Name": secret.name, "SecretString": secret.value, "VersionStages": ["AWSCURRENT"]}
        )

    def _find(self, asked: str, region: str) -> Secret:
        for secret in self._ground.secrets:
            # A whole ARN, one without its random end, or the name.
            here = secret.cloud == "aws" and secret.place == region
            if here and asked in (secret.id, secret.id.rpartition("-")[0], secret.name):
                return secret
        raise aws_refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


class AzureSecrets:
    """Secrets of all key vaults."""

    def __init__(self, ground: Ground, tokens: Tokens) -> None:
        self._ground, self._tokens = ground, tokens
        self._secrets = {(one.place, one.name): one for one in ground.secrets if one.cloud == "azure"}

    def handle(self, request: Request) -> Answer:
        """The value, for whom an assignment admits."""
        vault, names = azure_vault(self._ground, self._tokens, request)
        name = request.path.split("/")[2]
        thing = f"{vault.id}/secrets/{name}"
        if request.method != "GET":
            raise azure_refusal(501, "NotModelled", f"{request.method} of a secret is not modelled")
        if not azure.allowed(self._ground.azure_grants, names, thing, _AZURE_READ, {}):
            raise azure_denied(_AZURE_READ, thing)
        if (secret := self._secrets.get((vault.name, name))) is None:
            said = f"A secret with (name/id) {name} was not found in this key vault."
            raise azure_refusal(404, "SecretNotFound", said)
        return answered(
            {"value": secret.value, "id": f"https://{request.host}/secrets/{name}/1", "attributes": {"enabled": True}}
        )


class GcpSecrets:
    """Secret Manager of all projects."""

    def __init__(self, ground: Ground, tokens: Tokens) -> None:
        self._ground, self._tokens = ground, tokens
        self._secrets = {one.id: one for one in ground.secrets if one.cloud == "gcp"}

    def serves(self, host: str) -> bool:
        """Whether the host is its endpoint."""
        return host == SECRET_MANAGER_HOST

    def handle(self, request: Request) -> Answer:
        """The value, for whom a grant on the entry admits."""
        names = google_caller(self._tokens, request.headers.get("authorization", ""))
        if names is None:
            raise google_refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        found = _GOOGLE.fullmatch(request.path)
        if found is None or request.method != "GET":
            raise google_refusal(501, "UNIMPLEMENTED", f"{request.method} {request.path} is not modelled")
        if not gcp.allowed(self._ground.gcp_grants, names, found[1], _GOOGLE_READ, {"resource.name": found[1]}):
            said = f"Permission '{_GOOGLE_READ}' denied for resource '{found[1]}' (or it may not exist)."
            raise google_refusal(403, "PERMISSION_DENIED", said)
        if (secret := self._secrets.get(found[1])) is None:
            raise google_refusal(404, "NOT_FOUND", f"Secret [{found[1]}] not found or has no versions.")
        data = base64.b64encode(secret.value.encode()).decode()
        return answered({"name": f"{found[1]}/versions/1", "payload": {"data": data}})
