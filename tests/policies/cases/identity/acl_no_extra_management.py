import json

from policies.values import ABSENT
from tests.policies.case import Case

_MANAGEMENT = ("global-management", "builtin/global-management", "00000000-0000-0000-0000-000000000001")
_NONE = ("", ABSENT)
_BINDING = {"authMethod": "jwt", "selector": 'value.team == "platform"'}

CASES = (
    Case(
        "consul:index/aclToken:AclToken",
        {"policies": ["agent"], "roles": ["reader"]},
        {"policies[0]": _MANAGEMENT, "roles[0]": _MANAGEMENT[:2]},
    ),
    Case(
        "consul:index/aclTokenPolicyAttachment:AclTokenPolicyAttachment",
        {"tokenId": "t", "policy": "agent"},
        {"policy": _MANAGEMENT},
    ),
    Case("consul:index/aclRole:AclRole", {"policies": ["agent"]}, {"policies[0]": _MANAGEMENT}),
    Case(
        "consul:index/aclPolicy:AclPolicy",
        {"rules": 'acl = "write"\noperator = "read"\nnode_prefix "" {\n  policy = "write"\n}'},
        {
            "rules": (
                'acl = "write"\noperator = "write"',
                'operator = "write" # both\nacl = "write"',
                json.dumps({"acl": "write", "operator": "write"}),
            )
        },
    ),
    Case("consul:index/aclPolicy:AclPolicy", {"rules": json.dumps({"acl": "read", "operator": "write"})}),
    *(
        Case(
            "consul:index/aclBindingRule:AclBindingRule",
            {**_BINDING, "bindType": kind, "bindName": "reader"},
            {"bindName": _MANAGEMENT, "selector": _NONE},
        )
        for kind in ("policy", "role")
    ),
    # A service may be called anything.
    Case(
        "consul:index/aclBindingRule:AclBindingRule",
        {**_BINDING, "bindType": "service", "bindName": "global-management"},
        {"bindType": ("policy", "role")},
        indifferent=("bindName",),
    ),
    Case("nomad:index/aclToken:AclToken", {"type": "client"}, {"type": ("management",)}),
    Case(
        "nomad:index/aclBindingRule:AclBindingRule",
        {**_BINDING, "bindType": "management"},
        {"selector": _NONE},
    ),
    Case(
        "nomad:index/aclBindingRule:AclBindingRule",
        {"authMethod": "jwt", "bindType": "role", "bindName": "reader"},
        {"bindType": ("management",)},
        indifferent=("selector",),
    ),
    Case(
        "nomad:index/aclPolicy:AclPolicy",
        {"rulesHcl": 'namespace "*" {\n  policy = "write"\n}\noperator {\n  policy = "read"\n}'},
        {
            "rulesHcl": (
                'namespace "*" { policy = "write" }\noperator { policy = "write" }',
                json.dumps({"namespace": {"*": {"policy": "write"}}, "operator": {"policy": "write"}}),
            )
        },
    ),
    Case(
        "nomad:index/aclPolicy:AclPolicy",
        {"rulesHcl": 'namespace "default" {\n  policy = "write"\n}\noperator {\n  policy = "write"\n}'},
    ),
)
