"""The key services of AWS and Azure: real encryption for those whom a stack allows to use a key.

Owns the judgement and the words; the secret part of keys is `material`'s. Google's key service speaks another
protocol and has a module of its own.

Dangerous edge: AWS's key policy decides before any role's policy does. A key whose policy forgot its account is
nobody's.

Source: KMS API Reference, DescribeKey, Encrypt, Decrypt; Key Vault REST, Get Key, Wrap Key, Unwrap Key.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from sandbox.stores import azure, iam
from sandbox.stores.exchange import Answer, RefusedError, Request, answered
from sandbox.stores.ground import Ground, Key
from sandbox.stores.tokens import Tokens

from .asking import (
    AwsCall,
    aws_answer,
    aws_call,
    aws_refusal,
    azure_denied,
    azure_refusal,
    azure_vault,
)
from .material import Material, UnreadableError, context_bytes
from .places import VAULT_DOMAIN
from .secrets import AzureSecrets

_AZURE_KEYS = "Microsoft.KeyVault/vaults/keys"
_ACTIONS: Mapping[tuple[str, str], str] = {
    ("GET", ""): f"{_AZURE_KEYS}/read",
    ("POST", "wrapkey"): f"{_AZURE_KEYS}/wrap/action",
    ("POST", "unwrapkey"): f"{_AZURE_KEYS}/unwrap/action",
}
"""Data action by method and the path's last word."""
ALGORITHM = "RSA-OAEP-256"
"""The only one that wraps."""


class AwsKeys:
    """Key Management Service of all regions."""

    def __init__(self, ground: Ground, tokens: Tokens, material: Material) -> None:
        self._ground, self._tokens, self._material = ground, tokens, material

    def serves(self, host: str) -> bool:
        """Whether the host is one of its endpoints."""
        return host.startswith("kms.") and host.endswith(".amazonaws.com")

    def handle(self, request: Request) -> Answer:
        """What was asked of a key, for whom its policy and the role's admit."""
        return self.answer(aws_call(self._ground, self._tokens, request, "kms"))

    def answer(self, call: AwsCall) -> Answer:
        """The same of a call that is proven already."""
        operations = {"DescribeKey": self._describe, "Encrypt": self._encrypt, "Decrypt": self._decrypt}
        if call.operation not in operations:
            raise aws_refusal("UnknownOperationException", f"{call.operation} is not modelled", 501)
        return operations[call.operation](call)

    def _describe(self, call: AwsCall) -> Answer:
        key = self._permitted(call, self._find(call, str(call.asked.get("KeyId", ""))))
        about = {
            "KeyId": key.names[0],
            "Arn": key.id,
            "AWSAccountId": key.id.split(":")[4],
            "Enabled": key.enabled,
            "KeyState": "Enabled" if key.enabled else "Disabled",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "KeyManager": "CUSTOMER",
            "Origin": "AWS_KMS",
        }
        return aws_answer({"KeyMetadata": about})

    def _encrypt(self, call: AwsCall) -> Answer:
        key = self._usable(call, self._find(call, str(call.asked.get("KeyId", ""))))
        sealed = self._material.encrypt(key.material, _decoded(call, "Plaintext"), _context(call))
        # Which key it was is part of what is sealed: whoever decrypts need not say.
        name = key.material.encode()
        return self._said(key, "CiphertextBlob", bytes([len(name)]) + name + sealed)

    def _decrypt(self, call: AwsCall) -> Answer:
        blob = _decoded(call, "CiphertextBlob")
        end = 1 + (blob[0] if blob else 0)
        name = blob[1:end].decode(errors="replace")
        here = [key for key in self._keys(call) if key.material == name]
        if not here:
            raise aws_refusal("InvalidCiphertextException", "")
        if "KeyId" in call.asked and self._find(call, str(call.asked["KeyId"])) != here[0]:
            raise aws_refusal(
                "IncorrectKeyException", "The key ID in the request does not identify the ciphertext's key."
            )
        key = self._usable(call, here[0])
        try:
            plain = self._material.decrypt(name, blob[end:], _context(call))
        except UnreadableError as error:
            raise aws_refusal("InvalidCiphertextException", "") from error
        return self._said(key, "Plaintext", plain)

    def _said(self, key: Key, what: str, data: bytes) -> Answer:
        return aws_answer(
            {"KeyId": key.id, what: base64.b64encode(data).decode(), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}
        )

    def _keys(self, call: AwsCall) -> list[Key]:
        return [key for key in self._ground.keys if key.cloud == "aws" and key.place == call.region]

    def _find(self, call: AwsCall, asked: str) -> Key:
        for key in self._keys(call):
            stem = key.id.rpartition(":")[0]
            if asked in (key.id, *key.names, *(f"{stem}:{name}" for name in key.names)):
                return key
        raise aws_refusal("NotFoundException", f"Key '{asked}' does not exist in {call.region}")

    def _permitted(self, call: AwsCall, key: Key) -> Key:
        action = f"kms:{call.operation}"
        told: Mapping[str, str] = call.asked.get("EncryptionContext") or {}
        context = {**call.context(), **{f"kms:encryptioncontext:{name.lower()}": told[name] for name in told}}
        role = call.session.role
        if not call.of_account(key.id) or not iam.allowed_key(call.policies, key.policy, action, key.id, context, role):
            raise call.denied(action, key.id)
        return key

    def _usable(self, call: AwsCall, key: Key) -> Key:
        if not self._permitted(call, key).enabled:
            raise aws_refusal("DisabledException", f"{key.id} is disabled.")
        return key


