from policies.values import ABSENT
from tests.policies.case import Case

_LISTENER = {"purpose": "proxy", "tlsDisable": False, "tlsMinVersion": "tls12"}
_HTTP = ("http://vault.example.com:8200", "vault.example.com:8200", ABSENT)
_CONTAINER = {
    "name": "a",
    "image": "i",
    "env": [
        {"name": "VAULT_SKIP_VERIFY", "value": "false"},
        {"name": "CONSUL_HTTP_SSL_VERIFY", "value": "true"},
        {"name": "LEVEL", "valueFrom": {}},
        {"name": "NOMAD_SKIP_VERIFY", "value": "false"},
        {"name": "BOUNDARY_TLS_INSECURE", "value": "0"},
    ],
    "command": ["vault", "-keep"],
    "args": ["status", "--insecurely-named"],
}
_POD = {
    "template": {"spec": {"containers": [_CONTAINER], "initContainers": [{"name": "b", "image": "i", "args": ["x"]}]}}
}
_FIRST = "template.spec.containers[0]"
_BROKEN = {
    f"{_FIRST}.env[0].value": ("true", "t", "1"),
    f"{_FIRST}.env[1].value": ("false", "F", "0"),
    f"{_FIRST}.env[3].value": ("true",),
    f"{_FIRST}.env[4].value": ("true",),
    f"{_FIRST}.args[0]": (
        "-tls-skip-verify",
        "curl -k https://x",
        "--insecure",
        "VAULT_SKIP_VERIFY=true vault status",
        "VAULT_SKIP_VERIFY=TRUE vault status",
        "VAULT_SKIP_VERIFY=t vault status",
        "CONSUL_HTTP_SSL_VERIFY=false consul",
    ),
    f"{_FIRST}.command[0]": ("-insecure", "wget --no-check-certificate"),
    "template.spec.initContainers[0].args[0]": ("-tls-skip-verify",),
}


def _below(prefix: str) -> dict[str, tuple[str, ...]]:
    return {f"{prefix}.{path}": values for path, values in _BROKEN.items()}


CASES = (
    *(
        Case(
            "hashicorp:products:VaultCluster",
            {"listener": {"tlsDisable": False, "tlsMinVersion": version}},
            {"listener.tlsDisable": (True, ABSENT), "listener.tlsMinVersion": ("tls11", ABSENT)},
        )
        for version in ("tls12", "tls13")
    ),
    Case(
        "hashicorp:products:BoundaryCluster",
        {"listeners": [_LISTENER]},
        {"listeners[0].tlsDisable": (True, ABSENT), "listeners[0].tlsMinVersion": ("tls10", ABSENT)},
    ),
    Case(
        "hashicorp:products:BoundaryCluster",
        {"listeners": [{"purpose": "ops", "tlsDisable": True}]},
        {"listeners[0].purpose": ("api", "cluster", "proxy")},
        indifferent=("listeners[].tlsDisable",),
    ),
    Case(
        "pulumi:providers:vault",
        {"skipTlsVerify": False, "address": "https://vault.example.com:8200"},
        {"skipTlsVerify": (True, "true"), "address": _HTTP},
    ),
    Case(
        "pulumi:providers:consul",
        {"insecureHttps": False, "scheme": "https"},
        {"insecureHttps": (True,), "scheme": ("http", ABSENT)},
    ),
    Case(
        "pulumi:providers:nomad",
        {"skipVerify": False, "address": "https://nomad.example.com:4646"},
        {"skipVerify": (True,), "address": _HTTP},
    ),
    Case("kubernetes:apps/v1:Deployment", {"spec": {"selector": {}, **_POD}}, _below("spec")),
    Case(
        "kubernetes:batch/v1:CronJob",
        {"spec": {"schedule": "0 * * * *", "jobTemplate": {"spec": _POD}}},
        _below("spec.jobTemplate.spec"),
    ),
    Case(
        "nomad:index/job:Job",
        {"jobspec": 'env { VAULT_SKIP_VERIFY = "false" }'},
        {"jobspec": ('env { VAULT_SKIP_VERIFY = "true" }', 'args = ["-tls-skip-verify"]')},
    ),
)
