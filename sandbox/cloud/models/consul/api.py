"""Consul's API, by py-consul, as a `consul.Provider` describes it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import consul
import consul.exceptions
import requests
from consul.callback import CB

from sandbox.cloud.products import Answer, Product
from sandbox.cloud.reaching import ANSWER_SECONDS, Access
from sandbox.cloud.registry import product
from sandbox.cloud.wire import Value


class _Consul(Product):
    title = "Consul"
    token = "token"  # noqa: S105  # the setting's name
    authority = "caFile"
    honoured = frozenset(
        {"address", "scheme", "token", "datacenter", "caFile", "caPem", "certFile", "keyFile", "insecureHttps"}
    )

    def access(self, config: Mapping[str, Value]) -> Access:
        scheme, _, rest = str(config["address"]).rpartition("://")
        shown = (str(config.get("certFile") or ""), str(config.get("keyFile") or ""))
        return Access(
            f"{scheme or config.get('scheme') or 'http'}://{rest.rstrip('/')}",
            str(config.get("token") or ""),
            str(config.get("caFile") or config.get("caPem") or ""),
            verified=str(config.get("insecureHttps")).lower() != "true",
            certificate=shown if all(shown) else None,
        )

    def connect(self, access: Access, session: requests.Session, config: Mapping[str, Value]) -> consul.Consul:
        scheme, _, host = access.url.partition("://")
        name, _, port = host.rpartition(":")
        api = consul.Consul(
            name, int(port), scheme=scheme, dc=config.get("datacenter"), verify=session.verify, cert=access.certificate,
            connections_timeout=ANSWER_SECONDS,
        )  # fmt: skip
        api.token = access.token  # else the environment's would win
        _http(api).session = session
        return api

    def answer(self, error: Exception) -> Answer | None:
        if not isinstance(error, consul.exceptions.ConsulException):
            return None
        told = str(error)
        status = re.match(r"(\d{3}) ", told)
        known = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
        return Answer(int(status[1]) if status else known, told.removeprefix(status[0]) if status else told)


_STATUS = {
    consul.exceptions.ACLPermissionDenied: 403,
    consul.exceptions.ACLDisabled: 401,
    consul.exceptions.NotFound: 404,
    consul.exceptions.BadRequest: 400,
}


def _http(api: consul.Consul) -> Any:  # noqa: ANN401  # the library says None, of what its subclass makes
    return api.http


def get(api: consul.Consul, path: str) -> dict[str, Any]:
    """Ask what the library asks without a token."""
    return _http(api).get(CB.json(), path, headers=api.prepare_headers())


def put(api: consul.Consul, path: str, body: Mapping[str, Value]) -> dict[str, Any]:
    """Send what the library has no call for, or one that sends less: it leaves out what is empty, and so keeps it."""
    return _http(api).put(CB.json(), path, headers=api.prepare_headers(), data=json.dumps(body))


product("consul", _Consul())
