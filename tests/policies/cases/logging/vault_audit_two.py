from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, changed, joined, without

_AUDIT = "vault:index/audit:Audit"
_CLUSTER = "hashicorp:products:VaultCluster"
_LOGS = ("/var/log/vault/audit.json", "/opt/vault/audit/audit.json")


def _device(name: str, target: str) -> Held:
    return Held(_AUDIT, name, {"type": "file", "path": name, "options": {"file_path": target}})


_CLAIMED = Held(_CLUSTER, "vault-aws", {"spec": {"audit": [{"type": "file", "target": target} for target in _LOGS]}})
_PROVIDER = Held("pulumi:providers:vault", "vault", {"address": "https://vault.hashicorp.example.com:8200"})

CASES = (
    Case(
        _AUDIT,
        {"type": "file", "options": {"file_path": _LOGS[0], "log_raw": "false", "hmac_accessor": "true"}},
        {"options.log_raw": ("true", True), "options.hmac_accessor": ("false", False)},
    ),
    Case(
        "vault:index/mount:Mount",
        {
            "path": "secret",
            "type": "kv-v2",
            "auditNonHmacRequestKeys": ["role"],
            "auditNonHmacResponseKeys": ["role", "ttl"],
        },
        {
            "auditNonHmacRequestKeys[0]": ("password", "token", "secret", "data"),
            "auditNonHmacResponseKeys[1]": ("password", "token", "secret", "data"),
        },
    ),
    StackCase(
        ("vault", "component"),
        (_PROVIDER, _device("first", _LOGS[0]), _device("second", _LOGS[1]), _CLAIMED),
        breaks={
            "one device": without("second"),
            "no device": lambda stack: [held for held in stack if held.type != _AUDIT],
            "one target": changed("second", "options.file_path", _LOGS[0]),
            "a device that the cluster does not declare": joined(_device("third", "/tmp/audit.json")),
            "another target than declared": changed("second", "options.file_path", "/tmp/audit.json"),
            "another type than declared": changed("vault-aws", "spec.audit[1].type", "socket"),
            "a spec that is not known": changed("vault-aws", "spec.audit[1].target", UNKNOWN),
            "a list that is not known": changed("vault-aws", "spec.audit", UNKNOWN),
        },
        defers={
            "a type that is not known": changed("second", "type", UNKNOWN),
            "options that are not known": changed("second", "options", UNKNOWN),
        },
    ),
    StackCase(
        ("vault",),
        (_device("first", _LOGS[0]), _device("second", _LOGS[1])),
        breaks={
            "one device": without("first"),
            "nothing to ship": lambda stack: [
                Held(_AUDIT, name, {"type": "syslog", "options": {"tag": name}}) for name in ("first", "second")
            ],
        },
    ),
    StackCase(
        ("vault",),
        (
            Held(_AUDIT, "first", {"type": "socket", "options": {"address": "127.0.0.1:9090"}}),
            Held(_AUDIT, "second", {"type": "syslog", "options": {"tag": "vault"}}),
            Held(
                _CLUSTER,
                "vault-aws",
                {
                    "spec": {
                        "audit": [
                            {"type": "socket", "target": "127.0.0.1:9090"},
                            {"type": "syslog", "target": "vault"},
                        ]
                    }
                },
            ),
        ),
        breaks={
            "one device": without("second"),
            "the same socket twice": lambda stack: [stack[0], stack[0]],
        },
    ),
    # Of a type without an option of its own, the path is the target.
    StackCase(
        ("vault",),
        (
            _device("first", _LOGS[0]),
            Held(_AUDIT, "second", {"type": "other", "options": {"path": _LOGS[1]}}),
            Held(
                _CLUSTER,
                "vault-aws",
                {"spec": {"audit": [{"type": "file", "target": _LOGS[0]}, {"type": "other", "target": _LOGS[1]}]}},
            ),
        ),
        breaks={"another path than declared": changed("second", "options.path", "/tmp/audit.json")},
    ),
    StackCase(
        ("component",),
        (_CLAIMED,),
        breaks={
            "one sink": changed("vault-aws", "spec.audit[1]", ABSENT),
            "no sink": changed("vault-aws", "spec.audit", ABSENT),
            "one target": changed("vault-aws", "spec.audit[1].target", _LOGS[0]),
            "nothing to ship": changed(
                "vault-aws", "spec.audit", [{"type": "syslog", "target": "a"}, {"type": "syslog", "target": "b"}]
            ),
            "a spec that is not known": changed("vault-aws", "spec", UNKNOWN),
        },
    ),
    StackCase(
        ("component",),
        (
            Held(
                _CLUSTER,
                "vault-aws",
                {"spec": {"audit": [{"type": "syslog", "target": "a"}, {"type": "socket", "target": "b"}]}},
            ),
        ),
        breaks={"nothing to ship": changed("vault-aws", "spec.audit[1].type", "syslog")},
    ),
)
