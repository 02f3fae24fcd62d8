"""Who is who: sessions of roles, bearer tokens, and identity tokens that one cloud makes and another verifies.

Everything is signed with one key and nothing is remembered: whoever has the key knows what was issued before a restart.

Dangerous edge: the key is every identity at once. It stays with the process, or in a file that its owner alone reads.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any, Literal

LIFE = 3600
Kind = Literal["session", "bearer", "identity", "metadata"]
"""What a token is for: one of a kind is never taken for another."""


@dataclass(frozen=True)
class Session:
    """Credentials of a role."""

    key: str
    secret: str
    token: str
    role: str
    name: str

    @property
    def arn(self) -> str:
        """What `GetCallerIdentity` says."""
        _, partition, _, _, account, path = self.role.split(":")
        return f"arn:{partition}:sts::{account}:assumed-role/{path.rpartition('/')[2]}/{self.name}"


@dataclass(frozen=True)
class Bearer:
    """An access token: for which service, and all the names that its holder goes by in grants."""

    audience: str
    names: frozenset[str]


class Tokens:
    """Issues and opens them."""

    def __init__(self, key: bytes | None = None, life: int = LIFE) -> None:
        self._key = key or secrets.token_bytes(32)
        self.life = life

    def session(self, role: str, name: str) -> Session:
        """New credentials of a role."""
        key = f"ASIA{secrets.token_hex(8).upper()}"
        return self._session(key, role, name, self._signed("session", {"key": key, "role": role, "name": name}))

    def opened(self, key: str, token: str) -> Session | None:
        """The session of an access key and its token; None where they are not of this place, or over."""
        found = self._opened("session", token)
        if found is None or found["key"] != key:
            return None
        return self._session(key, found["role"], found["name"], token)

    def bearer(self, audience: str, *names: str) -> str:
        """A new access token."""
        return self._signed("bearer", {"aud": audience, "names": names})

    def holder(self, authorization: str) -> Bearer | None:
        """Who sends this `Authorization` header; None for nobody."""
        found = self._opened("bearer", authorization.removeprefix("Bearer "))
        return Bearer(found["aud"], frozenset(found["names"])) if found else None

    def until(self) -> int:
        """When what is issued now ends."""
        return int(time.time()) + self.life

    def ends(self) -> str:
        """The same, as AWS writes it."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.until()))

    def metadata(self, address: str, life: int) -> str:
        """A session with the metadata service, for the machine at an address."""
        return self._signed("metadata", {"sub": address}, life)

    def admits(self, token: str, address: str) -> bool:
        """Whether a session with the metadata service is the machine's own."""
        found = self._opened("metadata", token)
        return found is not None and found["sub"] == address

    def identity(self, claims: dict[str, Any]) -> str:
        """A signed identity token."""
        return self._signed("identity", claims)

    def claims(self, token: str) -> dict[str, Any] | None:
        """What an identity token says; None where its signature or its time is not right."""
        return self._opened("identity", token)

    def _session(self, key: str, role: str, name: str, token: str) -> Session:
        return Session(key, self._mac(f"secret of {key}"), token, role, name)

    def _signed(self, kind: Kind, claims: dict[str, Any], life: int = 0) -> str:
        now = int(time.time())
        # As in life, the kind stands in the header and the claims are the issuer's own.
        parts = [{"alg": "HS256", "typ": "JWT", "kid": kind}, {"iat": now, "exp": now + (life or self.life), **claims}]
        text = ".".join(_packed(json.dumps(part).encode()) for part in parts)
        return f"{text}.{self._mac(text)}"

    def _opened(self, kind: Kind, token: str) -> dict[str, Any] | None:
        text, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._mac(text).encode()):
            return None
        try:
            header, claims = (json.loads(_unpacked(part)) for part in text.split("."))
        except (ValueError, binascii.Error):
            return None
        return claims if header["kid"] == kind and claims["exp"] > time.time() else None

    def _mac(self, text: str) -> str:
        return _packed(hmac.digest(self._key, text.encode(), hashlib.sha256))


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
