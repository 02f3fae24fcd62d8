from dataclasses import replace

from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Change, Held, Stack, StackCase, changed, independent, joined, without
from tests.policies.cases.backup.grants import (
    AWS,
    AZURE,
    CUSTOM,
    DECRYPT,
    GCP,
    KEY,
    LIST,
    READ,
    READER,
    RESTORER,
    ROLES,
    WRITER,
    allow,
    assignment,
    grant,
    plan,
    text,
    twice,
)

_EVERYTHING = "arn:aws:s3:::backups/*"


def _read(*statements: dict[str, object]) -> Change:
    return changed("read", "policy", text(*statements))


def _all(*changes: Change) -> Change:
    def change(stack: Stack) -> Stack:
        for each in changes:
            stack = each(stack)
        return stack

    return change


_FACTS = Held(
    "pulumi:pulumi:Stack",
    "root",
    {
        "complianceFacts": {
            "peersRequired": False,
            "peers": {
                "gcp": {
                    "schema": 1,
                    "identities": [{"role": "vault-server", "name": "x"}, {"role": "r", "name": RESTORER}],
                },
                "azure": {"identities": []},
            },
        }
    },
)
# What another plan waits for, this one does not hide.
_HOME = replace(plan("aws"), name="home")
_ABROAD = changed("plan", "spec.targets", [{"cloud": "aws"}, {"cloud": "gcp"}, {"cloud": "gcp"}])
_MANAGED = (
    Held("aws:iam/policy:Policy", "managed", {"policy": text(LIST, READ, DECRYPT)}),
    Held(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "attached",
        {"policyArn": UNKNOWN, "role": RESTORER},
        {"policyArn": ["managed"], "role": ["restorer"]},
    ),
)
_SILENT = changed("root", "complianceFacts.peers.gcp", {})
_REQUIRED = changed("root", "complianceFacts.peersRequired", value=True)

