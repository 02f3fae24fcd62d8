"""The Kubernetes API is not reachable from the internet."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.addresses import networks, parsed, within
from policies.conditions import NOT_FALSE, NOT_TRUE, TRUE
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, deferred, need, not_plain, on
from policies.values import as_bool

_EKS = "aws:eks/cluster:Cluster"
_AKS = "azure-native:containerservice:ManagedCluster"
_GKE = "gcp:container/cluster:Cluster"


def _private_or_listed(token: str, flag: str, listed: str, *, private: bool) -> Check:
    """The flag has the value that makes the API private, or the networks that may call it are administrators' or ours.

    The flag must be plain; networks may become known later.
    """

    def judge(cluster: Resource, context: Context) -> Iterator[Finding]:
        node = cluster.at(flag)
        if node.unknown:
            yield not_plain(flag)
        elif as_bool(node.value) is not private:
            yield from only_known(cluster, context)

    def only_known(cluster: Resource, context: Context) -> Iterator[Finding]:
        known = networks((*context.settings.admin_cidrs, *context.settings.mesh_cidrs))
        callers = list(cluster.each(listed))
        if not callers:
            yield Finding(flag, f"must be {str(private).lower()} where no networks are listed")
        for caller in callers:
            network = parsed(caller.value)
            if caller.unknown:
                yield deferred(caller.path)
            elif network is None or not within(network, known):
                yield Finding(caller.path, "must lie in the administrators' networks or the mesh's")

    return Check((token,), judge, (flag, listed))


RULE = Rule(
    "k8s-api-private",
    (
        on(_EKS, need("vpcConfig.endpointPrivateAccess", TRUE), unknown="fail"),
        _private_or_listed(_EKS, "vpcConfig.endpointPublicAccess", "vpcConfig.publicAccessCidrs[]", private=False),
        on(_AKS, need("disableLocalAccounts", TRUE), need("enableRBAC", NOT_FALSE), unknown="fail"),
        _private_or_listed(
            _AKS,
            "apiServerAccessProfile.enablePrivateCluster",
            "apiServerAccessProfile.authorizedIPRanges[]",
            private=True,
        ),
        on(
            _GKE,
            need("privateClusterConfig.enablePrivateNodes", TRUE),
            need("enableLegacyAbac", NOT_TRUE),
            need("controlPlaneEndpointsConfig.dnsEndpointConfig.allowExternalTraffic", NOT_TRUE),
            unknown="fail",
        ),
        _private_or_listed(
            _GKE,
            "privateClusterConfig.enablePrivateEndpoint",
            "masterAuthorizedNetworksConfig.cidrBlocks[].cidrBlock",
            private=True,
        ),
    ),
)
