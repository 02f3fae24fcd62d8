"""Backups and those who may touch them, as the platform registers them: the stacks of the rules on writer and restorer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from policies.values import UNKNOWN
from tests.policies.case import Change, Held, Stack, joined

BELOW = ("hashicorp:platform:Platform", "hashicorp:clouds:BackupBucket")
PLAN = "hashicorp:backup:BackupPlan"
WRITER, RESTORER = "hmc-vault-server", "hmc-backup-restorer"
KEY = "arn:aws:kms:us-west-2:123456789012:key/mrk-1"
CHANGES = (
    "s3:DeleteObject*",
    "s3:PutObjectRetention",
    "s3:BypassGovernanceRetention",
    "s3:PutBucketVersioning",
    "s3:PutLifecycleConfiguration",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketPolicy",
)

ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
ASSIGNMENT, DEFINITION = "azure-native:authorization:RoleAssignment", "azure-native:authorization:RoleDefinition"
IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
CONTAINER, ACCOUNT = "azure-native:storage:BlobContainer", "azure-native:storage:StorageAccount"
MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"

GROUP = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg"
ROLES = "/subscriptions/00000000-0000-4000-8000-000000000001/providers/Microsoft.Authorization/roleDefinitions"
READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
CUSTOM = "a551d6af-3760-55f7-8be0-0ab29130cd69"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"


def text(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow(action: str | Sequence[str], resource: str | Sequence[str], **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def plan(cloud: str, writer: str = WRITER) -> Held:
    targets = [{"cloud": cloud, "bucket": "backups"}]
    spec = {"cloud": cloud, "product": "vault", "writer": writer, "restorer": RESTORER, "targets": targets}
    return Held(PLAN, "plan", {"spec": spec})


def twice(name: str, called: str, /, **props: Any) -> Change:  # noqa: ANN401
    """The stack with a second resource like one of its own."""

    def change(stack: Stack) -> Stack:
        like = next(held for held in stack if held.name == name)
        return joined(replace(like, name=called, props={**like.props, **props}))(stack)

    return change


# AWS.

DENIAL = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": CHANGES,
    "Resource": ["arn:aws:s3:::backups", "arn:aws:s3:::backups/*"],
    "Condition": {"ArnEquals": {"aws:PrincipalArn": [f"arn:aws:iam::123456789012:role/{WRITER}"]}},
}
CLEAR = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
WRITE = allow("s3:PutObject", "arn:aws:s3:::backups/vault/aws/*")
LIST = allow(["s3:ListBucket", "s3:ListBucketVersions"], "arn:aws:s3:::backups")
READ = allow(["s3:GetObject", "s3:GetObjectVersion"], "arn:aws:s3:::backups/*")
DECRYPT = allow("kms:Decrypt", KEY)
TRUST = text({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})

AWS: tuple[Held, ...] = (
    plan("aws"),
    Held("aws:s3/bucket:Bucket", "bucket", {"bucket": "backups"}, above=BELOW),
    Held("aws:s3/bucket:Bucket", "trail", {"bucket": "trail"}),
    Held(
        "aws:s3/bucketPolicy:BucketPolicy",
        "bucket-policy",
        {"bucket": "backups", "policy": text(CLEAR, DENIAL)},
        {"bucket": ["bucket"]},
        above=BELOW,
    ),
    Held(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "encryption",
        {
            "bucket": "backups",
            "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}}],
        },
        {"bucket": ["bucket"]},
        above=BELOW,
    ),
    Held(ROLE, "server", {"name": WRITER, "assumeRolePolicy": TRUST}),
    Held(ROLE, "restorer", {"name": RESTORER, "assumeRolePolicy": TRUST}, above=BELOW),
    Held(ROLE_POLICY, "write", {"policy": text(WRITE, DECRYPT), "role": WRITER}, {"role": ["server"]}, above=BELOW),
    Held(
        ROLE_POLICY,
        "read",
        {"policy": text(LIST, READ, DECRYPT), "role": RESTORER},
        {"role": ["restorer"]},
        above=BELOW,
    ),
    Held(
        ROLE_POLICY,
        "elsewhere",
        {"policy": text(allow("s3:*", "arn:aws:s3:::trail/*"), allow("kms:*", KEY)), "role": "somebody"},
    ),
)

# Azure.

_SCOPE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/backups"


def assignment(name: str, role: str, identity: str, scope: str = "container") -> Held:
    return Held(
        ASSIGNMENT,
        name,
        {"roleDefinitionId": f"{ROLES}/{role}", "scope": UNKNOWN, "principalId": UNKNOWN, "principalType": "User"},
        {"principalId": [identity], "scope": [scope]},
        above=BELOW,
    )


AZURE: tuple[Held, ...] = (
    plan("azure"),
    Held("azure-native:resources:ResourceGroup", "group", {"name": "rg"}),
    Held(ACCOUNT, "account", {"name": "backups"}, above=BELOW),
    Held(ACCOUNT, "audit", {"name": "audit"}),
    Held(CONTAINER, "container", {"name": "backups"}, {"accountName": ["account"]}, above=BELOW),
    Held(IDENTITY, "server", {"name": WRITER, "principalId": "one"}),
    Held(IDENTITY, "restorer", {"name": RESTORER, "principalId": "two"}),
    Held(IDENTITY, "flows", {"name": "flows", "principalId": "three"}),
    Held(
        DEFINITION,
        "definition",
        {
            "name": CUSTOM,
            "permissions": [
                {"actions": [], "notActions": [], "dataActions": [f"{BLOBS}/add/action"], "notDataActions": []}
            ],
        },
        above=BELOW,
    ),
    assignment("write", CUSTOM, "server"),
    assignment("read", READER, "restorer"),
    replace(assignment("elsewhere", "ba92f5b4-2d11-453d-a403-e96b0029c9fe", "flows", "audit"), above=()),
)

# Google.


def grant(name: str, role: str, account: str, bucket: str = "bucket") -> Held:
    return Held(
        MEMBER,
        name,
        {"bucket": UNKNOWN, "member": UNKNOWN, "role": f"roles/storage.{role}"},
        {"bucket": [bucket], "member": [account]},
    )


GCP: tuple[Held, ...] = (
    plan("gcp"),
    Held("gcp:storage/bucket:Bucket", "bucket", {"name": "backups", "location": "US"}, above=BELOW),
    Held("gcp:storage/bucket:Bucket", "audit", {"name": "audit", "location": "US"}),
    Held("gcp:serviceaccount/account:Account", "server", {"accountId": WRITER}),
    Held("gcp:serviceaccount/account:Account", "restorer", {"accountId": RESTORER}),
    Held("gcp:iam/workloadIdentityPool:WorkloadIdentityPool", "pool", {"workloadIdentityPoolId": "aws"}),
    grant("write", "objectCreator", "server"),
    grant("read", "objectViewer", "restorer"),
    grant("foreign", "objectCreator", "pool"),
    grant("elsewhere", "admin", "server", "audit"),
    Held(
        "gcp:projects/iAMMember:IAMMember",
        "project",
        {"member": UNKNOWN, "role": "roles/logging.logWriter", "project": "platform"},
        {"member": ["server"]},
    ),
)
