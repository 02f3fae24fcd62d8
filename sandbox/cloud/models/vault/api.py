"""Vault's API, by hvac, as a `vault.Provider` describes it.

Unlike the real provider it makes no child token of the one it is given (as with `skipChildToken`), and logs in nowhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import hvac
import hvac.exceptions
import requests

from sandbox.cloud.products import Answer, Product
from sandbox.cloud.reaching import ANSWER_SECONDS, Access
from sandbox.cloud.registry import product
from sandbox.cloud.wire import Value


class _Vault(Product):
    title = "Vault"
    token = "token"  # noqa: S105  # the setting's name
    authority = "caCertFile"
    honoured = frozenset(
        {"address", "token", "caCertFile", "clientAuth", "skipTlsVerify", "tlsServerName", "maxRetries"}
    )
    idle = frozenset({
        "skipChildToken", "maxLeaseTtlSeconds", "maxRetriesCcc", "tokenName", "skipGetVaultVersion",
        "vaultVersionOverride", "addAddressToEnv",
    })  # fmt: skip

    def access(self, config: Mapping[str, Value]) -> Access:
        shown = config.get("clientAuth") or {}
        shown = json.loads(shown) if isinstance(shown, str) else shown
        return Access(
            str(config["address"]).rstrip("/"),
            str(config.get("token") or ""),
            str(config.get("caCertFile") or ""),
            verified=str(config.get("skipTlsVerify")).lower() != "true",
            certificate=(shown["certFile"], shown["keyFile"]) if shown else None,
            server_name=str(config.get("tlsServerName") or ""),
            retries=int(config.get("maxRetries") or 0),
        )

    def connect(self, access: Access, session: requests.Session, config: Mapping[str, Value]) -> hvac.Client:
        shown: Any = access.certificate or ""  # what is None, hvac looks for in the environment
        return hvac.Client(
            access.url, access.token, cert=shown, verify=session.verify, session=session,
            timeout=ANSWER_SECONDS,
        )  # fmt: skip

    def answer(self, error: Exception) -> Answer | None:
        if not isinstance(error, hvac.exceptions.VaultError):
            return None
        told = "; ".join(map(str, error.errors)) if isinstance(error.errors, list) else str(error.text or error)
        where = f" ({error.method} {error.url})" if error.method else ""
        return Answer(_STATUS.get(type(error), 400), f"{told.strip()}{where}")


_STATUS = {
    hvac.exceptions.Unauthorized: 401,
    hvac.exceptions.Forbidden: 403,
    hvac.exceptions.InvalidPath: 404,
    hvac.exceptions.RateLimitExceeded: 429,
    hvac.exceptions.InternalServerError: 500,
    hvac.exceptions.VaultNotInitialized: 501,
    hvac.exceptions.BadGateway: 502,
    hvac.exceptions.VaultDown: 503,
}


def snake(name: str) -> str:
    """`tokenMaxTtl` as Vault's API calls it."""
    return re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", name)


product("vault", _Vault())
