"""Google's key service, over gRPC: real encryption for those whom a stack allows to use a key.

The messages are the vendor's own. Checksums of content are not filled in: they are optional, and the network here loses
nothing.

Source: Cloud KMS API, google.cloud.kms.v1.KeyManagementService; google.iam.v1.IAMPolicy.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import grpc
from google.cloud.kms_v1.types import resources, service
from google.iam.v1 import iam_policy_pb2

from sandbox.errors import SandboxError
from sandbox.stores import gcp
from sandbox.stores.ground import Ground, Key
from sandbox.stores.tokens import Tokens

from .asking import google_caller
from .material import Material, UnreadableError

_GET = "cloudkms.cryptoKeys.get"
_ENCRYPT, _DECRYPT = (f"cloudkms.cryptoKeyVersions.useTo{what}" for what in ("Encrypt", "Decrypt"))
_THREADS = 8
_Version = resources.CryptoKeyVersion


class CloudKms:
    """All key rings of all projects."""

    def __init__(self, ground: Callable[[], Ground], tokens: Tokens, material: Material) -> None:
        self._ground, self._tokens, self._material = ground, tokens, material

    def get(self, request: service.GetCryptoKeyRequest, call: grpc.ServicerContext) -> resources.CryptoKey:
        """What is known of a key."""
        key = self._permitted(call, request.name, _GET)
        state = _Version.CryptoKeyVersionState
        return resources.CryptoKey(
            name=key.id,
            purpose=resources.CryptoKey.CryptoKeyPurpose.ENCRYPT_DECRYPT,
            primary=_Version(
                name=_version(key),
                algorithm=_Version.CryptoKeyVersionAlgorithm.GOOGLE_SYMMETRIC_ENCRYPTION,
                state=state.ENABLED if key.enabled else state.DISABLED,
            ),
        )

    def encrypt(self, request: service.EncryptRequest, call: grpc.ServicerContext) -> service.EncryptResponse:
        """Seal with the key's only version."""
        key = self._usable(call, request.name, _ENCRYPT)
        sealed = self._material.encrypt(key.material, request.plaintext, request.additional_authenticated_data)
        return service.EncryptResponse(name=_version(key), ciphertext=sealed)

    def decrypt(self, request: service.DecryptRequest, call: grpc.ServicerContext) -> service.DecryptResponse:
        """The opposite."""
        key = self._usable(call, request.name, _DECRYPT)
        try:
            plain = self._material.decrypt(key.material, request.ciphertext, request.additional_authenticated_data)
        except UnreadableError:
            _abort(call, grpc.StatusCode.INVALID_ARGUMENT, "Decryption failed: the ciphertext is invalid.")
        return service.DecryptResponse(plaintext=plain, used_primary=True)

    def test(
        self, request: iam_policy_pb2.TestIamPermissionsRequest, call: grpc.ServicerContext
    ) -> iam_policy_pb2.TestIamPermissionsResponse:
        """Which of the permissions the caller has."""
        names = self._names(call)
        held = [one for one in request.permissions if self._may(names, request.resource, one)]
        return iam_policy_pb2.TestIamPermissionsResponse(permissions=held)

    def _names(self, call: grpc.ServicerContext) -> frozenset[str]:
        told = dict(call.invocation_metadata())
        names = google_caller(self._tokens, str(told.get("authorization", "")))
        if names is None:
            _abort(call, grpc.StatusCode.UNAUTHENTICATED, "Request had invalid authentication credentials.")
        return names

    def _may(self, names: frozenset[str], name: str, permission: str) -> bool:
        return gcp.allowed(self._ground().gcp_grants, names, name, permission, {"resource.name": name})

    def _permitted(self, call: grpc.ServicerContext, name: str, permission: str) -> Key:
        if not self._may(self._names(call), name, permission):
            said = f"Permission '{permission}' denied on resource '{name}' (or it may not exist)."
            _abort(call, grpc.StatusCode.PERMISSION_DENIED, said)
        for key in self._ground().keys:
            if key.cloud == "gcp" and key.id == name:
                return key
        return _abort(call, grpc.StatusCode.NOT_FOUND, f"CryptoKey {name} not found.")

    def _usable(self, call: grpc.ServicerContext, name: str, permission: str) -> Key:
        key = self._permitted(call, name, permission)
        if not key.enabled:
            said = f"{_version(key)} is not enabled, current state is: DISABLED."
            _abort(call, grpc.StatusCode.FAILED_PRECONDITION, said)
        return key


def serve(address: str, port: int, kms: CloudKms, pair: tuple[bytes, bytes]) -> grpc.Server:
    """A running server at an address, with a key and a certificate.

    Raises:
        SandboxError: the address is taken, or not this network's.
    """
    # Two that share a port would each get some of the calls.
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=[("grpc.so_reuseport", 0)])
    keys = {
        "GetCryptoKey": _method(kms.get, service.GetCryptoKeyRequest.deserialize, resources.CryptoKey.serialize),
        "Encrypt": _method(kms.encrypt, service.EncryptRequest.deserialize, service.EncryptResponse.serialize),
        "Decrypt": _method(kms.decrypt, service.DecryptRequest.deserialize, service.DecryptResponse.serialize),
    }
    policy = {
        "TestIamPermissions": _method(
            kms.test,
            iam_policy_pb2.TestIamPermissionsRequest.FromString,
            iam_policy_pb2.TestIamPermissionsResponse.SerializeToString,
        )
    }
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler("google.cloud.kms.v1.KeyManagementService", keys),
            grpc.method_handlers_generic_handler("google.iam.v1.IAMPolicy", policy),
        )
    )
    try:
        server.add_secure_port(f"{address}:{port}", grpc.ssl_server_credentials([pair]))
    except RuntimeError as error:
        raise SandboxError(
            f"Nothing can listen at {address}:{port}, so seals of GCP cannot be reached: {error}",
            "Run the services in the lab's own network, one process a lab.",
        ) from error
    server.start()
    return server


def _method(
    work: Callable[[Any, grpc.ServicerContext], Any], read: Callable[[bytes], Any], write: Callable[[Any], bytes]
) -> grpc.RpcMethodHandler[Any, Any]:
    return grpc.unary_unary_rpc_method_handler(work, request_deserializer=read, response_serializer=write)


def _abort(call: grpc.ServicerContext, code: grpc.StatusCode, said: str) -> NoReturn:
    call.abort(code, said)
    raise AssertionError("abort raises")


def _version(key: Key) -> str:
    return f"{key.id}/cryptoKeyVersions/1"