CASES = (
    StackCase(
        ("component",),
        _ABROAD((*AWS, _HOME, _FACTS)),
        breaks={
            "no writer": changed("plan", "spec.writer", ABSENT),
            "no restorer": changed("plan", "spec.restorer", ABSENT),
            "an empty restorer": changed("plan", "spec.restorer", ""),
            "one identity for both": changed("plan", "spec.writer", RESTORER),
            "a restorer that does not exist": changed("plan", "spec.restorer", "hmc-somebody"),
            "none in the second cloud": changed("root", "complianceFacts.peers.gcp.identities[1].name", "y"),
            "no identities in the second cloud": changed("root", "complianceFacts.peers.gcp.identities", ABSENT),
            "a peer that must have said something": _all(_SILENT, _REQUIRED),
            "a peer of which nobody heard": _all(changed("root", "complianceFacts.peers.gcp", ABSENT), _REQUIRED),
        },
        advises={
            "a peer that has said nothing yet": _SILENT,
            "a peer that says nothing": changed("root", "complianceFacts.peers.gcp", None),
            "no peers": changed("root", "complianceFacts.peers", {}),
            "no facts": without("root"),
        },
        defers={
            "a writer that is not known yet": changed("plan", "spec.writer", UNKNOWN),
            "a restorer that is not known yet": changed("plan", "spec.restorer", UNKNOWN),
            "peers that are not known yet": changed("root", "complianceFacts.peers", UNKNOWN),
            "a target that is not known yet": changed("plan", "spec.targets[1].cloud", UNKNOWN),
        },
    ),
    StackCase(
        ("aws",),
        AWS,
        breaks={
            "no objects": _read(LIST, DECRYPT),
            "some objects": _read(LIST, DECRYPT, allow("s3:GetObject", "arn:aws:s3:::backups/vault/*")),
            "no list": _read(READ, DECRYPT),
            "no key": _read(LIST, READ),
            "another key": _read(LIST, READ, allow("kms:Decrypt", f"{KEY}-other")),
            "the key for something else": _read(LIST, READ, allow("kms:Encrypt", KEY)),
            "a right to put": _read(LIST, READ, DECRYPT, allow("s3:PutObject", _EVERYTHING)),
            "a right to write": _read(LIST, READ, DECRYPT, allow("s3:Put*", _EVERYTHING)),
            "a right to change the policy": _read(LIST, READ, DECRYPT, allow("s3:PutBucketPolicy", "*")),
            "a right to delete": _read(LIST, READ, DECRYPT, allow("s3:DeleteObject", _EVERYTHING)),
            "a refusal": _read(LIST, DECRYPT, {**READ, "Effect": "Deny"}),
            "nothing": without("read"),
            "another bucket": twice("bucket", "replica", bucket="copies"),
            "rights of somebody else": changed("read", "role", "somebody"),
            "a role that merely begins so": changed("read", "role", f"{RESTORER}-somewhere"),
        },
        defers={
            "rights that are not known yet": changed("read", "policy", UNKNOWN),
            "a bucket that is not known yet": changed("bucket", "bucket", UNKNOWN),
        },
    ),
    *(
        StackCase(("aws",), change(AWS))
        for change in (
            changed("read", "role", f"{RESTORER}-us-west-2"),
            changed("read", "role", UNKNOWN),
            _read(allow(["s3:Get*", "s3:List*"], "*"), allow("kms:*", "*")),
            _read(LIST, READ, DECRYPT, {**allow("s3:*", "*"), "Effect": "Deny"}),
            _read(LIST, READ, DECRYPT, allow("s3:PutObject", "arn:aws:s3:::trail/*")),
            changed("encryption", "rules[0].applyServerSideEncryptionByDefault.kmsMasterKeyId", UNKNOWN),
        )
    ),
    StackCase(
        ("aws",),
        changed("encryption", "rules[0].applyServerSideEncryptionByDefault.kmsMasterKeyId", UNKNOWN)(AWS),
        breaks={"no key": _read(LIST, READ)},
    ),
    StackCase(
        ("aws",),
        _all(without("read"), joined(*_MANAGED))(AWS),
        breaks={
            "attached to somebody else": changed("attached", "role", "somebody"),
            "attached to nobody": without("attached"),
            "too little": changed("managed", "policy", text(LIST, READ)),
        },
        defers={
            "a role that is not known yet": _all(changed("attached", "role", UNKNOWN), independent("attached", "role"))
        },
    ),
    StackCase(
        ("azure",),
        AZURE,
        breaks={
            "nothing": without("read"),
            "another role": changed("read", "roleDefinitionId", f"{ROLES}/{CUSTOM}"),
            "another role too": joined(assignment("more", CUSTOM, "restorer")),
            "another container": twice("container", "replica"),
            "the right of somebody else": changed("restorer", "name", "somebody"),
        },
        defers={
            "a role that is not known yet": changed("read", "roleDefinitionId", UNKNOWN),
            "a name that is not known yet": changed("restorer", "name", UNKNOWN),
            "a scope that is not known yet": independent("read", "scope"),
        },
    ),
    *(
        StackCase(("azure",), change(AZURE))
        for change in (
            _all(without("read"), joined(assignment("whole", READER, "restorer", "account"))),
            lambda stack: [assignment("logs", CUSTOM, "restorer", "audit"), *stack],
            _all(twice("container", "replica"), joined(assignment("second", READER, "restorer", "replica"))),
            _all(
                without("read"),
                joined(
                    Held(
                        "azure-native:authorization:RoleAssignment",
                        "words",
                        {
                            "roleDefinitionId": f"{ROLES}/{READER.upper()}",
                            "principalId": "two",
                            "scope": "/subscriptions/1/providers/Microsoft.Storage/storageAccounts/Backups",
                        },
                    )
                ),
            ),
        )
    ),
    StackCase(
        ("gcp",),
        GCP,
        breaks={
            "nothing": without("read"),
            "another role": changed("read", "role", "roles/storage.objectAdmin"),
            "another role too": joined(grant("more", "objectCreator", "restorer")),
            "some objects": changed("read", "condition", {"title": "some", "expression": "false"}),
            "another bucket": twice("bucket", "replica", name="copies"),
            "the right of somebody else": changed("restorer", "accountId", "somebody"),
            "the right to another bucket": _all(
                without("read"), joined(grant("read", "objectViewer", "restorer", "audit"))
            ),
        },
        defers={
            "a role that is not known yet": changed("read", "role", UNKNOWN),
            "a member that is not known yet": independent("read", "member"),
            "a bucket that is not known yet": independent("read", "bucket"),
        },
    ),
    *(
        StackCase(("gcp",), change(GCP))
        for change in (
            changed("read", "condition", {}),
            joined(grant("writer", "objectCreator", "server")),
            _all(
                twice("bucket", "replica", name="copies"),
                joined(grant("second", "objectViewer", "restorer", "replica")),
            ),
            _all(
                without("read"),
                joined(
                    Held(
                        "gcp:storage/bucketIAMMember:BucketIAMMember",
                        "words",
                        {
                            "bucket": "backups",
                            "member": f"serviceAccount:{RESTORER}@platform.iam.gserviceaccount.com",
                            "role": "roles/storage.objectViewer",
                        },
                    )
                ),
            ),
        )
    ),
    StackCase(
        ("component",),
        (
            Held(
                "hashicorp:backup:BackupPlan",
                "plan",
                {"spec": {"cloud": "local", "writer": WRITER, "restorer": RESTORER, "targets": [{"cloud": "local"}]}},
            ),
        ),
    ),
)