def _decoded(call: AwsCall, what: str) -> bytes:
    try:
        return base64.b64decode(str(call.asked.get(what, "")), validate=True)
    except binascii.Error as error:
        raise aws_refusal("SerializationException", f"{what} is not base64.") from error


def _context(call: AwsCall) -> bytes:
    return context_bytes(call.asked.get("EncryptionContext") or {})


class AzureVaults:
    """Key vaults: their keys here, their secrets in `secrets`."""

    def __init__(self, ground: Ground, tokens: Tokens, material: Material) -> None:
        self._ground, self._tokens, self._material = ground, tokens, material
        self._secrets = AzureSecrets(ground, tokens)
        self._keys = {(key.place, key.names[0]): key for key in ground.keys if key.cloud == "azure"}

    def serves(self, host: str) -> bool:
        """Whether the host is a vault's."""
        return host.endswith(VAULT_DOMAIN)

    def handle(self, request: Request) -> Answer:
        """What was asked of a key or a secret, for whom an assignment admits."""
        words = request.path.split("/")[1:]
        if words[0] == "secrets" and len(words) > 1:
            return self._secrets.handle(request)
        vault, names = azure_vault(self._ground, self._tokens, request)
        if words[0] != "keys" or len(words) < 2:
            raise azure_refusal(501, "NotModelled", f"{request.path} is not modelled")
        # Whoever names no version leaves its place empty, or leaves it out.
        name, what = words[1], words[-1] if words[-1] in ("wrapkey", "unwrapkey") else ""
        version = next(iter(word for word in words[2:] if word != what), "")
        action, thing = _ACTIONS.get((request.method, what)), f"{vault.id}/keys/{name}"
        if action is None:
            raise azure_refusal(501, "NotModelled", f"{request.method} {what} is not modelled")
        if not azure.allowed(self._ground.azure_grants, names, thing, action, {}):
            raise azure_denied(action, thing)
        if (key := self._keys.get((vault.name, name))) is None:
            raise _no_key(name)
        return self._done(request, key, version, what)

    def _done(self, request: Request, key: Key, version: str, what: str) -> Answer:
        pair = self._material.pair(key.material, key.bits)
        if version not in ("", pair.version):
            raise _no_key(f"{key.names[0]}/{version}")
        kid = f"https://{request.host}/keys/{key.names[0]}/{pair.version}"
        if not what:
            modulus, exponent = pair.numbers()
            shown = {"kid": kid, "kty": "RSA-HSM", "key_ops": ["wrapKey", "unwrapKey"]}
            return answered(
                {
                    "key": {**shown, "n": _packed(modulus), "e": _packed(exponent)},
                    "attributes": {"enabled": key.enabled, "recoveryLevel": "Recoverable"},
                }
            )
        if not key.enabled:
            said = f"Operation {what} is not allowed on a disabled key."
            raise azure_refusal(403, "Forbidden", said, "KeyDisabled")
        try:
            asked: dict[str, Any] = json.loads(request.content())
            value = base64.urlsafe_b64decode(asked["value"] + "=" * (-len(asked["value"]) % 4))
            if asked["alg"] != ALGORITHM:
                raise azure_refusal(400, "BadParameter", f"The algorithm {asked['alg']} is not modelled.")
            done = (pair.wrap if what == "wrapkey" else pair.unwrap)(value)
        except (KeyError, TypeError, ValueError, UnreadableError) as error:
            raise azure_refusal(400, "BadParameter", "The parameter is incorrect.") from error
        return answered({"kid": kid, "value": _packed(done)})


def _no_key(name: str) -> RefusedError:
    return azure_refusal(404, "KeyNotFound", f"A key with (name/id) {name} was not found in this key vault.")


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
