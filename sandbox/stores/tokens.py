"""Who is who: sessions of roles, bearer tokens, and identity tokens that one cloud makes and another verifies.

All of it is random, lives in the gateway's memory and ends with it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

LIFE = 3600


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
    """What was issued."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.bearers: dict[str, Bearer] = {}
        self._key = secrets.token_bytes(32)

    def session(self, role: str, name: str) -> Session:
        """New credentials of a role."""
        made = Session(
            f"ASIA{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30), secrets.token_urlsafe(90), role, name
        )
        self.sessions[made.key] = made
        return made

    def bearer(self, audience: str, *names: str) -> str:
        """A new access token."""
        made = secrets.token_urlsafe(60)
        self.bearers[made] = Bearer(audience, frozenset(names))
        return made

    def identity(self, claims: dict[str, Any]) -> str:
        """A signed identity token."""
        now = int(time.time())
        parts = [{"alg": "HS256", "typ": "JWT"}, {"iat": now, "exp": now + LIFE, **claims}]
        text = ".".join(_packed(json.dumps(part).encode()) for part in parts)
        return f"{text}.{self._signature(text)}"

    def claims(self, token: str) -> dict[str, Any] | None:
        """What an identity token says; None where its signature or its time is not right."""
        text, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature, self._signature(text)):
            return None
        body = text.partition(".")[2]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return claims if claims["exp"] > time.time() else None

    def _signature(self, text: str) -> str:
        return _packed(hmac.digest(self._key, text.encode(), hashlib.sha256))


def _packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
