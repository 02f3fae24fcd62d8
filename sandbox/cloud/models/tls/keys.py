"""pulumi-tls 5.6: private keys. Real ones, in the real provider's encodings.

Source: documentation of tls_private_key; ECDSA P224 has no OpenSSH form, which the provider answers by empty strings.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Final, TypeAlias

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Call, Draft
from sandbox.cloud.errors import Refusal
from sandbox.cloud.registry import invoke, model
from sandbox.cloud.wire import Secret, Value

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
_CURVES: Final[dict[str, ec.EllipticCurve]] = {
    "P224": ec.SECP224R1(), "P256": ec.SECP256R1(), "P384": ec.SECP384R1(), "P521": ec.SECP521R1(),
}  # fmt: skip
_ALGORITHMS: Final = ("RSA", "ECDSA", "ED25519")
_PEM: Final = serialization.Encoding.PEM
_NO_PASSWORD: Final = serialization.NoEncryption()

private_key = model(
    "tls:index/privateKey:PrivateKey",
    immutable=("algorithm", "ecdsaCurve", "rsaBits"),
    outputs={"ecdsaCurve": "P224", "rsaBits": 2048},
    slow=True,
)


@private_key.check
def _known_algorithm(draft: Draft) -> Iterator[Failure]:
    algorithm, curve = draft.known("algorithm"), draft.known("ecdsaCurve")
    if algorithm is not None and algorithm not in _ALGORITHMS:
        yield draft.fail("algorithm", f"value must be one of {', '.join(_ALGORITHMS)}, got {algorithm}")
    if curve is not None and curve not in _CURVES:
        yield draft.fail("ecdsaCurve", f"value must be one of {', '.join(_CURVES)}, got {curve}")


@private_key.compute
def _make(draft: Draft) -> dict[str, Value]:
    if draft.old:
        return {}
    key = _generate(draft)
    pkcs8 = _text(key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, _NO_PASSWORD))
    traditional = pkcs8
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        traditional = _text(key.private_bytes(_PEM, serialization.PrivateFormat.TraditionalOpenSSL, _NO_PASSWORD))
    openssh = ""
    if openssh_line(key.public_key()):
        openssh = _text(key.private_bytes(_PEM, serialization.PrivateFormat.OpenSSH, _NO_PASSWORD))
    return {
        "privateKeyPem": Secret(traditional),
        "privateKeyPemPkcs8": Secret(pkcs8),
        "privateKeyOpenssh": Secret(openssh),
        **described(key.public_key()),
    }


def _generate(draft: Draft) -> PrivateKey:
    algorithm = draft.get("algorithm")
    if algorithm == "RSA":
        return rsa.generate_private_key(65537, draft.get("rsaBits", 2048))
    if algorithm == "ECDSA":
        return ec.generate_private_key(_CURVES[draft.get("ecdsaCurve", "P224")])
    return ed25519.Ed25519PrivateKey.generate()


def described(public: PublicKey) -> dict[str, Value]:
    """The outputs that speak of a public key, and the id: SHA-1 of its DER form."""
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    pem = _text(public.public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    line = openssh_line(public)
    blob = base64.b64decode(line.split()[1]) if line else b""
    md5 = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    sha256 = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return {
        "id": hashlib.sha1(der, usedforsecurity=False).hexdigest(),
        "publicKeyPem": pem,
        "publicKeyOpenssh": f"{line}\n" if line else "",
        "publicKeyFingerprintMd5": ":".join(md5[i : i + 2] for i in range(0, 32, 2)) if line else "",
        "publicKeyFingerprintSha256": f"SHA256:{sha256}" if line else "",
    }


def openssh_line(public: PublicKey) -> str:
    """The line for authorized_keys; empty for P224, which OpenSSH does not know."""
    if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name == "secp224r1":
        return ""
    return _text(public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH))


def algorithm_of(key: PrivateKey) -> str:
    """The provider's name for a key's algorithm."""
    if isinstance(key, rsa.RSAPrivateKey):
        return "RSA"
    return "ECDSA" if isinstance(key, ec.EllipticCurvePrivateKey) else "ED25519"


def read_key(pem: Value, path: str) -> PrivateKey:
    """Read a private key in PEM; the error does not quote it."""
    try:
        key = serialization.load_pem_private_key(str(pem).encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)):
        raise Refusal("InvalidPem", f"{path}: failed to decode a private key in PEM of RSA, ECDSA or ED25519")
    return key


@invoke("tls:index/getPublicKey:getPublicKey")
def get_public_key(call: Call) -> dict[str, Value]:
    """The public half of a private key."""
    key = read_key(call.arguments.get("privateKeyPem") or call.arguments.get("privateKeyOpenssh"), "privateKeyPem")
    return {**call.arguments, "algorithm": algorithm_of(key), **described(key.public_key())}


def _text(raw: bytes) -> str:
    return raw.decode()
