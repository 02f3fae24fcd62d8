"""Whoever writes backups cannot delete them, shorten their retention or change the lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from policies.concepts import grants
from policies.concepts.apart import apart
from policies.concepts.backups import ACCOUNT, GCS_BUCKET, PLAN, S3_BUCKET, held, of_backups
from policies.conditions import LITERAL
from policies.context import Context
from policies.documents import Statement, policy_statements
from policies.resource import Node, Resource, World
from policies.rule import Finding, Rule, across, demand

_BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
_PUT = "s3:PutObject"
_OF_OBJECTS = ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObjectRetention", "s3:BypassGovernanceRetention")
_OF_BUCKETS = (
    "s3:PutBucketVersioning",
    "s3:PutLifecycleConfiguration",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketPolicy",
)
_PRINCIPAL = "aws:principalarn"

_BUILT_IN = frozenset(
    {
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",  # Owner
        "b24988ac-6180-42a0-ab88-20f7382dd24c",  # Contributor
        "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",  # User Access Administrator
        "17d1049b-9a84-46fb-8f53-869881c3d3ab",  # Storage Account Contributor
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",  # Storage Blob Data Owner
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe",  # Storage Blob Data Contributor
    }
)
_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
_DENIED: Mapping[str, tuple[str, ...]] = {
    "dataActions": tuple(
        f"{_CONTAINERS}/blobs/{action}"
        for action in (
            "delete",
            "deleteBlobVersion/action",
            "permanentDelete/action",
            "immutableStorage/runAsSuperUser/action",
            "modifyPermissions/action",
        )
    ),
    "actions": (
        "Microsoft.Storage/storageAccounts/delete",
        "Microsoft.Storage/storageAccounts/write",
        "Microsoft.Storage/storageAccounts/managementPolicies/write",
        f"{_CONTAINERS}/delete",
        f"{_CONTAINERS}/immutabilityPolicies/delete",
        f"{_CONTAINERS}/immutabilityPolicies/write",
    ),
}

_CREATE, _READ = "roles/storage.objectCreator", "roles/storage.objectViewer"
_BASIC = ("roles/owner", "roles/editor")


def _writers(world: World, cloud: str) -> frozenset[str]:
    return frozenset(str(spec.get("writer")) for _, spec in world.specs(PLAN) if spec.get("cloud") == cloud)


# Plans.


def _plans(world: World, _: Context) -> Iterator[Finding]:
    for plan, spec in world.specs(PLAN):
        yield from apart(plan, _named(world, spec))


def _named(world: World, spec: Node) -> Iterator[Finding]:
    """A name that fits no grant would leave the writer unjudged."""
    writer = spec.at("writer")
    yield from demand(writer, LITERAL)
    granted = _GRANTED.get(str(spec.get("cloud")))
    if granted and LITERAL.holds(writer.value) and not granted(world, str(writer.known())):
        yield Finding(writer.path, "names nobody whom this stack lets write backups")


def _aws_granted(world: World, writer: str) -> bool:
    return any(writer in grants.roles(world, policy) and _writes(world, policy) for policy in grants.policies(world))


def _writes(world: World, policy: Resource) -> bool:
    """Whether a policy lets its bearer put objects into backups."""
    buckets = grants.bucket_names(world)
    return any(
        statement.effect == "Allow" and grants.permits(statement, _PUT) and grants.reaches(statement, bucket)
        for statement in policy_statements(policy.at("policy"))
        for bucket in buckets
    )


def _azure_granted(world: World, writer: str) -> bool:
    return any(
        writer in grants.principals(world, assignment) and grants.on_backups(world, assignment)
        for assignment in world.of(grants.ASSIGNMENT)
    )


def _gcp_granted(world: World, writer: str) -> bool:
    return any(
        writer in grants.members(world, grant) and grants.on_backup_bucket(world, grant)
        for grant in world.of(grants.MEMBER)
    )


_GRANTED: Mapping[str, Callable[[World, str], bool]] = {
    "aws": _aws_granted,
    "azure": _azure_granted,
    "gcp": _gcp_granted,
}


# AWS.


def _policies(world: World, _: Context) -> Iterator[Finding]:
    for policy in grants.policies(world):
        yield from apart(policy, _policy(world, policy))


def _policy(world: World, policy: Resource) -> Iterator[Finding]:
    if not of_backups(policy) and not grants.roles(world, policy) & _writers(world, "aws"):
        return
    buckets = grants.bucket_names(world)
    for index, statement in enumerate(policy_statements(policy.at("policy"))):
        if statement.effect == "Allow" and any(grants.reaches(statement, bucket) for bucket in buckets):
            for action in (*_OF_OBJECTS, *_OF_BUCKETS):
                if grants.permits(statement, action):
                    yield Finding(f"policy (statement {index})", f"must not allow {action} on backups")


def _buckets(world: World, _: Context) -> Iterator[Finding]:
    for bucket in held(world, S3_BUCKET):
        yield from apart(bucket, _bucket(world, bucket))


def _bucket(world: World, bucket: Resource) -> Iterator[Finding]:
    attached = list(world.depending(bucket, "bucket", _BUCKET_POLICY))
    statements = [each for policy in attached for each in policy_statements(policy.at("policy"))]
    name = str(bucket.get("bucket"))
    for writer in sorted(_writers(world, "aws") | _by_deed(world)):
        demanded = (*((action, f"{name}/-") for action in _OF_OBJECTS), *((action, name) for action in _OF_BUCKETS))
        missing = [
            action
            for action, thing in demanded
            if not any(
                _denies(each, writer) and grants.permits(each, action) and grants.covers(each, thing)
                for each in statements
            )
        ]
        if missing:
            yield Finding("", f"has no policy that denies each writer {', '.join(missing)}")
            return


def _by_deed(world: World) -> frozenset[str]:
    """Roles that may put objects into backups, such as those that machines of other clouds assume."""
    ours = [policy for policy in grants.policies(world) if of_backups(policy) and _writes(world, policy)]
    return frozenset(role for policy in ours for role in grants.roles(world, policy))


def _denies(statement: Statement, writer: str) -> bool:
    """Whether a statement denies something to a writer, under no condition but that of being the writer."""
    if statement.effect != "Deny" or "Principal" in statement.negated:
        return False
    named = any(_is(writer, principal) for principal in statement.principals)
    return named and all(
        each.demands and each.key == _PRINCIPAL and any(_is(writer, value) for value in each.values)
        for each in statement.comparisons
    )


def _is(role: str, arn: str) -> bool:
    return grants.matches(arn.rpartition("/")[2], role)


# Azure.


def _assignments(world: World, _: Context) -> Iterator[Finding]:
    for assignment in world.of(grants.ASSIGNMENT):
        yield from apart(assignment, _assignment(world, assignment))
    for definition in held(world, grants.DEFINITION):
        yield from apart(definition, _definition(definition))


def _assignment(world: World, assignment: Resource) -> Iterator[Finding]:
    if not grants.on_backups(world, assignment):
        return
    writes = bool(grants.principals(world, assignment) & _writers(world, "azure"))
    if not writes and not grants.places(world, assignment):
        return
    definition = None
    if not assignment.at("roleDefinitionId").unknown and grants.role_id(assignment) in _BUILT_IN:
        yield Finding("roleDefinitionId", "must not be a built-in role that may delete or change the lock")
    elif writes and (definition := grants.custom(world, assignment)) is None:
        yield Finding("roleDefinitionId", "of a writer must be a role of this stack's own that only adds")
    if definition is not None and not of_backups(definition):
        yield from _definition(definition)


def _definition(definition: Resource) -> Iterator[Finding]:
    for permission in definition.each("permissions[]"):
        for kind, denied in _DENIED.items():
            given = [str(node.known()) for node in permission.each(f"{kind}[]")]
            taken = [str(node.known()) for node in permission.each(f"not{kind[0].upper()}{kind[1:]}[]")]
            for action in denied:
                if _any(given, action) and not _any(taken, action):
                    yield Finding(f"{permission.path}.{kind}", f"must not hold {action}")


def _any(patterns: list[str], action: str) -> bool:
    return any(grants.matches(pattern, action) for pattern in patterns)


# Google.


def _members(world: World, _: Context) -> Iterator[Finding]:
    for grant in world.of(grants.MEMBER):
        yield from apart(grant, _member(world, grant))
    for grant in world.of(grants.PROJECT_MEMBER):
        yield from apart(grant, _project(world, grant))


def _member(world: World, grant: Resource) -> Iterator[Finding]:
    if not grants.on_backup_bucket(world, grant):
        return
    allowed = (_CREATE,) if grants.members(world, grant) & _writers(world, "gcp") else (_CREATE, _READ)
    if grant.get("role") not in allowed:
        yield Finding("role", f"must be {' or '.join(allowed)} here")


def _project(world: World, grant: Resource) -> Iterator[Finding]:
    role = str(grant.get("role"))
    storing = role in _BASIC or role.startswith("roles/storage.")
    if storing and grants.members(world, grant) & _writers(world, "gcp"):
        yield Finding("role", "of a writer must not be one on every bucket of the project")


_WRITER = (PLAN, ("spec.cloud", "spec.writer"))
_S3 = (
    (grants.ROLE_POLICY, ("policy", "role")),
    (grants.POLICY, ("policy",)),
    (grants.ATTACHMENT, ("policyArn", "role")),
    (grants.ROLE, ("name",)),
    (S3_BUCKET, ("bucket",)),
)
_AZURE = (
    (grants.ASSIGNMENT, ("scope", "principalId", "roleDefinitionId")),
    (grants.IDENTITY, ("name", "principalId")),
    (ACCOUNT, ("name",)),
)
_GOOGLE = (
    (grants.MEMBER, ("bucket", "member", "role")),
    (grants.SERVICE_ACCOUNT, ("accountId",)),
    (GCS_BUCKET, ("name",)),
)
RULE = Rule(
    "backup-writer-append-only",
    (
        across(_plans, _WRITER, *_S3, *_AZURE, *_GOOGLE),
        across(_policies, _WRITER, *_S3),
        across(_buckets, _WRITER, *_S3, (_BUCKET_POLICY, ("bucket", "policy"))),
        across(
            _assignments,
            _WRITER,
            *_AZURE,
            (
                grants.DEFINITION,
                (
                    "name",
                    *(f"permissions[].{k}[]" for k in ("actions", "notActions", "dataActions", "notDataActions")),
                ),
            ),
        ),
        across(_members, _WRITER, *_GOOGLE, (grants.PROJECT_MEMBER, ("member", "role"))),
    ),
)
