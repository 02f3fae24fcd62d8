"""A key cannot be destroyed at once."""

from __future__ import annotations

from policies.conditions import NOT_FALSE, NOT_TRUE, TRUE, at_least, between, lasting, optional
from policies.rule import Rule, need, on

_DAYS = 30
_SECONDS = _DAYS * 24 * 3600
# The longest that Google takes.
_LONGEST = 120 * 24 * 3600

RULE = Rule(
    "key-deletion-guarded",
    (
        on(
            ("aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey"),
            need("deletionWindowInDays", optional(between(_DAYS, _DAYS))),
            unknown="fail",
        ),
        on(
            "azure-native:keyvault:Vault",
            need("properties.enablePurgeProtection", TRUE),
            need("properties.enableSoftDelete", NOT_FALSE),
            need("properties.softDeleteRetentionInDays", optional(at_least(_DAYS))),
            unknown="fail",
        ),
        on(
            "gcp:kms/cryptoKey:CryptoKey",
            need("destroyScheduledDuration", optional(lasting(_SECONDS, _LONGEST))),
            unknown="fail",
        ),
        on(
            "vault:transit/secretBackendKey:SecretBackendKey",
            need("deletionAllowed", NOT_TRUE),
            need("exportable", NOT_TRUE),
            need("allowPlaintextBackup", NOT_TRUE),
            unknown="fail",
        ),
    ),
)
