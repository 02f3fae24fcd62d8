import json

from policies.values import ABSENT
from tests.policies.case import Case

_FLAG = (True, "true", ABSENT)
_VAULT = {"devMode": False, "listener": {"tlsDisable": False}, "rawStorageEndpoint": False, "storage": "raft"}
_META = {"selector": {"matchLabels": {"app": "vault"}}}
_AT = "spec.template.spec.containers[0]"
_DEVELOPMENT = ("-dev", "--dev", "dev", "-dev-root-token-id=x", "-dev-connect", "exec vault server -dev")


def _pods(image: str, *args: str) -> dict[str, object]:
    container = {"name": "server", "image": image, "command": ["/bin/server"], "args": list(args)}
    return {
        "spec": {**_META, "template": {"metadata": {"labels": {"app": "vault"}}, "spec": {"containers": [container]}}}
    }


def _job(image: str = "hashicorp/vault:1.18", args: str = '["server"]', command: str = "vault") -> str:
    config = f'image = "{image}"\n command = "{command}"\n args = {args}'
    return f'job "a" {{ group "g" {{ task "t" {{ driver = "docker"\n config {{ {config} }} }} }} }}'


def _json(word: str) -> str:
    return json.dumps({"TaskGroups": [{"Tasks": [{"Name": "t", "Config": {"image": "consul", "args": [word]}}]}]})


CASES = (
    Case(
        "hashicorp:products:VaultCluster",
        _VAULT,
        {
            "devMode": _FLAG,
            "listener.tlsDisable": _FLAG,
            "rawStorageEndpoint": _FLAG,
            "storage": ("inmem", "file", ABSENT),
        },
    ),
    Case(
        "hashicorp:products:BoundaryCluster",
        {
            "devMode": False,
            "listeners": [{"purpose": "proxy", "tlsDisable": False}],
        },
        {"devMode": _FLAG, "listeners[0].tlsDisable": _FLAG},
    ),
    Case(
        "hashicorp:products:BoundaryCluster",
        {"devMode": False, "listeners": [{"purpose": "ops", "tlsDisable": True}]},
        {"listeners[0].purpose": ("api", ABSENT)},
        indifferent=("listeners[].tlsDisable",),
    ),
    Case(
        "kubernetes:helm.sh/v3:Release",
        {
            "chart": "hashicorp/vault",
            "values": {"global": {"tlsDisable": False}, "server": {"dev": {"enabled": False}}},
        },
        {"values.server.dev.enabled": (True, "true"), "values.global.tlsDisable": _FLAG},
    ),
    Case(
        "kubernetes:helm.sh/v3:Release",
        {"chart": "consul", "values": {}},
        {"chart": ("vault",)},
        indifferent=("values",),
    ),
    *(
        Case(
            f"kubernetes:apps/v1:{kind}",
            _pods("hashicorp/vault:1.18", "server", "-config=/dev/shm/vault", "devices"),
            {f"{_AT}.args[0]": _DEVELOPMENT, f"{_AT}.command[0]": _DEVELOPMENT[:1]},
        )
        for kind in ("StatefulSet", "Deployment")
    ),
    Case(
        "kubernetes:apps/v1:StatefulSet",
        _pods("example/web", "-dev"),
        {
            f"{_AT}.image": tuple(
                f"hashicorp/{name}" for name in ("vault-enterprise", "openbao", "bao", "boundary", "consul", "nomad")
            )
        },
        indifferent=("spec?.template?.spec?.containers[].command[]", "spec?.template?.spec?.containers[].args[]"),
    ),
    Case(
        "nomad:index/job:Job",
        {"jobspec": _job(), "json": False},
        {
            "jobspec": (
                _job(args='["server", "-dev"]'),
                _job("example/web", args='["-dev"]', command="/usr/bin/vault"),
                _job(command="server -dev"),
            )
        },
    ),
    Case(
        "nomad:index/job:Job",
        {"jobspec": _json("agent"), "json": True},
        {"jobspec": (_json("-dev"),)},
    ),
    Case("nomad:index/job:Job", {"jobspec": _job("example/web", '["-dev"]', "web"), "json": False}),
)
