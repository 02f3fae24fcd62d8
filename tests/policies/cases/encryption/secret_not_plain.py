import base64
import gzip
from typing import Any

from policies.resource import ROOT_TYPE
from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, changed
from tests.policies.cases.pods import pod_cases

# Put together here, so that nobody who searches the tree for secrets finds any.
TOKEN = "hv" + "s.CAESIJexampleexampleexample00"
UUID = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
PEM = "-----BEGIN EC PRIVATE " + "KEY-----\nMHcCAQ\n"
_CLEAN = (
    '#cloud-config\nwrite_files:\n- path: /etc/vault.d/vault.hcl\n  content: |\n    api_addr = "https://10.1.1.20"\n'
)


def _packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _zipped(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


_BAD: tuple[Any, ...] = (f"export VAULT_TOKEN={TOKEN}", _packed(_CLEAN + PEM), _zipped(_CLEAN + PEM))
_POD = {
    "containers": [
        {
            "name": "app",
            "command": ["consul", "agent"],
            "args": ["-config-dir=/etc/consul"],
            "env": [
                {"name": "CONSUL_HTTP_TOKEN", "value": "$(FROM_VAULT)"},
                {"name": "PGPASSWORD", "value": "${PASSWORD}"},
                {"name": "REQUEST_ID", "value": UUID},
                {"name": "PASSWORD_FILE", "value": "/run/secrets/password"},
            ],
        }
    ],
    "initContainers": [
        {"name": "init", "command": ["sh"], "args": ["-c", "true"], "env": [{"name": "A", "value": "b"}]}
    ],
}
_POD_BREAKS: dict[str, tuple[Any, ...]] = {
    "containers[0].env[0].value": (TOKEN, UUID),
    "containers[0].env[1].value": ("correct-horse",),
    "containers[0].env[2].name": ("NOMAD_TOKEN", TOKEN),
    "containers[0].args[0]": (f"-token={UUID}",),
    "containers[0].command[1]": _BAD,
    "initContainers[0].env[0].value": _BAD,
    "initContainers[0].args[1]": _BAD,
    "initContainers[0].command[0]": _BAD,
}
_JOB = 'job "web" {\n  group "g" {\n    task "t" {\n      env { VAULT_TOKEN = "${vault_token}" }\n    }\n  }\n}\n'
_MACHINE = {"machineType": "n2-standard-4", "networkInterfaces": [{"subnetwork": "servers"}]}
_METADATA = {"metadata": {"user-data": _CLEAN, "enable-oslogin": "TRUE"}, "metadataStartupScript": "true"}
_METADATA_BREAKS = {
    "metadata.user-data": _BAD,
    "metadata.db-password": ("correct-horse",),
    "metadataStartupScript": _BAD,
}

CASES = (
    Case(
        "aws:ec2/instance:Instance",
        {
            "ami": "ami-0123456789abcdef0",
            "instanceType": "m6i.large",
            "userData": _CLEAN,
            "userDataBase64": _zipped(_CLEAN),
        },
        {"userData": _BAD, "userDataBase64": _BAD},
    ),
    Case(
        "aws:ec2/launchConfiguration:LaunchConfiguration",
        {
            "imageId": "ami-0123456789abcdef0",
            "instanceType": "m6i.large",
            "userData": _CLEAN,
            "userDataBase64": _packed(_CLEAN),
        },
        {"userData": _BAD, "userDataBase64": _BAD},
    ),
    Case("aws:ec2/launchTemplate:LaunchTemplate", {"userData": _packed(_CLEAN)}, {"userData": _BAD}),
    Case(
        "aws:ssm/parameter:Parameter",
        {"type": "String", "value": "10.1.1.20", "insecureValue": "10.1.1.20"},
        {"value": _BAD, "insecureValue": _BAD},
        indifferent=("type",),
    ),
    Case(
        "aws:ssm/parameter:Parameter",
        {"type": "SecureString", "value": TOKEN},
        {"type": ("String", "StringList", ABSENT), "insecureValue": _BAD},
        indifferent=("value",),
    ),
    Case(
        "azure-native:compute:VirtualMachine",
        {"resourceGroupName": "rg", "osProfile": {"customData": _zipped(_CLEAN)}, "userData": _packed(_CLEAN)},
        {"osProfile.customData": _BAD, "userData": _BAD},
    ),
    Case(
        "azure-native:compute:VirtualMachineScaleSet",
        {
            "resourceGroupName": "rg",
            "virtualMachineProfile": {"osProfile": {"customData": _zipped(_CLEAN)}, "userData": _packed(_CLEAN)},
        },
        {"virtualMachineProfile.osProfile.customData": _BAD, "virtualMachineProfile.userData": _BAD},
    ),
    Case("gcp:compute/instance:Instance", {**_MACHINE, "bootDisk": {}, **_METADATA}, _METADATA_BREAKS),
    Case(
        "gcp:compute/instanceTemplate:InstanceTemplate",
        {"machineType": "n2-standard-4", "disks": [{}], **_METADATA},
        _METADATA_BREAKS,
    ),
    Case(
        "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
        {"machineType": "n2-standard-4", "disks": [{}], **_METADATA},
        _METADATA_BREAKS,
    ),
    Case(
        "gcp:compute/projectMetadata:ProjectMetadata",
        {"metadata": {"enable-oslogin": "TRUE"}},
        {"metadata.startup-script": _BAD, f"metadata.{TOKEN.replace('.', '')}": ()},
    ),
    Case(
        "kubernetes:core/v1:ConfigMap",
        {"data": {"vault.hcl": 'ui = "true"'}, "binaryData": {"files": _zipped(_CLEAN)}},
        {"data.file": _BAD, "data.password": ("correct-horse",), "binaryData.files": _BAD, "data": ({TOKEN: "x"},)},
    ),
    *pod_cases(_POD, _POD_BREAKS),
    Case(
        "consul:index/keys:Keys",
        {"keys": [{"path": "app/name", "value": "web"}, {"path": "app/id", "value": UUID}]},
        {
            "keys[0].value": _BAD,
            "keys[0].path": (f"tokens/{TOKEN}",),
            "keys[1].path": ("app/token", "app/secret"),
            "keys[1]": ({"path": "app/password", "value": "correct-horse"},),
        },
    ),
    Case("nomad:index/job:Job", {"jobspec": _JOB}, {"jobspec": (*_BAD, _JOB.replace("${vault_token}", TOKEN))}),
    Case(
        "vault:index/audit:Audit",
        {"type": "file", "options": {"file_path": "/var/log/vault/audit.log", "log_raw": "false"}},
        {"options.log_raw": ("true", "TRUE", "1")},
    ),
    Case("vault:index/audit:Audit", {"type": "file", "options": {"file_path": "/var/log/vault/audit.log"}}),
    StackCase(
        ("stack",),
        (
            Held(
                ROOT_TYPE,
                "root",
                {
                    "manifest": {"servers": [{"name": "vault-1", "id": UUID}]},
                    "lineage": {"ca-key": PEM, "t": UNKNOWN},
                },
            ),
        ),
        breaks={
            "a token": changed("root", "rootToken", TOKEN),
            "a token by its name": changed("root", "consulToken", UUID),
            "a key deep inside": changed("root", "manifest.servers[0].key", PEM),
            "a packed key": changed("root", "manifest.servers[0].data", _zipped(PEM)),
            "a password": changed("root", "adminPassword", "correct-horse"),
            "a token for a name": changed("root", "manifest.servers[0]", {TOKEN: "x"}),
        },
        defers={"an unknown part": changed("root", "manifest.servers[0].id", UNKNOWN)},
    ),
    StackCase(("stack",), ()),
)
