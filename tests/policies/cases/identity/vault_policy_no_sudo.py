import json

from tests.policies.case import Case


def _path(path: str, *capabilities: str) -> str:
    return f'path "{path}" {{\n  capabilities = {json.dumps(capabilities)}\n}}\n'


_GOOD = (
    _path("secret/data/vault/*", "create", "read", "update", "delete")
    + _path("*", "read", "list")
    + _path("sys/*", "read", "create", "update")
    + _path("+/creds/*", "create", "delete")
    + _path("sys/storage/raft/snapshot", "read", "sudo")
    + _path("sys/auth/*", "create", "read", "update", "delete", "sudo")
    + _path("sys/raw/*", "deny")
    + _path("+/*", "deny", "sudo")
    + '# path "*" { capabilities = ["sudo"] }\n'
    + 'path "secret/old" { policy = "write" }\n'
    + 'path "sys/health" { policy = "sudo" }\n'
)
_BAD = (
    *(_path(path, "sudo") for path in ("*", "sys/*", "+/*", "+", "s*", "sys/+", "/*", "+/data")),
    _path("*", "create", "read", "update", "delete"),
    _path("sys/*", "update", "create", "delete"),
    _path("sys/raw", "read"),
    _path("sys/raw/*", "read"),
    _path("/sys/raw", "read"),
    _path("/sys/*/", "sudo"),
    'path "*" { policy = "sudo" }',
    'path "sys/*" { policy = "write" }',
    _GOOD + _path("sys/*", "sudo"),
    json.dumps({"path": {"*": {"capabilities": ["sudo"]}}}),
    json.dumps({"path": {"+/*": {"policy": "write"}}}),
    "",
    "no policy",
    "[]",
)
_LISTS = {"policies": ["operator", "reader"]}
_ROOT = {"policies[1]": ("root", " Root ")}
_LOGIN = {"tokenPolicies[0]": ("root",)}

CASES = (
    Case("vault:index/policy:Policy", {"name": "operator", "policy": _GOOD}, {"policy": _BAD, "name": ("root",)}),
    Case("vault:index/policy:Policy", {"policy": json.dumps({"path": {"secret/*": {"capabilities": ["update"]}}})}),
    Case("vault:index/token:Token", _LISTS, _ROOT),
    Case("vault:identity/groupPolicies:GroupPolicies", {"groupId": "g", **_LISTS}, _ROOT),
    Case("vault:identity/entityPolicies:EntityPolicies", {"entityId": "e", **_LISTS}, _ROOT),
    Case(
        "vault:tokenauth/authBackendRole:AuthBackendRole",
        {"roleName": "jobs", "allowedPolicies": ["jobs"], "allowedPoliciesGlobs": ["jobs-*", "ro*-jobs"]},
        {
            "allowedPolicies[0]": ("root",),
            "allowedPoliciesGlobs[0]": ("*", "r*", "root*", "*t", "r*t*", "root", " Root* "),
        },
    ),
    *(
        Case(f"vault:{method}/authBackendRole:AuthBackendRole", {"tokenPolicies": ["operator"], **more}, _LOGIN)
        for method, more in (
            ("appRole", {"roleName": "r"}),
            ("kubernetes", {"roleName": "r", "boundServiceAccountNames": ["a"]}),
            ("jwt", {"roleName": "r", "userClaim": "sub"}),
            ("aws", {"role": "r"}),
            ("azure", {"role": "r"}),
            ("gcp", {"role": "r", "type": "gce"}),
        )
    ),
)
