"""Boundary's ports are open to those who need them, and the proxy to users only where the cluster says so."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.addresses import is_world, networks, parsed, within
from policies.concepts.clusters import BOUNDARY
from policies.concepts.facing import of_workers, unless_declared
from policies.concepts.ingress import Ingress, checks
from policies.concepts.ports import OPERATIONS_PORTS, PROXY_PORTS, WORKER_PORTS
from policies.conditions import NOT_TRUE
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, advice
from policies.values import as_bool

from .reach import closed_to_world, mesh_only

_PROXY = "proxy"


def _declared(cluster: Resource, context: Context) -> Iterator[Finding]:
    faces_users = as_bool(cluster.get("workers.publicProxy")) is True
    for listener in cluster.each("listeners[]"):
        # Both are read before either decides: each must be plain.
        purpose, public = listener.get("purpose"), listener.get("public")
        if not NOT_TRUE.holds(public) and (purpose != _PROXY or not faces_users):
            yield Finding(f"{listener.path}.public", "must not be true, but for a proxy where `workers.publicProxy` is")
    trusted = networks(context.settings.admin_cidrs)
    for source in cluster.each("workers.from[]"):
        if is_world(source.known(), trusted) and not faces_users:
            yield Finding(source.path, "must not be the world where `workers.publicProxy` is not true")


_mesh_only = mesh_only((*WORKER_PORTS, *OPERATIONS_PORTS))
_closed_proxy = closed_to_world(PROXY_PORTS)


def _scoped(rule: Ingress, resource: Resource, context: Context) -> Iterator[Finding]:
    yield from _mesh_only(rule, resource, context)
    yield from _whole_networks(rule, context)
    if not of_workers(resource):
        yield from _closed_proxy(rule, resource, context)


def _whole_networks(rule: Ingress, context: Context) -> Iterator[Finding]:
    """Advice on rules written for this port alone: what opens every port answers another question."""
    mesh = networks(context.settings.mesh_cidrs)
    if set(rule.spans) == set(WORKER_PORTS) and not rule.denies:
        for source in rule.sources:
            network = parsed(source.value)
            if network is not None and any(within(member, (network,)) for member in mesh):
                yield advice(source.path, "lets a whole network reach port 9201, where the workers' addresses would do")


RULE = Rule(
    "boundary-ports-scoped",
    (
        Check(
            (BOUNDARY,),
            _declared,
            ("listeners[].purpose", "listeners[].public", "workers.publicProxy", "workers.from[]"),
            unknown="fail",
        ),
        *checks(_scoped),
        unless_declared(*checks(_closed_proxy)),
    ),
)
