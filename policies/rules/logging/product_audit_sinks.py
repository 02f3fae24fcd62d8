"""Consul, Nomad and Boundary write what was done to a sink that the log pipeline collects."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.clusters import BOUNDARY, CONSUL, NOMAD
from policies.conditions import LITERAL, one_of
from policies.context import Context
from policies.resource import Node, Resource
from policies.rule import Check, Finding, Rule, advice, each, need, on

_LOG = "stderr-json"
_KINDS = one_of("file", _LOG, "syslog")
_EDITION = one_of("community", "enterprise")


def _sinks(resource: Resource, _: Context) -> Iterator[Finding]:
    if not list(resource.each("audit[]")):
        yield Finding("audit", "must name a sink")


def _server_log(resource: Resource, _: Context) -> Iterator[Finding]:
    """Only the enterprise edition of these two has an audit log of its own."""
    edition = resource.get("edition")
    if {node.known() for node in resource.each("audit[].type")} != {_LOG}:
        return
    if edition == "enterprise":
        yield Finding("audit", "must name a sink beside the server's log: this edition has an audit log")
    else:
        yield advice("audit", "is the server's log in JSON, since this edition has no audit log")


def _sink(sink: Node, _resource: Resource, _context: Context) -> Iterator[Finding]:
    for path, condition in (("type", _KINDS), ("target", LITERAL)):
        if not condition.holds(sink.get(path)):
            yield Finding(sink.at(path).path, condition.says)


_PRODUCTS = (CONSUL, NOMAD, BOUNDARY)

RULE = Rule(
    "product-audit-sinks",
    (
        on(_PRODUCTS, need("edition", _EDITION), unknown="fail"),
        Check(_PRODUCTS, _sinks),
        each(_PRODUCTS, "audit[]", _sink, ("type", "target"), unknown="fail"),
        Check((CONSUL, NOMAD), _server_log, ("audit[].type", "edition"), unknown="fail"),
    ),
)
