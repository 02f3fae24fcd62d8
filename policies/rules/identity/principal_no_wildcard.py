"""No policy names everybody as a principal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from policies.conditions import Condition, matching
from policies.context import Context
from policies.documents import Statement, policy_statements
from policies.resource import Node, Resource
from policies.rule import Check, Finding, Rule, need, on

_POLICIES = (
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:kms/keyPolicy:KeyPolicy",
    "aws:kms/key:Key",
    "aws:kms/replicaKey:ReplicaKey",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:secretsmanager/secretPolicy:SecretPolicy",
)
_MEMBERS = (
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
    "gcp:kms/keyRingIAMMember:KeyRingIAMMember",
    "gcp:projects/iAMMember:IAMMember",
    "gcp:secretmanager/secretIamMember:SecretIamMember",
    "gcp:serviceaccount/iAMMember:IAMMember",
    "gcp:storage/bucketIAMMember:BucketIAMMember",
)
_BINDINGS = (
    "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding",
    "gcp:kms/keyRingIAMBinding:KeyRingIAMBinding",
    "gcp:projects/iAMBinding:IAMBinding",
    "gcp:secretmanager/secretIamBinding:SecretIamBinding",
    "gcp:serviceaccount/iAMBinding:IAMBinding",
    "gcp:storage/bucketIAMBinding:BucketIAMBinding",
)
_FEDERATED = "azure-native:managedidentity:FederatedIdentityCredential"
_WEB_IDENTITY = "sts:assumerolewithwebidentity"

_EVERYBODY = frozenset({"allUsers", "allAuthenticatedUsers"})
_PART_OF_A_POOL = re.compile(r"/(?:subject|group|attribute\.\w+)/[^*]")


def _open(statement: Statement) -> bool:
    """Whether a statement lets in whoever asks."""
    if statement.effect != "Allow":
        return False
    everybody = "Principal" in statement.negated or any("*" in principal for principal in statement.principals)
    return everybody and not _pinned(statement)


def _pinned(statement: Statement) -> bool:
    """Whether a condition lets in one account, organisation or source."""
    owners = (*statement.demanded("aws:PrincipalAccount"), *statement.demanded("aws:PrincipalOrgID"))
    if any(_literal(values) for values in owners):
        return True
    return any(values and all(map(_source, values)) for values in statement.demanded("aws:SourceArn"))


def _literal(values: tuple[str, ...]) -> bool:
    return bool(values) and all(re.fullmatch(r"[^*?]+", value) for value in values)


def _source(arn: str) -> bool:
    """Whether an ARN names an account, or, as those of buckets do, a thing without one."""
    *_, account, thing = ("", *arn.split(":", 5))
    return _literal((account or thing,))


def _vague(statement: Statement, claim: str) -> bool:
    """Whether a token is taken whatever it says in a claim."""
    demands = statement.demanded(f":{claim}")
    return not any(values and all(re.search(r"[^*?]", value) for value in values) for values in demands)


def _statements(node: Node) -> Iterator[tuple[str, Statement]]:
    for index, statement in enumerate(policy_statements(node)):
        yield f"{node.path} (statement {index})", statement


def _closed(node: Node) -> Iterator[Finding]:
    for path, statement in _statements(node):
        if _open(statement):
            yield Finding(
                path, "must not let every principal in without a condition on account, organisation or source"
            )


def _policy(resource: Resource, _: Context) -> Iterator[Finding]:
    yield from _closed(resource.at("policy"))


def _trust(resource: Resource, _: Context) -> Iterator[Finding]:
    node = resource.at("assumeRolePolicy")
    yield from _closed(node)
    for path, statement in _statements(node):
        federated = any(fnmatchcase(_WEB_IDENTITY, action.lower()) for action in statement.actions)
        if statement.effect == "Allow" and federated:
            for claim in ("sub", "aud"):
                if _vague(statement, claim):
                    yield Finding(path, f"must demand the claim `{claim}` of a web identity, and not any value of it")


def _one_audience(resource: Resource, _: Context) -> Iterator[Finding]:
    audiences = [node.known() for node in resource.each("audiences[]")]
    if len(audiences) != 1 or not _literal((str(audiences[0]),)):
        yield Finding("audiences", "must hold one audience")


def _named(member: str) -> bool:
    if member in _EVERYBODY:
        return False
    return not member.startswith("principalSet:") or bool(_PART_OF_A_POOL.search(member))


_MEMBER: Condition = matching(_named, "must name a principal, not everybody or a whole pool")

RULE = Rule(
    "principal-no-wildcard",
    (
        Check(_POLICIES, _policy, ("policy",)),
        Check(("aws:iam/role:Role",), _trust, ("assumeRolePolicy",)),
        on(
            _FEDERATED,
            need("subject", matching(lambda text: bool(text) and "*" not in text, "must name one subject")),
            need("issuer", matching(lambda text: text.startswith("https://") and "*" not in text, "must be an issuer")),
        ),
        Check((_FEDERATED,), _one_audience, ("audiences[]",)),
        on(_MEMBERS, need("member", _MEMBER)),
        on(_BINDINGS, need("members[]", _MEMBER)),
        on(
            "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
            need(
                "attributeCondition",
                matching(lambda text: text.strip().lower() not in ("", "true"), "must be a condition"),
            ),
        ),
    ),
)
