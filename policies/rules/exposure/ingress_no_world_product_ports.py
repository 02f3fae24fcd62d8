"""No firewall rule opens a port of a product to the world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from policies.concepts.facing import of_workers
from policies.concepts.ingress import ACL_RULE, FIREWALLS, SERVICES, Ingress, checks
from policies.concepts.ports import DATABASE_PORTS, GOSSIP_PORTS, PRODUCT_PORTS, PROXY_PORTS
from policies.context import Context
from policies.resource import Resource
from policies.rule import Finding, Rule

from .reach import closed_to_world

_NEVER_EXEMPT = (*GOSSIP_PORTS, *DATABASE_PORTS)
_EVERYWHERE = closed_to_world(PRODUCT_PORTS, never_exempt=_NEVER_EXEMPT)
_OF_WORKERS = closed_to_world(
    tuple(span for span in PRODUCT_PORTS if span not in PROXY_PORTS), never_exempt=_NEVER_EXEMPT
)
"""Whether users may reach the proxy is `boundary-ports-scoped`'s to say."""


def _closed(rule: Ingress, resource: Resource, context: Context) -> Iterator[Finding]:
    return (_OF_WORKERS if of_workers(resource) else _EVERYWHERE)(rule, resource, context)


def _advised(rule: Ingress, resource: Resource, context: Context) -> Iterator[Finding]:
    for finding in _EVERYWHERE(rule, resource, context):
        yield replace(finding, kind="advice") if finding.kind == "violation" else finding


RULE = Rule(
    "ingress-no-world-product-ports",
    (*checks(_closed, {**FIREWALLS, **SERVICES}), *checks(_advised, ACL_RULE)),
)
