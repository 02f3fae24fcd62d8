"""Kubernetes secrets are encrypted with a customer-managed key."""

from __future__ import annotations

from collections.abc import Iterator

from policies.conditions import PRESENT, TRUE, one_of
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, need, on

_EKS = "aws:eks/cluster:Cluster"
_RESOURCES = "encryptionConfig?.resources[]"


def _covers_secrets(cluster: Resource, _: Context) -> Iterator[Finding]:
    if "secrets" not in [node.known() for node in cluster.each(_RESOURCES)]:
        yield Finding("encryptionConfig.resources", "must hold `secrets`")


RULE = Rule(
    "k8s-secrets-encrypted",
    (
        on(_EKS, need("encryptionConfig.provider.keyArn", PRESENT)),
        Check((_EKS,), _covers_secrets, (_RESOURCES,)),
        on(
            "azure-native:containerservice:ManagedCluster",
            need("securityProfile.azureKeyVaultKms.enabled", TRUE),
            need("securityProfile.azureKeyVaultKms.keyId", PRESENT),
        ),
        on(
            "gcp:container/cluster:Cluster",
            need("databaseEncryption.state", one_of("ENCRYPTED", "ALL_OBJECTS_ENCRYPTION_ENABLED")),
            need("databaseEncryption.keyName", PRESENT),
        ),
    ),
)
