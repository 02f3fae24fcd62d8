"""Keys that never leave the key service: made when first used, kept in the lab's folder, the same after every restart.

Owns the secret part of keys and the mathematics. Who may use which key, and whether it is enabled, is for those who
answer requests.

Dangerous edge: whoever loses the folder loses all that was sealed, as with the clouds' own.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .kept import kept

_NONCE = 12
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


class UnreadableError(Exception):
    """It was not encrypted with this key, or not with the same additional data."""


@dataclass(frozen=True)
class Pair:
    """A version of an RSA key."""

    version: str
    private: rsa.RSAPrivateKey

    def numbers(self) -> tuple[bytes, bytes]:
        """Modulus and exponent."""
        found = self.private.public_key().public_numbers()
        return found.n.to_bytes((found.n.bit_length() + 7) // 8), found.e.to_bytes(3)

    def wrap(self, plain: bytes) -> bytes:
        """RSA-OAEP-256.

        Raises:
            UnreadableError: it is too long.
        """
        try:
            return self.private.public_key().encrypt(plain, _OAEP)
        except ValueError as error:
            raise UnreadableError from error

    def unwrap(self, wrapped: bytes) -> bytes:
        """The opposite.

        Raises:
            UnreadableError: it was wrapped by another.
        """
        try:
            return self.private.decrypt(wrapped, _OAEP)
        except ValueError as error:
            raise UnreadableError from error


class Material:
    """The keys of a lab."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._pairs: dict[str, Pair] = {}

    def encrypt(self, name: str, plain: bytes, context: bytes = b"") -> bytes:
        """AES-256-GCM with the key of this name."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher(name).encrypt(nonce, plain, context)

    def decrypt(self, name: str, sealed: bytes, context: bytes = b"") -> bytes:
        """The opposite.

        Raises:
            UnreadableError: it was not encrypted so.
        """
        try:
            return self._cipher(name).decrypt(sealed[:_NONCE], sealed[_NONCE:], context)
        except (InvalidTag, ValueError) as error:
            raise UnreadableError from error

    def pair(self, name: str, bits: int) -> Pair:
        """The RSA key of this name."""
        with self._lock:
            if name not in self._pairs:
                text = kept(self._file(name, "pair"), lambda: _new_pair(bits))
                key = serialization.load_pem_private_key(text, None)
                if not isinstance(key, rsa.RSAPrivateKey):
                    raise TypeError(f"{name} is no RSA key")
                self._pairs[name] = Pair(_version(key), key)
            return self._pairs[name]

    def _cipher(self, name: str) -> AESGCM:
        return AESGCM(kept(self._file(name, "key"), lambda: AESGCM.generate_key(256)))

    def _file(self, name: str, kind: str) -> Path:
        """Names of keys are paths and longer than a file's name may be."""
        return self._folder / f"{hashlib.sha256(name.encode()).hexdigest()}.{kind}"


def _new_pair(bits: int) -> bytes:
    return rsa.generate_private_key(65537, bits).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _version(key: rsa.RSAPrivateKey) -> str:
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()[:32]


def context_bytes(context: Mapping[str, str]) -> bytes:
    """An encryption context as additional data: the order of its entries does not matter."""
    return repr(sorted(context.items())).encode()
