"""Who holds which right on a bucket of backups, in each cloud's form.

Owns the way from a grant to the names of those who have it, and to the bucket that it is on. Identities and buckets are
found by name where it is known and by dependency where it is not.

Dangerous edge: a grant whose holder or scope cannot be told apart from another's is taken to be on the backups.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from policies.concepts.backups import ACCOUNT, CONTAINER, GCS_BUCKET, S3_BUCKET, held, of_backups, sources
from policies.documents import Statement
from policies.resource import Resource, Undecided, World

ROLE_POLICY, POLICY = "aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"
ATTACHMENT, ROLE = "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "aws:iam/role:Role"
ASSIGNMENT, DEFINITION = "azure-native:authorization:RoleAssignment", "azure-native:authorization:RoleDefinition"
IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
GROUP = "azure-native:resources:ResourceGroup"
MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"
SERVICE_ACCOUNT = "gcp:serviceaccount/account:Account"

_STORAGE = "/providers/microsoft.storage/"


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern of a cloud's access language means a text; neither heeds case."""
    return fnmatchcase(text.lower(), pattern.lower())


# AWS.


def permits(statement: Statement, action: str) -> bool:
    """Whether a statement, be it to allow or to deny, speaks of an action."""
    return any(matches(pattern, action) for pattern in statement.actions) is not ("Action" in statement.negated)


def covers(statement: Statement, resource: str) -> bool:
    """Whether a statement speaks of all of a thing, given as the last part of its ARN."""
    found = any(fnmatchcase(resource, pattern.rpartition(":::")[2]) for pattern in statement.resources)
    return found is not ("Resource" in statement.negated)


def reaches(statement: Statement, bucket: str) -> bool:
    """Whether a statement speaks of a bucket or of anything in it."""
    names = (pattern.rpartition(":")[2].partition("/")[0] for pattern in statement.resources)
    return "Resource" in statement.negated or any(fnmatchcase(bucket, name) for name in names)


def bucket_names(world: World) -> list[str]:
    """Names of the stack's backup buckets in AWS.

    Raises:
        Undecided: one of them is not known yet.
    """
    return [str(bucket.get("bucket")) for bucket in held(world, S3_BUCKET)]


def policies(world: World) -> Iterator[Resource]:
    """The stack's policies of identities."""
    return world.of(ROLE_POLICY, POLICY)


def roles(world: World, policy: Resource) -> frozenset[str]:
    """Names of the roles that have a policy.

    Raises:
        Undecided: whose it is, is not known yet.
    """
    bearers = [policy] if policy.kind == ROLE_POLICY else list(world.depending(policy, "policyArn", ATTACHMENT))
    return frozenset(name for bearer in bearers for name in _role(world, bearer))


def _role(world: World, bearer: Resource) -> list[str]:
    found = list(sources(world, bearer, "role", ROLE))
    if bearer.at("role").unknown and found:
        return [str(role.get("name")) for role in found]
    return [str(bearer.get("role")).rpartition("/")[2]]


# Azure.


def on_backups(world: World, assignment: Resource) -> bool:
    """Whether a role is assigned on backups, or on more than that.

    Raises:
        Undecided: on what it is, is not known yet.
    """
    above = [world.by_urn[urn] for urn in assignment.dependencies.get("scope", ()) if urn in world.by_urn]
    if above:
        return any(of_backups(source) or source.kind == GROUP for source in above)
    scope = str(assignment.get("scope")).lower()
    accounts = [str(account.at("name").value).lower() for account in held(world, ACCOUNT)]
    return "/providers/" not in scope or any(f"{_STORAGE}storageaccounts/{name}" in scope for name in accounts)


def places(world: World, assignment: Resource) -> frozenset[str]:
    """URNs of the accounts and containers of backups on which a role is assigned."""
    found = frozenset(each.urn for each in sources(world, assignment, "scope", ACCOUNT, CONTAINER))
    if found or not isinstance(scope := assignment.at("scope").value, str):
        return found
    named = held(world, ACCOUNT)
    return frozenset(each.urn for each in named if f"/storageaccounts/{each.at('name').value}".lower() in scope.lower())


def principals(world: World, assignment: Resource) -> frozenset[str]:
    """Names of the identities to which a role is assigned; none for others than the stack's.

    Raises:
        Undecided: a name is not known yet.
    """
    found = list(sources(world, assignment, "principalId", IDENTITY))
    text = assignment.at("principalId").value
    if not found and isinstance(text, str):
        found = [identity for identity in world.of(IDENTITY) if identity.at("principalId").value == text]
    return frozenset(str(identity.get("name")) for identity in found)


def role_id(assignment: Resource) -> str:
    """The id of the role that is assigned, without its scope.

    Raises:
        Undecided: it is not known yet.
    """
    return str(assignment.get("roleDefinitionId")).rpartition("/")[2].lower()


def custom(world: World, assignment: Resource) -> Resource | None:
    """The role of this stack that is assigned.

    Raises:
        Undecided: whether it is one of this stack's, is not known yet.
    """
    for definition in sources(world, assignment, "roleDefinitionId", DEFINITION):
        return definition
    wanted, unknown = role_id(assignment), False
    for definition in world.of(DEFINITION):
        name = definition.at("name")
        if not name.unknown and str(name.value).lower() == wanted:
            return definition
        unknown = unknown or name.unknown
    if unknown:
        raise Undecided("roleDefinitionId")
    return None


# Google.


def on_backup_bucket(world: World, grant: Resource) -> bool:
    """Whether a grant is on a bucket of backups.

    Raises:
        Undecided: its bucket is not known yet.
    """
    found = list(sources(world, grant, "bucket", GCS_BUCKET))
    return any(map(of_backups, found)) if found else grant.get("bucket") in _gcs_names(world)


def _gcs_names(world: World) -> list[object]:
    return [bucket.at("name").value for bucket in held(world, GCS_BUCKET)]


def members(world: World, grant: Resource) -> frozenset[str]:
    """Names of the service accounts that have a grant; none for others than service accounts.

    Raises:
        Undecided: whose it is, is not known yet.
    """
    found = list(sources(world, grant, "member", SERVICE_ACCOUNT))
    if found:
        return frozenset(str(account.get("accountId")) for account in found)
    if grant.at("member").unknown and grant.dependencies.get("member"):
        return frozenset()
    kind, _, address = str(grant.get("member")).partition(":")
    return frozenset({address.partition("@")[0]}) if kind == "serviceAccount" else frozenset()
