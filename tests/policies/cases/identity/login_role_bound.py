from policies.values import ABSENT
from tests.policies.case import Case

_NONE = ([], ABSENT)
_ACCOUNTS = {"boundServiceAccountNames": ["vault-agent"], "boundServiceAccountNamespaces": ["platform"]}
_ARN = "arn:aws:iam::123456789012:role/nomad"
_BOUNDS = ("boundServicePrincipalIds", "boundScaleSets", "boundResourceGroups")

CASES = (
    Case(
        "vault:kubernetes/authBackendRole:AuthBackendRole",
        {"roleName": "r", "audience": "vault", **_ACCOUNTS},
        {
            "boundServiceAccountNames": ([],),
            "boundServiceAccountNames[0]": ("*",),
            "boundServiceAccountNamespaces": _NONE,
            "boundServiceAccountNamespaces[0]": ("*",),
        },
        advises={"audience": ("", ABSENT)},
        indifferent=("audience",),
    ),
    Case(
        "vault:jwt/authBackendRole:AuthBackendRole",
        {"roleName": "r", "userClaim": "sub", "boundAudiences": ["vault"], "boundSubject": "repo:platform"},
        {"boundAudiences": _NONE, "boundSubject": ("", ABSENT)},
        indifferent=("boundAudiences[]", "boundSubject", "boundClaims"),
    ),
    Case(
        "vault:jwt/authBackendRole:AuthBackendRole",
        {"roleName": "r", "userClaim": "sub", "boundAudiences": ["vault"], "boundClaims": {"team": "platform"}},
        {"boundClaims": ({}, ABSENT)},
        indifferent=("boundAudiences[]", "boundSubject", "boundClaims"),
    ),
    Case(
        "vault:aws/authBackendRole:AuthBackendRole",
        {"role": "r", "authType": "iam", "boundIamPrincipalArns": [_ARN]},
        {
            "authType": ("ec2",),
            "boundIamPrincipalArns": _NONE,
            "boundIamPrincipalArns[0]": ("*", "arn:aws:iam::123456789012:*", "arn:aws:iam::123456789012:role/*"),
        },
    ),
    Case(
        "vault:aws/authBackendRole:AuthBackendRole",
        {"role": "r", "boundIamPrincipalArns": [f"{_ARN}-*"]},
    ),
    *(
        Case(
            "vault:azure/authBackendRole:AuthBackendRole",
            {"role": "r", bound: ["platform"]},
            {bound: _NONE},
            indifferent=tuple(f"{each}[]" for each in _BOUNDS),
        )
        for bound in _BOUNDS
    ),
    Case(
        "vault:gcp/authBackendRole:AuthBackendRole",
        {"role": "r", "type": "gce", "boundServiceAccounts": ["nomad@example.com"], "boundProjects": ["example"]},
        {"boundServiceAccounts": _NONE, "boundServiceAccounts[0]": ("*",), "boundProjects": _NONE},
        indifferent=("boundProjects[]",),
    ),
    Case(
        "vault:ssh/secretBackendRole:SecretBackendRole",
        {"backend": "ssh", "keyType": "ca", "allowUserCertificates": True, "allowedUsers": "admin, ops*", "ttl": "1h"},
        {"allowedUsers": ("*", "admin, *"), "ttl": ("3601", "2h", "0", ABSENT)},
    ),
    Case(
        "vault:ssh/secretBackendRole:SecretBackendRole",
        {"backend": "ssh", "keyType": "ca", "allowUserCertificates": True, "allowedUsers": "admin", "ttl": "1"},
        {"ttl": ("0",)},
    ),
    Case(
        "vault:ssh/secretBackendRole:SecretBackendRole",
        {"backend": "ssh", "keyType": "ca", "allowUserCertificates": False},
        {"allowUserCertificates": (True,), "allowedUsers": ("*",)},
        indifferent=("ttl",),
    ),
    Case(
        "consul:index/aclBindingRule:AclBindingRule",
        {"authMethod": "jwt", "bindType": "role", "bindName": "r", "selector": "value.team == platform"},
        {"selector": ("", ABSENT)},
        indifferent=("selector",),
    ),
)
