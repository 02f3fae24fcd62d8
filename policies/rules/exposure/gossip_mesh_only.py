"""Gossip and RPC come from the platform's own networks, and from no other private one."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.addresses import is_member, networks
from policies.concepts.clusters import CONSUL, NOMAD
from policies.concepts.ingress import checks
from policies.concepts.ports import GOSSIP_PORTS
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, deferred

from .reach import mesh_only

_FROM = ("access.gossipFrom", "access.rpcFrom")


def _declared(cluster: Resource, context: Context) -> Iterator[Finding]:
    mesh = networks(context.settings.mesh_cidrs)
    for path in _FROM:
        sources = list(cluster.each(f"{path}[]"))
        if not sources:
            yield Finding(path, "must name the mesh's networks")
        for source in sources:
            if source.unknown:
                yield deferred(source.path)
            elif not is_member(source.value, mesh):
                yield Finding(source.path, "must lie in the mesh's networks")


RULE = Rule(
    "gossip-mesh-only",
    (
        Check((CONSUL, NOMAD), _declared, tuple(f"{path}[]" for path in _FROM)),
        *checks(mesh_only(GOSSIP_PORTS)),
    ),
)
