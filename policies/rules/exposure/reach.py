"""How rules of this area judge what a firewall lets in: nobody from the world, or nobody from outside the mesh."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from policies.concepts.addresses import is_member, is_world, networks, parsed
from policies.concepts.ingress import Ingress
from policies.concepts.ports import Spans, words
from policies.context import Context
from policies.resource import Node, Resource
from policies.rule import Finding, deferred

Judge = Callable[[Ingress, Resource, Context], Iterator[Finding]]


def closed_to_world(guarded: Spans, *, never_exempt: Spans = ()) -> Judge:
    """Some ports are closed to the world.

    Args:
        guarded: the ports.
        never_exempt: those among them whose opening no exemption covers; a port that is not known may be one.
    """

    def judge(rule: Ingress, _resource: Resource, context: Context) -> Iterator[Finding]:
        met = rule.meeting(guarded)
        if rule.denies or not (met or rule.unknown_port):
            return
        trusted = (*networks(context.settings.admin_cidrs), *rule.trusted)
        exemptible = not (never_exempt and (rule.unknown_port or rule.meeting(never_exempt)))
        for source in rule.sources:
            if source.unknown:
                yield deferred(source.path)
            elif is_world(source.value, trusted):
                reached = f"port {words(met)}" if met else "ports that are not known yet"
                yield Finding(source.path, f"lets {_named(source)} reach {reached}", exemptible=exemptible)

    return judge


def mesh_only(guarded: Spans) -> Judge:
    """Some ports are open to groups of machines and to networks of the platform alone."""

    def judge(rule: Ingress, _resource: Resource, context: Context) -> Iterator[Finding]:
        met = rule.meeting(guarded)
        if rule.denies or not (met or rule.unknown_port):
            return
        mesh = networks(context.settings.mesh_cidrs)
        for source in rule.sources:
            if source.unknown:
                yield deferred(source.path)
            elif not is_member(source.value, mesh):
                yield _outside(source, met, rule, f"lets {_named(source)} reach port {words(met)}, which is the mesh's")
        for chosen in rule.lists:
            yield _outside(
                chosen, met, rule, f"lets a prefix list reach port {words(met)}, whose ranges others may change"
            )

    return judge


def _outside(source: Node, met: Spans, rule: Ingress, problem: str) -> Finding:
    return Finding(source.path, problem) if met else deferred(rule.unknown_port)


def _named(source: Node) -> str:
    """A source for a message: only what is an address range is repeated."""
    return str(parsed(source.value) or "whoever the word stands for")
