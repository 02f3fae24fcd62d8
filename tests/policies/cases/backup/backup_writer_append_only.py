from dataclasses import replace

from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Held, StackCase, changed, independent, joined, without
from tests.policies.cases.backup.grants import (
    AWS,
    AZURE,
    BELOW,
    BLOBS,
    CHANGES,
    CLEAR,
    CUSTOM,
    DECRYPT,
    DENIAL,
    GCP,
    GROUP,
    READER,
    ROLE_POLICY,
    ROLES,
    WRITE,
    WRITER,
    allow,
    assignment,
    grant,
    text,
    twice,
)

_ACTIONS = (
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutObjectRetention",
    "s3:BypassGovernanceRetention",
    "s3:PutBucketVersioning",
    "s3:PutLifecycleConfiguration",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketPolicy",
)
_CONTAINERS = BLOBS.removesuffix("/blobs")
_BUILT_IN = (
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    "17d1049b-9a84-46fb-8f53-869881c3d3ab",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "BA92F5B4-2d11-453d-a403-e96b0029c9fe",
)
_ALL = "arn:aws:s3:::backups/*"
_OTHER = f"arn:aws:iam::123456789012:role/{WRITER}-azure"


def _denying(**changes: object) -> str:
    return text(CLEAR, {**DENIAL, **changes})


def _condition(**condition: object) -> str:
    return _denying(Condition=condition)


_PERMISSIONS = "permissions[0]"
_MANAGED = (
    Held("aws:iam/policy:Policy", "managed", {"policy": text(allow("s3:DeleteObject", _ALL))}),
    Held(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "attachment",
        {"policyArn": UNKNOWN, "role": WRITER},
        {"policyArn": ["managed"]},
    ),
)
_FOREIGN = Held(
    ROLE_POLICY,
    "foreign",
    {"policy": text(WRITE), "role": f"{WRITER}-azure"},
    above=BELOW,
)

