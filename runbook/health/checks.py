"""The table of checks, and the judging of one whole pass. Asks nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from components.plan.flows import Port
from components.plan.manifest import ClusterFacts, Manifest
from components.plan.spec import Cloud, Product
from components.plan.thresholds import Bands
from runbook.health import backups, boundary, consul, machines, mesh, nomad, vault
from runbook.health.mesh import Links
from runbook.health.outcome import Check, Outcome, Said, not_asked, outcomes
from runbook.health.replies import Cluster, Dial, Reply

_EVERY: tuple[Check[Cluster], ...] = (*machines.CHECKS, *backups.CHECKS)
CHECKS: Mapping[Product, tuple[Check[Cluster], ...]] = {
    "consul": (*consul.CHECKS, *_EVERY),
    "vault": (*vault.CHECKS, *_EVERY),
    "nomad": (*nomad.CHECKS, *_EVERY),
    "boundary": (*boundary.CHECKS, *_EVERY),
}
LINKS: Mapping[str, tuple[Check[Links], ...]] = {"mesh": mesh.CHECKS, "clients": mesh.CLIENTS}
"""What is a region's and no cluster's, by what its row is called."""


def _left_out(_: Cluster) -> Iterator[Said]:
    """Nothing: the cluster is shown, so that nobody takes silence for health."""
    yield not_asked("left out of this pass")


_LEFT_OUT = (Check("servers", _left_out, "What is not asked"),)


@dataclass(frozen=True)
class Scope:
    """Which regions and products a pass is about.

    Attributes:
        without: products that are shown as not asked; the others that are not among `products` are not shown.
    """

    clouds: frozenset[Cloud]
    products: frozenset[Product]
    links: bool
    without: frozenset[Product] = frozenset()

    def clusters(self, regions: Mapping[Cloud, Manifest]) -> list[tuple[Manifest, ClusterFacts]]:
        """The clusters that are judged."""
        return [
            (region, facts)
            for cloud, region in regions.items()
            for facts in region.clusters
            if cloud in self.clouds and facts.product in self.products - self.without
        ]

    def unasked(self, region: Manifest) -> list[ClusterFacts]:
        """The clusters of a region that are only shown."""
        return [facts for facts in region.clusters if facts.product in self.products & self.without]


@dataclass(frozen=True)
class Seen:
    """All that was asked in one pass."""

    regions: Mapping[Cloud, Manifest]
    clouds: tuple[Cloud, ...]
    replies: Mapping[tuple[str, str], Reply]
    dials: Mapping[tuple[str, Port], Dial]
    at: datetime
    shared_tokens: frozenset[Cloud] = frozenset()
    """Secondaries whose Consul was asked with the primary's token."""


def judge(seen: Seen, scope: Scope, bands: Bands) -> list[Outcome]:
    """What a pass found, cluster by cluster in the manifests' order, each region's links behind its clusters."""
    found: list[Outcome] = []
    for cloud, region in seen.regions.items():
        if cloud in scope.clouds:
            found += _of_clusters(seen, scope.clusters({cloud: region}), CHECKS, bands)
            unasked = [(region, facts) for facts in scope.unasked(region)]
            found += _of_clusters(seen, unasked, dict.fromkeys(scope.without, _LEFT_OUT), bands)
            if scope.links:
                links = Links(region, seen.clouds, seen.dials)
                for name, checks in LINKS.items():
                    found += [outcome for check in checks for outcome in outcomes(check, links, f"{name}-{cloud}")]
    return found


def _of_clusters(
    seen: Seen,
    clusters: Iterable[tuple[Manifest, ClusterFacts]],
    checks: Mapping[Product, tuple[Check[Cluster], ...]],
    bands: Bands,
) -> list[Outcome]:
    found: list[Outcome] = []
    for region, facts in clusters:
        cluster = Cluster(
            region=region,
            facts=facts,
            replies=seen.replies,
            dials=seen.dials,
            regions=seen.regions,
            clouds=seen.clouds,
            bands=bands,
            at=seen.at,
            shared_token=region.cloud in seen.shared_tokens,
        )
        found += [outcome for check in checks[facts.product] for outcome in outcomes(check, cluster, facts.name)]
    return found
