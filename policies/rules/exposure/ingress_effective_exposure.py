"""All rules that reach one group, together, open no guarded port to the world."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policies.concepts.addresses import networks
from policies.concepts.clusters import BOUNDARY
from policies.concepts.facing import DECLARED, declared, of_workers
from policies.concepts.ingress import (
    AZURE_GROUP,
    AZURE_RULE,
    DEFAULT_GROUP,
    FIREWALLS,
    GCP_FIREWALL,
    GROUP_RULES,
    SECURITY_GROUP,
)
from policies.concepts.ports import ADMIN_PORTS, PRODUCT_PORTS, PROXY_PORTS, Spans, words
from policies.concepts.unions import PREFIX_ENTRY, PREFIX_LIST, Group, Unions, opened
from policies.context import Context
from policies.resource import Resource, World
from policies.rule import Finding, Rule, across

_GUARDED: Spans = (*PRODUCT_PORTS, *ADMIN_PORTS)
_OF_WORKERS: Spans = tuple(span for span in _GUARDED if span not in PROXY_PORTS)
_NAMED = 8
"""Rules that a message names."""


def _exposed(world: World, context: Context) -> Iterator[Finding]:
    faces_users = declared(world)

    def guarded(resource: Resource) -> Spans:
        return _OF_WORKERS if faces_users and of_workers(resource) else _GUARDED

    for group in Unions(world, guarded, networks(context.settings.admin_cidrs)).groups():
        yield from _judged(group)


def _judged(group: Group) -> Iterator[Finding]:
    certain = opened([part for part in group.parts if part.certain], _GUARDED)
    for names, spans in certain.items():
        yield Finding("", f"lets the internet reach port {words(spans)} by {_listed(names)}", urn=group.urn)
    # A denial that may not reach the group takes nothing away.
    possible = [part for part in group.parts if part.certain or not part.denies]
    may_open = not certain and bool(opened(possible, _GUARDED))
    undecided = sum(part.undecided or (may_open and not part.certain) for part in possible)
    if undecided:
        yield Finding("", f"has {undecided} rules that cannot be decided before up", "deferred", group.urn)
    elsewhere = sum(part.elsewhere for part in group.parts)
    if elsewhere:
        yield Finding(
            "", f"has {elsewhere} rules by prefix lists of elsewhere, which are not counted", "advice", group.urn
        )


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


RULE = Rule(
    "ingress-effective-exposure",
    (
        across(
            _exposed,
            *(
                (token, FIREWALLS[token].paths)
                for token in (SECURITY_GROUP, DEFAULT_GROUP, *GROUP_RULES, AZURE_GROUP, AZURE_RULE, GCP_FIREWALL)
            ),
            (PREFIX_LIST, ("entries[].cidr",)),
            (PREFIX_ENTRY, ("cidr",)),
            (BOUNDARY, (DECLARED,)),
        ),
    ),
)
