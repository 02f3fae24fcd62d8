"""Nomad's API, by python-nomad's endpoints, as a `nomad.Provider` describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import requests
from nomad.api.acl import Acl
from nomad.api.exceptions import BaseNomadException
from nomad.api.namespace import Namespace
from nomad.api.variable import Variable

from sandbox.cloud.products import Answer, Product, unanswered
from sandbox.cloud.reaching import ANSWER_SECONDS, Access
from sandbox.cloud.registry import product
from sandbox.cloud.wire import Value


@dataclass(frozen=True)
class Api:
    """The endpoints that actors need. `nomad.Nomad` would fill gaps from the environment."""

    acl: Acl
    namespace: Namespace
    variable: Variable


class _Nomad(Product):
    title = "Nomad"
    token = "secretId"  # noqa: S105  # the setting's name
    authority = "caFile"
    honoured = frozenset({"address", "secretId", "region", "caFile", "caPem", "certFile", "keyFile", "skipVerify"})
    idle = frozenset({"ignoreEnvVars"})

    def access(self, config: Mapping[str, Value]) -> Access:
        shown = (str(config.get("certFile") or ""), str(config.get("keyFile") or ""))
        return Access(
            str(config["address"]).rstrip("/"),
            str(config.get("secretId") or ""),
            str(config.get("caFile") or config.get("caPem") or ""),
            verified=str(config.get("skipVerify")).lower() != "true",
            certificate=shown if all(shown) else None,
        )

    def connect(self, access: Access, session: requests.Session, config: Mapping[str, Value]) -> Api:
        options = {
            "address": access.url, "token": access.token, "region": config.get("region"), "session": session,
            "verify": session.verify, "cert": access.certificate or (), "timeout": ANSWER_SECONDS,
        }  # fmt: skip
        return Api(Acl(**options), Namespace(**options), Variable(**options))

    def answer(self, error: Exception) -> Answer | None:
        if not isinstance(error, BaseNomadException):
            return None
        told = error.nomad_resp
        if isinstance(told, requests.Response):
            return Answer(told.status_code, told.text)
        return unanswered(told, self)  # the library wraps what happened to the connection


product("nomad", _Nomad())
