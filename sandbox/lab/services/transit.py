"""The clouds' key services as a transit engine, for the OpenBao that stands in for a Vault: it knows no cloud's seal.

Owns the way in and the words of the answers. Which machine asks is known by its address, as with the metadata services;
then its own cloud's key service is asked in its name, so that grants, policies and disabled keys count as they do for
Vault's own seals, and refuse in that cloud's words. As those seals do, the key wraps a key, and that seals the data.

Source: Vault's transit API, Encrypt Data and Decrypt Data; `sandbox.lab.openbao` names the keys.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import os
from collections.abc import Mapping
from typing import Any, NoReturn, cast

import grpc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.cloud.kms_v1.types import service

from sandbox.lab.openbao import SEAL_HOST
from sandbox.stores.azure import VAULTS
from sandbox.stores.exchange import Answer, RefusedError, Request, answered
from sandbox.stores.gcp import GOOGLE
from sandbox.stores.ground import Cloud, Ground, Machine
from sandbox.stores.tokens import Tokens

from .asking import aws_session_call
from .cloudkms import CloudKms
from .keys import ALGORITHM, AwsKeys, AzureVaults
from .material import Material
from .places import VAULT_DOMAIN

_CLOUDS: Mapping[str, Cloud] = {"awskms": "aws", "azurekeyvault": "azure", "gcpckms": "gcp"}
_VERSION = "vault:v1:"
_NONCE, _KEY_BITS = 12, 256


class Transit:
    """One engine for each kind of seal, mounted under the seal's name."""

    def __init__(self, ground: Ground, tokens: Tokens, material: Material) -> None:
        self._ground, self._tokens = ground, tokens
        self._aws, self._azure = AwsKeys(ground, tokens, material), AzureVaults(ground, tokens, material)
        self._gcp = CloudKms(lambda: ground, tokens, material)
        self._machines = {machine.address: machine for machine in ground.machines}

    def serves(self, host: str) -> bool:
        """Whether the host is the engine's."""
        return host == SEAL_HOST

    def handle(self, request: Request) -> Answer:
        """`encrypt` or `decrypt` with a key of the asking machine's cloud."""
        words = request.path.split("/", 4)
        if len(words) < 5 or words[1] != "v1" or words[2] not in _CLOUDS or words[3] not in ("encrypt", "decrypt"):
            raise _refused(404, f"{request.path} is not modelled")
        _, _, kind, what, name = words
        machine = self._machines.get(request.source)
        if machine is None or machine.cloud != _CLOUDS[kind]:
            raise _refused(403, f"no machine of {_CLOUDS[kind]} asks from {request.source}")
        key = _Key(self, machine, name)
        try:
            asked: dict[str, Any] = json.loads(request.content())
            if what == "encrypt":
                data = key.sealed(base64.b64decode(asked["plaintext"], validate=True))
                return answered({"data": {"ciphertext": _VERSION + base64.b64encode(data).decode()}})
            sealed = base64.b64decode(str(asked["ciphertext"]).removeprefix(_VERSION), validate=True)
            return answered({"data": {"plaintext": base64.b64encode(key.opened(sealed)).decode()}})
        except RefusedError as refused:
            raise _refused(403, f"{name}: {refused.answer.body}") from refused
        except (KeyError, TypeError, ValueError, binascii.Error, InvalidTag) as error:
            raise _refused(400, f"{name}: what was sent cannot be read") from error

    def asked(self, machine: Machine, name: str, data: bytes, *, wrap: bool) -> bytes:
        """What the key service of a machine's cloud makes of a few bytes, asked by that machine.

        Raises:
            RefusedError: it refuses, in its own words.
        """
        return {"aws": self._of_aws, "azure": self._of_azure, "gcp": self._of_gcp}[machine.cloud](
            machine, name, data, wrap
        )

    def _of_aws(self, machine: Machine, name: str, data: bytes, wrap: bool) -> bytes:  # noqa: FBT001
        region, _, key = name.partition("/")
        given, got = ("Plaintext", "CiphertextBlob") if wrap else ("CiphertextBlob", "Plaintext")
        session = self._tokens.session(machine.identity, f"i-{machine.name}")
        asked = {"KeyId": key, given: base64.b64encode(data).decode()}
        call = aws_session_call(self._ground, session, region, "Encrypt" if wrap else "Decrypt", asked)
        return base64.b64decode(json.loads(self._aws.answer(call).body)[got])

    def _of_azure(self, machine: Machine, name: str, data: bytes, wrap: bool) -> bytes:  # noqa: FBT001
        vault, _, key = name.partition("/")
        held = [one.principal for one in self._ground.identities if one.client == machine.identity]
        body = {"alg": ALGORITHM, "value": base64.urlsafe_b64encode(data).decode().rstrip("=")}
        asking = Request(
            "POST",
            vault + VAULT_DOMAIN,
            f"/keys/{key}/{'wrapkey' if wrap else 'unwrapkey'}?api-version=7.4",
            {"authorization": f"Bearer {self._tokens.bearer(VAULTS, *held)}"},
            machine.address,
            io.BytesIO(json.dumps(body).encode()),
            {},
        )
        value: str = json.loads(self._azure.handle(asking).body)["value"]
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))

    def _of_gcp(self, machine: Machine, name: str, data: bytes, wrap: bool) -> bytes:  # noqa: FBT001
        token = self._tokens.bearer(GOOGLE, f"serviceAccount:{machine.identity}")
        call = cast("grpc.ServicerContext", _Call(token))
        if wrap:
            return self._gcp.encrypt(service.EncryptRequest(name=name, plaintext=data), call).ciphertext
        return self._gcp.decrypt(service.DecryptRequest(name=name, ciphertext=data), call).plaintext


class _Key:
    """A key as a machine uses it."""

    def __init__(self, transit: Transit, machine: Machine, name: str) -> None:
        self._transit, self._machine, self._name = transit, machine, name

    def sealed(self, plain: bytes) -> bytes:
        """A new key, wrapped, and what it seals."""
        own, nonce = AESGCM.generate_key(_KEY_BITS), os.urandom(_NONCE)
        wrapped = self._transit.asked(self._machine, self._name, own, wrap=True)
        return len(wrapped).to_bytes(2) + wrapped + nonce + AESGCM(own).encrypt(nonce, plain, None)

    def opened(self, sealed: bytes) -> bytes:
        """The opposite."""
        end = 2 + int.from_bytes(sealed[:2])
        own = self._transit.asked(self._machine, self._name, sealed[2:end], wrap=False)
        return AESGCM(own).decrypt(sealed[end : end + _NONCE], sealed[end + _NONCE :], None)


class _Call:
    """A call of Google's key service that did not come over the network: who asks, and its refusal."""

    def __init__(self, token: str) -> None:
        self._token = token

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self._token}"),)

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        raise RefusedError(Answer(403, f"{code.name}: {details}"))


def _refused(status: int, why: str) -> RefusedError:
    return RefusedError(Answer(status, json.dumps({"errors": [why]}), {"Content-Type": "application/json"}))
