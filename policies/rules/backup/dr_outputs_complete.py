"""The stack exports what a recovery from another cloud needs."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.apart import apart
from policies.concepts.clusters import CLUSTERS, Declared, declared
from policies.concepts.facts import FACTS
from policies.conditions import LITERAL
from policies.context import Context
from policies.resource import FACTS_OUTPUT, ROOT_TYPE, Node, Resource, World
from policies.rule import Finding, Rule, across, deferred
from policies.values import ABSENT, as_int

_MANIFEST = "manifest"
_SCHEMA = 1
_PARTS = (
    "networks",
    "clusters",
    "sealKeys",
    "backupPlans",
    "buckets",
    "identities",
    "endpoints",
    "versions",
)
_SAME = ("schema", "stack", "cloud", "region")
"""What the component and the output both say."""


def _outputs(world: World, _: Context) -> Iterator[Finding]:
    manifest = world.root.at(_MANIFEST) if world.root else Node(_MANIFEST, ABSENT)
    for node in (manifest, world.facts):
        if node.unknown:
            yield deferred(node.path)
        elif not LITERAL.holds(node.value):
            yield Finding(node.path, "must be an output of the stack")
        else:
            yield from (deferred(leaf.path) for leaf in node.texts() if leaf.unknown)


def _facts(world: World, _: Context) -> Iterator[Finding]:
    facts = world.facts
    if facts.absent:
        return
    if as_int(facts.get("schema")) != _SCHEMA:
        yield Finding(f"{facts.path}.schema", f"must be {_SCHEMA}")
    for part in _PARTS:
        node = facts.at(part)
        if not node.unknown and not LITERAL.holds(node.value):
            yield Finding(node.path, "must not be empty")
    for cluster in declared(world, *CLUSTERS):
        yield from apart(cluster.component, _listed(facts, cluster))


def _listed(facts: Node, cluster: Declared) -> Iterator[Finding]:
    said = {(each.get("cluster"), each.get("cloud")) for each in facts.each("clusters[]")}
    if (cluster.spec.get("cluster"), cluster.spec.get("cloud")) not in said:
        yield Finding("", f"must appear in {facts.path}.clusters")


def _one(world: World, _: Context) -> Iterator[Finding]:
    components = list(world.of(FACTS))
    if len(components) != 1:
        yield Finding("", f"has {len(components)} components {FACTS}, not one")
    for component in components:
        yield from apart(component, _agrees(world, component))


def _agrees(world: World, component: Resource) -> Iterator[Finding]:
    for name in _SAME:
        said = component.get(f"spec.{name}")
        if said is ABSENT or said != world.facts.get(name):
            yield Finding(f"spec.{name}", f"must be set, and be the same in {FACTS_OUTPUT}")


RULE = Rule(
    "dr-outputs-complete",
    (
        across(_outputs, (ROOT_TYPE, (_MANIFEST, FACTS_OUTPUT))),
        across(
            _facts,
            (ROOT_TYPE, tuple(f"{FACTS_OUTPUT}.{name}" for name in ("schema", *_PARTS))),
            *((token, ("spec.cluster", "spec.cloud")) for token in CLUSTERS),
        ),
        across(
            _one,
            (FACTS, tuple(f"spec.{name}" for name in _SAME)),
            (ROOT_TYPE, tuple(f"{FACTS_OUTPUT}.{name}" for name in _SAME)),
        ),
    ),
)
