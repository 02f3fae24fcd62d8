"""Every cluster of one product runs one exact version, the same in all clouds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from policies.concepts.charts import RELEASE, chart
from policies.concepts.clusters import CLUSTERS, PRODUCTS, Declared, declared
from policies.concepts.facts import FACTS, PEERS, peers, silent
from policies.concepts.images import chart_images
from policies.conditions import matching, one_of
from policies.context import Context
from policies.resource import Node, World
from policies.rule import Finding, Rule, about, across, advice, deferred, need, on

_EXACT = re.compile(r"(\d+)\.(\d+)\.\d+")


def _one_step(one: str, other: str) -> bool:
    """Whether two versions are as far apart as a rollout may take them: the next minor one."""
    first, second = _EXACT.fullmatch(one), _EXACT.fullmatch(other)
    return (
        first is not None and second is not None and first[1] == second[1] and abs(int(first[2]) - int(second[2])) <= 1
    )


def _declared_rollout(world: World, product: str) -> bool:
    """Whether the change under which this update runs names the product."""
    return any(
        isinstance(spec.at("change.category").value, str)
        and re.search(rf"\b{product}\b", str(spec.at("change.impact").value), re.IGNORECASE) is not None
        for _, spec in world.specs(FACTS)
    )


def _uniform(world: World, _: Context) -> Iterator[Finding]:
    others = list(_peers(world))
    yield from (said for said in others if isinstance(said, Finding))
    abroad = [said for said in others if not isinstance(said, Finding)]
    known: list[Declared] = []
    for cluster in declared(world, *CLUSTERS):
        version = cluster.spec.at("version")
        if version.unknown:
            yield about(cluster.component, deferred(version.path))
            continue
        known.append(cluster)
        for where, product, other in abroad:
            if product == cluster.product and other != version.value:
                yield _differs(world, cluster, other, f"in {where}")
    for one, other in combinations(known, 2):
        if one.product == other.product and one.spec.get("version") != other.spec.get("version"):
            yield _differs(world, one, str(other.spec.get("version")), f"in {other.component.name}")


def _peers(world: World) -> Iterator[Finding | tuple[str, str, str]]:
    """(cloud, product, version) of the peers' clusters, and what cannot be read of them."""
    if world.facts.at("peers").unknown:
        yield deferred(PEERS)
        return
    for cloud, said in peers(world).items():
        if said.absent:
            yield silent(world, cloud, "its versions cannot be compared")
        for cluster in said.each("clusters[]"):
            version = cluster.at("version")
            yield (
                deferred(version.path)
                if version.unknown
                else (cloud, str(cluster.at("product").value), str(version.value))
            )


def _differs(world: World, cluster: Declared, other: str, where: str) -> Finding:
    version = str(cluster.spec.get("version"))
    text = f"is {version} here and {other} {where}"
    allowed = _declared_rollout(world, cluster.product) and _one_step(version, other)
    return about(cluster.component, advice("spec.version", text) if allowed else Finding("spec.version", text))


def _charts(world: World, _: Context) -> Iterator[Finding]:
    clusters = list(declared(world, *CLUSTERS))
    for release in world.of(RELEASE):
        values = release.at("values")
        for cluster in clusters:
            version = cluster.spec.at("version")
            if release.at("chart").unknown or version.unknown:
                yield about(release, deferred("chart" if release.at("chart").unknown else version.path))
            elif chart(release) == cluster.product:
                yield from (about(release, finding) for finding in _asked(values, cluster.product, str(version.value)))


def _asked(values: Node, product: str, version: str) -> Iterator[Finding]:
    """Images of the product in a chart's values that are of another version; a tag may say the edition."""
    for asked in chart_images(values):
        if asked.product in (product, f"{product}-enterprise") and asked.tag not in (version, f"{version}-ent"):
            yield Finding(asked.path, f"must be of the cluster's version {version}")
    for text in values.texts():
        if text.unknown:
            yield deferred(text.path)


_VERSIONS = tuple((token, ("spec.version",)) for token in PRODUCTS)
RULE = Rule(
    "version-pinned-uniform",
    (
        on(
            CLUSTERS,
            need(
                "version", matching(lambda text: _EXACT.fullmatch(text) is not None, "must be one exact version, X.Y.Z")
            ),
            need("edition", one_of("community", "enterprise")),
            unknown="fail",
        ),
        across(_uniform, *_VERSIONS, (FACTS, ("spec.change.category", "spec.change.impact"))),
        across(_charts, (RELEASE, ("chart", "values")), *_VERSIONS),
    ),
)
