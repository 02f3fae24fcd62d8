"""No product runs below its floor, and Kubernetes is a supported version."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.clusters import CLUSTERS, PRODUCTS
from policies.conditions import one_of
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, need, on

_KUBERNETES = {
    "aws:eks/cluster:Cluster": "version",
    "azure-native:containerservice:ManagedCluster": "kubernetesVersion",
    "gcp:container/cluster:Cluster": "minMasterVersion",
}


def _numbers(version: object) -> tuple[int, ...]:
    parts = str(version).split("-")[0].split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()


def _product(cluster: Resource, context: Context) -> Iterator[Finding]:
    floor = context.settings.floors.get(PRODUCTS[cluster.kind])
    found = _numbers(cluster.get("version"))
    if floor is None:
        yield Finding("version", "has no floor in the configuration of the pack")
    elif not found or found < _numbers(floor):
        yield Finding("version", f"must be at least {floor}")


def _kubernetes(cluster: Resource, context: Context) -> Iterator[Finding]:
    path, floor = _KUBERNETES[cluster.kind], context.settings.kubernetes_floor
    found = _numbers(cluster.get(path))
    if not found or found < _numbers(floor):
        yield Finding(path, f"must be set, and at least {floor}")


RULE = Rule(
    "version-supported",
    (
        Check(CLUSTERS, _product, ("version",), "fail"),
        *(Check((token,), _kubernetes, (path,), "fail") for token, path in _KUBERNETES.items()),
        on(
            "gcp:container/cluster:Cluster",
            need("releaseChannel.channel", one_of("REGULAR", "STABLE")),
            unknown="fail",
        ),
    ),
)
