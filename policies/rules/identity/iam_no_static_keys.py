"""No long-lived cloud credential is created or passed in."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.presence import absent, present
from policies.conditions import FALSE
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, forbidden, need, on

_USER = "aws:iam/user:User"
_BACKEND = "vault:aws/secretBackend:SecretBackend"


def _user(user: Resource, context: Context) -> Iterator[Finding]:
    if user.at("name").value not in context.settings.break_glass:
        yield Finding("", "must not exist: only a break-glass user may")


def _federated(backend: Resource, _: Context) -> Iterator[Finding]:
    if present(backend.at("roleArn")) and not present(backend.at("identityTokenAudience")):
        yield Finding("identityTokenAudience", "must be set where `roleArn` is")


RULE = Rule(
    "iam-no-static-keys",
    (
        forbidden(
            ("aws:iam/accessKey:AccessKey", "gcp:serviceaccount/key:Key", "gcp:storage/hmacKey:HmacKey"),
            "must not exist: it is a credential that outlives whoever uses it",
        ),
        Check((_USER,), _user, ("name",)),
        on("azure-native:storage:StorageAccount", need("allowSharedKeyAccess", FALSE), unknown="fail"),
        absent((_BACKEND,), "accessKey", "secretKey"),
        Check((_BACKEND,), _federated, ("roleArn", "identityTokenAudience")),
        absent(("vault:gcp/secretBackend:SecretBackend",), "credentials"),
        absent(("vault:azure/backend:Backend",), "clientSecret"),
        absent(
            ("vault:index/raftSnapshotAgentConfig:RaftSnapshotAgentConfig",),
            "awsAccessKeyId",
            "awsSecretAccessKey",
            "azureAccountKey",
            "googleServiceAccountKey",
        ),
        absent(("pulumi:providers:aws",), "accessKey", "secretKey"),
        absent(("pulumi:providers:azure-native",), "clientSecret"),
        absent(("pulumi:providers:gcp",), "credentials"),
    ),
)