CASES = (
    StackCase(
        ("aws",),
        AWS,
        breaks={
            **{
                f"a writer that may {action}": changed("write", "policy", text(WRITE, allow(action, _ALL)))
                for action in _ACTIONS
            },
            "everything but reading": changed(
                "write",
                "policy",
                text(WRITE, {"Effect": "Allow", "NotAction": "s3:GetObject", "Resource": "arn:aws:s3:::backups"}),
            ),
            "everything elsewhere": changed(
                "write",
                "policy",
                text(WRITE, {"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::trail/*"}),
            ),
            "a wildcard": changed("write", "policy", text(WRITE, allow("s3:Delete*", "arn:aws:s3:::back*"))),
            "anything": changed("write", "policy", text(WRITE, allow("*", "*"))),
            "in capitals": changed("write", "policy", text(WRITE, allow("S3:DELETEOBJECT", _ALL))),
            "no policy to read": changed("write", "policy", "no json"),
            "another policy of the writer": joined(
                Held(ROLE_POLICY, "more", {"policy": text(allow("s3:DeleteObject", _ALL)), "role": WRITER})
            ),
            "one whose role is not known yet": joined(
                Held(
                    ROLE_POLICY,
                    "more",
                    {"policy": text(allow("s3:DeleteObject", _ALL)), "role": UNKNOWN},
                    {"role": ["server"]},
                )
            ),
            "a managed policy": joined(*_MANAGED),
            "a role of another cloud's machines": joined(_FOREIGN),
            "no policy of the bucket": without("bucket-policy"),
            "a policy of another bucket": independent("bucket-policy", "bucket"),
            "no denial": changed("bucket-policy", "policy", text(CLEAR)),
            "an allowance": changed("bucket-policy", "policy", _denying(Effect="Allow")),
            **{
                f"no denial of {CHANGES[index]}": changed(
                    "bucket-policy", "policy", _denying(Action=[*CHANGES[:index], *CHANGES[index + 1 :]])
                )
                for index in range(len(CHANGES))
            },
            "no denial to a writer whose rights are no part of the backups": lambda stack: changed(
                "bucket-policy", "policy", text(CLEAR)
            )([replace(held, above=()) if held.name == "write" else held for held in stack]),
            "a denial of objects alone": changed("bucket-policy", "policy", _denying(Resource=_ALL)),
            "a denial of the bucket alone": changed(
                "bucket-policy", "policy", _denying(Resource="arn:aws:s3:::backups")
            ),
            "a denial of some objects": changed(
                "bucket-policy",
                "policy",
                _denying(Resource=["arn:aws:s3:::backups", "arn:aws:s3:::backups/consul/*"]),
            ),
            "a denial of all but the backups": changed(
                "bucket-policy",
                "policy",
                text({**{key: DENIAL[key] for key in DENIAL if key != "Resource"}, "NotResource": DENIAL["Resource"]}),
            ),
            "a denial to somebody else": changed(
                "bucket-policy", "policy", _condition(ArnEquals={"aws:PrincipalArn": _OTHER})
            ),
            "a denial to all but the writer": changed(
                "bucket-policy",
                "policy",
                _condition(ArnNotEquals={"aws:PrincipalArn": f"arn:aws:iam::123456789012:role/{WRITER}"}),
            ),
            "a denial under another condition": changed(
                "bucket-policy", "policy", _condition(StringEquals={"aws:SourceVpc": f"vpc/{WRITER}"})
            ),
            "a denial under one condition more": changed(
                "bucket-policy",
                "policy",
                _condition(**DENIAL["Condition"], Bool={"aws:ViaAWSService": "false"}),
            ),
            "a denial to another principal": changed(
                "bucket-policy", "policy", text({**DENIAL, "Principal": {"AWS": _OTHER}, "Condition": {}})
            ),
            "a denial to other principals": changed(
                "bucket-policy",
                "policy",
                text({**{key: DENIAL[key] for key in DENIAL if key != "Principal"}, "NotPrincipal": "*"}),
            ),
        },
        defers={
            "a policy that is not known yet": changed("write", "policy", UNKNOWN),
            "a policy of nobody known yet": joined(
                Held(ROLE_POLICY, "more", {"policy": text(allow("s3:DeleteObject", _ALL)), "role": UNKNOWN})
            ),
            "a bucket's policy that is not known yet": changed("bucket-policy", "policy", UNKNOWN),
            "a bucket that is not known yet": changed("bucket", "bucket", UNKNOWN),
        },
    ),
    *(
        StackCase(("aws",), change(AWS))
        for change in (
            changed("bucket-policy", "policy", text({**DENIAL, "Condition": {}})),
            changed(
                "bucket-policy",
                "policy",
                text({**DENIAL, "Principal": {"AWS": f"arn:aws:iam::123456789012:role/{WRITER}"}, "Condition": {}}),
            ),
            changed("bucket-policy", "policy", text({**DENIAL, "Action": "s3:*", "Resource": "*"})),
            changed("bucket-policy", "policy", _condition(ArnLike={"aws:PrincipalArn": "arn:aws:iam::1:role/hmc-*"})),
            changed(
                "bucket-policy",
                "policy",
                _condition(ArnEquals={"aws:PrincipalArn": f"arn:aws:iam::123456789012:role/backup/{WRITER}"}),
            ),
            changed("write", "role", f"arn:aws:iam::123456789012:role/{WRITER}"),
            changed("write", "role", UNKNOWN),
            changed("write", "policy", text(WRITE, DECRYPT, {**allow("s3:*", "*"), "Effect": "Deny"})),
            joined(
                Held(ROLE_POLICY, "more", {"policy": text(allow("s3:*", "arn:aws:s3:::backups2/*")), "role": WRITER})
            ),
            joined(Held(ROLE_POLICY, "more", {"policy": text(allow("s3:DeleteObject", _ALL)), "role": "people"})),
        )
    ),
    StackCase(
        ("component",),
        AWS,
        breaks={
            "no writer": changed("plan", "spec.writer", ABSENT),
            "an empty writer": changed("plan", "spec.writer", ""),
            "a writer that nothing grants anything": changed("plan", "spec.writer", "hmc-typing-error"),
            "a writer that may read only": changed("write", "policy", text(allow("s3:GetObject", _ALL))),
            "a writer that is refused": changed("write", "policy", text({**WRITE, "Effect": "Deny"})),
            "a writer into another bucket": changed(
                "write", "policy", text(allow("s3:PutObject", "arn:aws:s3:::trail/*"))
            ),
        },
        defers={"a writer that is not known yet": changed("plan", "spec.writer", UNKNOWN)},
    ),
    StackCase(
        ("azure",),
        AZURE,
        breaks={
            **{f"a writer with {role}": changed("write", "roleDefinitionId", f"{ROLES}/{role}") for role in _BUILT_IN},
            **{
                f"somebody else with {role}": changed("read", "roleDefinitionId", f"{ROLES}/{role}")
                for role in _BUILT_IN
            },
            "a writer with any other role": changed("write", "roleDefinitionId", f"{ROLES}/{READER}"),
            "a writer with a role on the whole group": joined(assignment("more", _BUILT_IN[1], "server", "group")),
            "a writer with a role on the account": joined(assignment("more", _BUILT_IN[1], "server", "account")),
            "a scope in words": joined(
                Held(
                    "azure-native:authorization:RoleAssignment",
                    "more",
                    {
                        "roleDefinitionId": f"{ROLES}/{_BUILT_IN[1]}",
                        "principalId": "one",
                        "scope": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/Backups/blobServices/default",
                    },
                )
            ),
            "a subscription in words": joined(
                Held(
                    "azure-native:authorization:RoleAssignment",
                    "more",
                    {"roleDefinitionId": f"{ROLES}/{_BUILT_IN[1]}", "principalId": "one", "scope": GROUP},
                )
            ),
            **{
                f"a role that may {action}": changed("definition", f"{_PERMISSIONS}.dataActions", [f"{BLOBS}/{action}"])
                for action in (
                    "delete",
                    "deleteBlobVersion/action",
                    "permanentDelete/action",
                    "immutableStorage/runAsSuperUser/action",
                    "modifyPermissions/action",
                    "*",
                )
            },
            **{
                f"a role that may change {action}": changed("definition", f"{_PERMISSIONS}.actions", [action])
                for action in (
                    "Microsoft.Storage/storageAccounts/delete",
                    "Microsoft.Storage/storageAccounts/write",
                    "Microsoft.Storage/storageAccounts/managementPolicies/write",
                    f"{_CONTAINERS}/delete",
                    f"{_CONTAINERS}/immutabilityPolicies/delete",
                    f"{_CONTAINERS}/immutabilityPolicies/write",
                    "*",
                )
            },
            "a role that may do nearly everything": changed(
                "definition",
                _PERMISSIONS,
                {"dataActions": [f"{BLOBS}/*"], "notDataActions": [f"{BLOBS}/delete"]},
            ),
            "no grant": without("write"),
        },
        defers={
            "a role that is not known yet": changed("write", "roleDefinitionId", UNKNOWN),
            "roles whose ids are not known yet": changed("definition", "name", UNKNOWN),
            "an identity that is not known yet": changed("server", "name", UNKNOWN),
            "rights that are not known yet": changed("definition", f"{_PERMISSIONS}.dataActions", UNKNOWN),
            "rights taken away that are not known yet": changed("definition", f"{_PERMISSIONS}.notActions", UNKNOWN),
            "a scope that is not known yet": independent("write", "scope"),
        },
    ),
    *(
        StackCase(("azure",), change(AZURE))
        for change in (
            changed(
                "definition",
                _PERMISSIONS,
                {
                    "dataActions": [f"{BLOBS}/*"],
                    "notDataActions": [
                        f"{BLOBS}/delete*",
                        f"{BLOBS}/permanentDelete/*",
                        f"{BLOBS}/immutableStorage/*",
                        f"{BLOBS}/modifyPermissions/action",
                    ],
                },
            ),
            changed("write", "roleDefinitionId", f"{ROLES}/{CUSTOM.upper()}"),
            twice("definition", "people", name="other", permissions=[{"actions": [f"{_CONTAINERS}/read"]}]),
            changed("read", "principalId", "elsewhere"),
            joined(assignment("key", READER, "server", "server")),
            joined(
                Held(
                    "azure-native:authorization:RoleAssignment",
                    "more",
                    {
                        "roleDefinitionId": f"{ROLES}/{_BUILT_IN[1]}",
                        "principalId": "one",
                        "scope": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/other",
                    },
                ),
                Held(
                    "azure-native:authorization:RoleAssignment",
                    "people",
                    {"roleDefinitionId": f"{ROLES}/{_BUILT_IN[1]}", "principalId": "four", "scope": GROUP},
                ),
            ),
        )
    ),
    StackCase(
        ("azure",),
        (
            *(held for held in AZURE if held.name not in ("definition", "write")),
            Held(
                "azure-native:authorization:RoleDefinition",
                "ours",
                {"name": UNKNOWN, "permissions": [{"dataActions": [f"{BLOBS}/add/action"]}]},
            ),
            Held(
                "azure-native:authorization:RoleAssignment",
                "write",
                {"roleDefinitionId": UNKNOWN, "principalId": "one", "scope": UNKNOWN},
                {"roleDefinitionId": ["ours"], "scope": ["container"]},
            ),
        ),
        breaks={"a role that may delete": changed("ours", "permissions[0].dataActions", [f"{BLOBS}/delete"])},
    ),
    StackCase(
        ("gcp",),
        GCP,
        breaks={
            **{
                f"a writer with {role}": changed("write", "role", f"roles/storage.{role}")
                for role in ("objectAdmin", "objectUser", "admin", "objectViewer", "legacyBucketWriter")
            },
            "another role of the writer": joined(grant("more", "objectViewer", "server")),
            "somebody else who may delete": changed("read", "role", "roles/storage.objectAdmin"),
            "machines of another cloud that may": changed("foreign", "role", "roles/storage.objectUser"),
            "a member in words": joined(
                Held(
                    "gcp:storage/bucketIAMMember:BucketIAMMember",
                    "more",
                    {
                        "bucket": "backups",
                        "member": f"serviceAccount:{WRITER}@platform.iam.gserviceaccount.com",
                        "role": "roles/storage.objectViewer",
                    },
                )
            ),
            **{
                f"{role} on the project": changed("project", "role", role)
                for role in ("roles/storage.admin", "roles/owner", "roles/editor")
            },
            "no grant": without("write"),
        },
        defers={
            "a role that is not known yet": changed("write", "role", UNKNOWN),
            "a bucket that is not known yet": independent("write", "bucket"),
            "a member that is not known yet": independent("write", "member"),
            "an account that is not known yet": changed("server", "accountId", UNKNOWN),
        },
    ),
    *(
        StackCase(("gcp",), change(GCP))
        for change in (
            joined(
                *(
                    Held(
                        "gcp:storage/bucketIAMMember:BucketIAMMember",
                        f"more-{kind}",
                        {"bucket": bucket, "member": f"{kind}:{WRITER}@platform.org", "role": f"roles/storage.{role}"},
                    )
                    for kind, bucket, role in (
                        ("group", "backups", "objectViewer"),
                        ("serviceAccount", "audit", "objectAdmin"),
                        ("serviceAccount", "backups", "objectCreator"),
                    )
                )
            ),
            joined(
                Held(
                    "gcp:projects/iAMMember:IAMMember",
                    "more",
                    {"member": "group:admins@platform.org", "role": "roles/owner", "project": "platform"},
                )
            ),
        )
    ),
)
