"""The platform's clusters: which resources are their servers, and what a cluster says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.resource import PRODUCT, Node, Resource, World

CONSUL = f"{PRODUCT}ConsulCluster"
VAULT = f"{PRODUCT}VaultCluster"
NOMAD = f"{PRODUCT}NomadCluster"
BOUNDARY = f"{PRODUCT}BoundaryCluster"
RAFT = (CONSUL, VAULT, NOMAD)
"""Clusters whose servers vote."""
CLUSTERS = (*RAFT, BOUNDARY)

PRODUCTS: Mapping[str, str] = {CONSUL: "consul", VAULT: "vault", NOMAD: "nomad", BOUNDARY: "boundary"}
"""Product by the token of its cluster."""
LEAST_VOTERS: Mapping[str, int] = {"consul": 5, "nomad": 5, "vault": 3}
"""Fewest voters, by product."""

_CLIENTS = "hashicorp:clouds:ClientGroup"
"""Lies below Nomad's cluster, and nobody in it votes."""


def raft_cluster(resource: Resource) -> str | None:
    """The token of the cluster for which the resource, or machines that it makes, may vote."""
    return None if client(resource) else resource.below(*RAFT)


def client(resource: Resource) -> bool:
    """Whether the resource belongs to machines that run workloads and hold no cluster's state."""
    return resource.below(_CLIENTS) is not None


def voting(resource: Resource) -> bool:
    """Whether the resource is a server of a raft cluster, a part of one, or makes some."""
    return raft_cluster(resource) is not None


def serving(resource: Resource) -> bool:
    """Whether the resource lies below any product's cluster, its clients and workers included."""
    return resource.below(PRODUCT) is not None


@dataclass(frozen=True)
class Declared:
    """A cluster of the stack, with the spec that it registered."""

    component: Resource
    product: str
    spec: Node

    @property
    def rolled(self) -> frozenset[str]:
        """Servers that this update may replace.

        Raises:
            Undecided: the list is not known yet.
        """
        return frozenset(str(node.known()) for node in self.spec.each("replacement?.rollout[]"))


ROLLOUT = "spec.replacement?.rollout[]"
"""What `rolled` reads."""


def declared(world: World, *tokens: str) -> Iterator[Declared]:
    """The stack's clusters of the given types."""
    for component, spec in world.specs(*tokens):
        yield Declared(component, PRODUCTS[component.kind], spec)
