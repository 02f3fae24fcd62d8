"""Consul and Nomad verify who they talk to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from policies.concepts.charts import RELEASE, chart
from policies.concepts.clusters import CONSUL, NOMAD
from policies.conditions import TRUE, advised, one_of
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, need, on
from policies.values import ABSENT, as_bool

_ENTRY = "consul:index/configEntry:ConfigEntry"
_MINIMUM = ("TLSv1_2", "TLSv1_3")


def _mesh_entry(entry: Resource, _: Context) -> Iterator[Finding]:
    if entry.get("kind") != "mesh":
        return
    if _minimum(entry.get("configJson")) not in _MINIMUM:
        yield Finding("configJson", f"must set TLS.Incoming.TLSMinVersion to {' or '.join(_MINIMUM)}")


def _minimum(text: Any) -> object:  # noqa: ANN401 - any JSON value, or ABSENT
    """The lowest version that the mesh takes; None where the text says none."""
    try:
        return json.loads(text)["TLS"]["Incoming"]["TLSMinVersion"]
    except (ValueError, KeyError, TypeError):
        return None


def _chart(release: Resource, _: Context) -> Iterator[Finding]:
    if chart(release) != "consul":
        return
    for name in ("enabled", "verify"):
        if as_bool(release.get(f"values.global.tls.{name}")) is not True:
            yield Finding(f"values.global.tls.{name}", TRUE.says)
    if release.get("values.global.tls.httpsOnly") not in (ABSENT, True):
        yield Finding("values.global.tls.httpsOnly", "must not be false")


RULE = Rule(
    "product-mtls",
    (
        on(
            CONSUL,
            need("tls.verifyIncoming", TRUE),
            need("tls.verifyOutgoing", TRUE),
            need("tls.verifyServerHostname", TRUE),
            need("tls.minVersion", one_of(*_MINIMUM)),
            unknown="fail",
        ),
        on(
            NOMAD,
            need("tls.http", TRUE),
            need("tls.rpc", TRUE),
            need("tls.verifyServerHostname", TRUE),
            need("tls.verifyHttpsClient", advised(TRUE)),
            need("tls.minVersion", one_of("tls12", "tls13")),
            unknown="fail",
        ),
        Check((_ENTRY,), _mesh_entry, ("kind", "configJson"), "fail"),
        Check(
            (RELEASE,),
            _chart,
            ("chart", *(f"values.global.tls.{name}" for name in ("enabled", "verify", "httpsOnly"))),
            "fail",
        ),
    ),
)
