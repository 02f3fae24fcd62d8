import json

from tests.policies.case import Case


def _policy(action: object = "s3:GetObject", resource: object = "*", effect: str = "Allow", **more: object) -> str:
    return json.dumps({"Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}]})


_GOOD = _policy(["s3:GetObject", "kms:Decrypt"])
_BAD = (
    _policy("*"),
    _policy("*:*"),
    _policy(["s3:GetObject", "s3:*"]),
    _policy("kms:*"),
    _policy("iam:*", ["arn:aws:iam::1:role/a", "*"]),
    json.dumps({"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "arn:aws:s3:::b"}}),
    "no json",
)
_OWNER = "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
_CONTRIBUTOR = _OWNER.replace("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "b24988ac-6180-42a0-ab88-20f7382dd24c")
_ACCESS = _OWNER.replace("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9")
_READER = _OWNER.replace("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "acdd72a7-3385-48ef-bd42-f606fba81ae7")
_GROUP = "/subscriptions/s/resourceGroups/rg"
_WHO = {"principalId": "p", "principalType": "ServicePrincipal"}
_ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
_ANY = {"verbs": ["*"], "resources": ["*"], "apiGroups": ["*"]}
_RULE = {"verbs": ["get"], "resources": ["pods"], "apiGroups": [""]}

CASES = (
    *(
        Case(token, {"policy": _GOOD, **more}, {"policy": _BAD})
        for token, more in (
            ("aws:iam/policy:Policy", {}),
            ("aws:iam/rolePolicy:RolePolicy", {"role": "r"}),
            ("aws:iam/userPolicy:UserPolicy", {"user": "u"}),
            ("aws:iam/groupPolicy:GroupPolicy", {"group": "g"}),
        )
    ),
    Case("aws:iam/policy:Policy", {"policy": _policy("*", effect="Deny")}, {"policy": (_policy("*"),)}),
    Case("aws:iam/policy:Policy", {"policy": _policy("s3:*", "arn:aws:s3:::b/*")}, {"policy": (_policy("s3:*"),)}),
    Case(
        "aws:iam/role:Role",
        {
            "assumeRolePolicy": "{}",
            "inlinePolicies": [{"name": "a", "policy": _GOOD}],
            "managedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        },
        {
            "inlinePolicies[0].policy": _BAD,
            "managedPolicyArns[0]": (
                _ADMIN,
                "arn:aws:iam::aws:policy/PowerUserAccess",
                "arn:aws:iam::aws:policy/IAMFullAccess",
            ),
        },
    ),
    Case(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"role": "r", "policyArn": "arn:aws:iam::1:policy/own"},
        {"policyArn": (_ADMIN,)},
    ),
    Case(
        "azure-native:authorization:RoleDefinition",
        {"scope": "s", "permissions": [{"actions": ["a/read"], "dataActions": ["a/b/read"]}]},
        {"permissions[0].actions[0]": ("*",), "permissions[0].dataActions[0]": ("*",)},
    ),
    Case(
        "azure-native:authorization:RoleAssignment",
        {**_WHO, "roleDefinitionId": _READER, "scope": "/subscriptions/s"},
        {"roleDefinitionId": (_OWNER, _CONTRIBUTOR, _ACCESS)},
    ),
    Case(
        "azure-native:authorization:RoleAssignment",
        {**_WHO, "roleDefinitionId": _OWNER, "scope": _GROUP},
        {"scope": ("/subscriptions/s", "/subscriptions/s/", "/", "/providers/Microsoft.Management/managementGroups/g")},
    ),
    *(
        Case(
            token,
            {"project": "p", "role": "roles/viewer", **more},
            {"role": ("roles/owner", "roles/editor", "roles/iam.securityAdmin")},
        )
        for token, more in (
            ("gcp:projects/iAMMember:IAMMember", {"member": "user:a@example.com"}),
            ("gcp:projects/iAMBinding:IAMBinding", {"members": ["user:a@example.com"]}),
        )
    ),
    Case(
        "gcp:projects/iAMCustomRole:IAMCustomRole",
        {"roleId": "r", "title": "t", "permissions": ["storage.objects.get"]},
        {"permissions[0]": ("*", "storage.*", "resourcemanager.projects.setIamPolicy")},
    ),
    *(
        Case(f"kubernetes:rbac.authorization.k8s.io/v1:{kind}", {"rules": [_RULE]}, {"rules[0]": (_ANY,)})
        for kind in ("ClusterRole", "Role")
    ),
    *(
        Case(
            "kubernetes:rbac.authorization.k8s.io/v1:Role",
            {"rules": [{**_ANY, part: ["x"]}]},
            {f"rules[0].{part}": (["*"],)},
        )
        for part in ("verbs", "resources", "apiGroups")
    ),
    Case(
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
        {
            "roleRef": {"apiGroup": "g", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "Group", "name": "break-glass"}],
        },
        {"subjects[0].name": ("developers",)},
    ),
    Case(
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
        {
            "roleRef": {"apiGroup": "g", "kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "Group", "name": "developers"}],
        },
        {"roleRef.name": ("cluster-admin",)},
    ),
)
