"""Whoever restores is not who writes, reads every copy, and may use the keys of backups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from policies.concepts import grants
from policies.concepts.backups import ACCOUNT, CONTAINER, GCS_BUCKET, PLAN, S3_BUCKET, each_plan, held, sources
from policies.concepts.facts import peers
from policies.conditions import LITERAL
from policies.context import Context
from policies.documents import Statement, policy_statements
from policies.resource import Node, Resource, World
from policies.rule import Finding, Rule, across, demand
from policies.values import ABSENT, UNKNOWN

_ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
_KEY = "applyServerSideEncryptionByDefault?.kmsMasterKeyId?"
_DECRYPT = "kms:Decrypt"
_WRITES = ("s3:PutObject", "s3:PutBucketPolicy", "s3:DeleteObject")
_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
"""Storage Blob Data Reader."""
_VIEW = "roles/storage.objectViewer"


def _is(name: str, restorer: str, context: Context) -> bool:
    """Whether an identity is the restorer; where names are global, they carry the region."""
    return name == restorer or name in {f"{restorer}-{region}" for region in context.settings.approved_regions}


def _plans(world: World, context: Context) -> Iterator[Finding]:
    yield from each_plan(world, lambda spec: _plan(world, spec, context), "its restorer cannot be known")


def _plan(world: World, spec: Node, context: Context) -> Iterator[Finding]:
    writer, restorer, own = spec.at("writer"), spec.at("restorer"), spec.get("cloud")
    yield from demand(writer, LITERAL)
    yield from demand(restorer, LITERAL)
    if not LITERAL.holds(restorer.known()):
        return
    if restorer.value == writer.value:
        yield Finding(restorer.path, "must not be the writer")
    name = str(restorer.value)
    for cloud in dict.fromkeys(str(node.known()) for node in spec.each("targets[].cloud")):
        if cloud != own:
            yield from _abroad(world, cloud, name)
        elif cloud in _READS:
            for problem in _READS[cloud](world, lambda other: _is(other, name, context)):
                yield Finding(restorer.path, problem)


def _abroad(world: World, cloud: str, restorer: str) -> Iterator[Finding]:
    said = peers(world).get(cloud)
    if said is None or said.absent:
        return
    if restorer not in {node.known() for node in said.each("identities[].name")}:
        yield Finding("spec.restorer", f"is no identity of {cloud}")


_Is = Callable[[str], bool]


def _aws(world: World, is_restorer: _Is) -> Iterator[str]:
    rights = [
        statement
        for policy in grants.policies(world)
        if any(map(is_restorer, grants.roles(world, policy)))
        for statement in policy_statements(policy.at("policy"))
        if statement.effect == "Allow"
    ]
    for bucket in held(world, S3_BUCKET):
        name = str(bucket.get("bucket"))
        for action, thing in (("s3:GetObject", f"{name}/-"), ("s3:ListBucket", name)):
            if not any(grants.permits(each, action) and grants.covers(each, thing) for each in rights):
                yield f"may not {action} in the bucket {bucket.name}"
        if not all(_decrypts(rights, key) for key in _keys(world, bucket)):
            yield f"may not {_DECRYPT} with the key of the bucket {bucket.name}"
        for action in _WRITES:
            if any(grants.permits(each, action) and grants.reaches(each, name) for each in rights):
                yield f"must not be allowed {action} in the bucket {bucket.name}"


def _keys(world: World, bucket: Resource) -> Iterator[Node]:
    for encryption in world.depending(bucket, "bucket", _ENCRYPTION):
        yield from encryption.each(f"rules[].{_KEY}")


def _decrypts(rights: Iterable[Statement], key: Node) -> bool:
    """Whether a key may be used; one that is not known yet, where any may."""
    using = [each for each in rights if grants.permits(each, _DECRYPT)]
    if key.value is UNKNOWN:
        return bool(using)
    return any(fnmatchcase(str(key.value), pattern) for each in using for pattern in each.resources)


def _azure(world: World, is_restorer: _Is) -> Iterator[str]:
    reached: set[str] = set()
    for assignment in world.of(grants.ASSIGNMENT):
        if not any(map(is_restorer, grants.principals(world, assignment))):
            continue
        if not grants.on_backups(world, assignment):
            continue
        if grants.role_id(assignment) == _READER:
            reached |= grants.places(world, assignment)
        else:
            yield "must have no role on backups but Storage Blob Data Reader"
    for container in held(world, CONTAINER):
        accounts = {account.urn for account in sources(world, container, "accountName", ACCOUNT)}
        if not reached & {container.urn, *accounts}:
            yield f"may not read the container {container.name}"


def _gcp(world: World, is_restorer: _Is) -> Iterator[str]:
    read: set[object] = set()
    for grant in world.of(grants.MEMBER):
        if not grants.on_backup_bucket(world, grant) or not any(map(is_restorer, grants.members(world, grant))):
            continue
        if grant.get("role") != _VIEW:
            yield f"must have no role on backups but {_VIEW}"
        elif grant.at("condition").value in (ABSENT, {}):
            read |= {bucket.urn for bucket in sources(world, grant, "bucket", GCS_BUCKET)} | {grant.at("bucket").value}
    for bucket in held(world, GCS_BUCKET):
        if not read & {bucket.urn, bucket.get("name")}:
            yield f"may not read the bucket {bucket.name}"


_READS: Mapping[str, Callable[[World, _Is], Iterator[str]]] = {"aws": _aws, "azure": _azure, "gcp": _gcp}

RULE = Rule(
    "restore-role-separate",
    (
        across(
            _plans,
            (PLAN, ("spec.cloud", "spec.writer", "spec.restorer", "spec.targets[].cloud")),
            (grants.ROLE_POLICY, ("policy", "role")),
            (grants.POLICY, ("policy",)),
            (grants.ATTACHMENT, ("policyArn", "role")),
            (grants.ROLE, ("name",)),
            (S3_BUCKET, ("bucket",)),
            (_ENCRYPTION, ("bucket", f"rules[].{_KEY}")),
            (grants.ASSIGNMENT, ("scope", "principalId", "roleDefinitionId")),
            (grants.IDENTITY, ("name", "principalId")),
            (ACCOUNT, ("name",)),
            (CONTAINER, ("accountName",)),
            (grants.MEMBER, ("bucket", "member", "role", "condition")),
            (grants.SERVICE_ACCOUNT, ("accountId",)),
            (GCS_BUCKET, ("name",)),
        ),
    ),
)
