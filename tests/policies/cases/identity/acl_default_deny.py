from policies.settings import Settings
from policies.values import ABSENT
from tests.policies.case import Case

_ANONYMOUS = "00000000-0000-0000-0000-000000000002"
_OTHER = "00000000-0000-0000-0000-00000000000a"
_FLAG = (False, "false", ABSENT)
_ACL = {"enabled": True, "defaultPolicy": "deny", "downPolicy": "extend-cache"}
_DNS = Settings(anonymous_policies=("dns",))

CASES = (
    Case(
        "hashicorp:products:ConsulCluster",
        {"acl": _ACL},
        {
            "acl.enabled": _FLAG,
            "acl.defaultPolicy": ("allow", ABSENT),
            "acl.downPolicy": ("allow", "async-cache", ABSENT),
        },
    ),
    Case("hashicorp:products:ConsulCluster", {"acl": {**_ACL, "downPolicy": "deny"}}),
    Case("hashicorp:products:NomadCluster", {"acl": {"enabled": True}}, {"acl.enabled": _FLAG}),
    Case(
        "consul:index/aclTokenPolicyAttachment:AclTokenPolicyAttachment",
        {"tokenId": _ANONYMOUS, "policy": "dns"},
        {"policy": ("operator", "")},
        settings=_DNS,
    ),
    Case(
        "consul:index/aclTokenPolicyAttachment:AclTokenPolicyAttachment",
        {"tokenId": _OTHER, "policy": "operator"},
        {"tokenId": (_ANONYMOUS,)},
        indifferent=("policy",),
    ),
    Case(
        "consul:index/aclToken:AclToken",
        {"accessorId": _ANONYMOUS, "policies": ["dns"], "roles": []},
        {"policies[0]": ("operator",), "roles[0]": ("reader",)},
        settings=_DNS,
    ),
    Case(
        "consul:index/aclToken:AclToken",
        {"accessorId": _OTHER, "policies": ["operator"], "roles": ["reader"]},
        {"accessorId": (_ANONYMOUS,)},
        indifferent=("policies[]", "roles[]"),
    ),
    *(
        Case(
            "consul:index/configEntryServiceIntentions:ConfigEntryServiceIntentions",
            {"name": "*", "sources": [{"name": source, "action": action, "type": "consul"}]},
            breaks,
            indifferent=indifferent,
        )
        for source, action, breaks, indifferent in (
            ("*", "deny", {"sources[0].action": ("allow",)}, ()),
            ("web", "allow", {"sources[0].name": ("*",)}, ("sources[].action",)),
        )
    ),
    Case(
        "consul:index/configEntryServiceIntentions:ConfigEntryServiceIntentions",
        {"name": "web", "sources": [{"name": "*", "action": "allow", "type": "consul"}]},
        {"name": ("*",)},
        indifferent=("sources[].name", "sources[].action"),
    ),
    Case(
        "consul:index/intention:Intention",
        {"sourceName": "*", "destinationName": "*", "action": "deny"},
        {"action": ("allow",)},
    ),
    Case(
        "consul:index/intention:Intention",
        {"sourceName": "web", "destinationName": "*", "action": "allow"},
        {"sourceName": ("*",)},
        indifferent=("action",),
    ),
    Case(
        "consul:index/intention:Intention",
        {"sourceName": "*", "destinationName": "web", "action": "allow"},
        {"destinationName": ("*",)},
        indifferent=("action",),
    ),
    Case(
        "kubernetes:helm.sh/v3:Release",
        {"chart": "hashicorp/consul", "values": {"global": {"acls": {"manageSystemACLs": True}}}},
        {"values.global.acls.manageSystemACLs": _FLAG},
    ),
    Case(
        "kubernetes:helm.sh/v3:Release",
        {"chart": "vault", "values": {}},
        {"chart": ("consul",)},
        indifferent=("values",),
    ),
)
