from typing import Any

from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case

_VAULT, _NOMAD, _BOUNDARY = (f"hashicorp:products:{name}Cluster" for name in ("Vault", "Nomad", "Boundary"))
_RELEASE = "kubernetes:helm.sh/v3:Release"


def _kms(*purposes: str) -> list[dict[str, str]]:
    return [{"purpose": p, "type": "awskms", "keyRef": f"hashicorp-boundary-{p}-aws"} for p in purposes]


def _server(config: str) -> dict[str, Any]:
    return {"server": {"ha": {"raft": {"config": config}}}}


CASES = (
    *(
        Case(
            _VAULT,
            {"cloud": cloud, "seal": {"type": service, "keyRef": f"hashicorp-vault-seal-{cloud}"}},
            {
                "seal.type": ("shamir", "transit", ABSENT, *others),
                "seal.keyRef": (ABSENT, ""),
                "cloud": ("mars", ABSENT, *(other for other in ("aws", "azure", "gcp") if other != cloud)),
                "seal": (ABSENT,),
            },
            stack=cloud,
        )
        for cloud, service, others in (
            ("aws", "awskms", ("azurekeyvault", "gcpckms")),
            ("azure", "azurekeyvault", ("awskms", "gcpckms")),
            ("gcp", "gcpckms", ("awskms", "azurekeyvault")),
        )
    ),
    Case(
        _BOUNDARY,
        {"cloud": "aws", "nodes": 3, "kms": _kms("root", "worker-auth", "recovery")},
        {
            "kms": (_kms("root", "recovery"), _kms("worker-auth", "recovery"), [], ABSENT),
            "kms[0].type": ("aead", "transit", ABSENT),
            "kms[2].keyRef": ("hashicorp-boundary-root-aws", ABSENT, ""),
            "kms[0].purpose": (ABSENT,),
            "kms[1].purpose": ("bsr",),
            "nodes": (UNKNOWN,),
        },
        advises={"kms": (_kms("root", "worker-auth"),)},
    ),
    *(
        Case(_BOUNDARY, {"cloud": "aws", "nodes": controllers, "kms": _kms("worker-auth", "recovery")}, {"nodes": (1,)})
        for controllers in (0, "0")
    ),
    Case(
        _BOUNDARY,
        {"cloud": "azure", "kms": _kms("worker-auth")},
        {"kms": (ABSENT, _kms("root")), "nodes": (1, "many", -1), "kms[0].keyRef": (ABSENT,)},
        advises={"nodes": (0, ABSENT)},
    ),
    *(
        Case(
            _NOMAD,
            {"cloud": "gcp", "keyring": {"provider": provider, "keyRef": "hashicorp-nomad-keyring-gcp"}},
            {"keyring.provider": ("aead", ABSENT), "keyring.keyRef": (ABSENT, ""), "keyring": (ABSENT,)},
        )
        for provider in ("awskms", "azurekeyvault", "gcpckms", "transit")
    ),
    Case(
        _RELEASE,
        {
            "chart": "vault",
            "values": _server('listener "tcp" {}\nseal "awskms" {\n  region = "us-west-2"\n}\n'),
        },
        {
            "values": ({}, ABSENT, UNKNOWN),
            "values.server.ha.raft.config": (
                '# seal "awskms" {}\n',
                'listener "tcp" {}\n# seal "awskms" {}\n',
                '  // seal "gcpckms" {}\n',
                'seal "shamir" {}',
                'seal "transit" {}',
                'kind = "awskms"',
                UNKNOWN,
            ),
        },
    ),
    *(
        Case(_RELEASE, {"chart": chart, "values": values}, {"values": ({"server": {"standalone": {"config": ""}}},)})
        for chart, values in (
            ("vault", _server('seal "azurekeyvault" {}')),
            ("vault", _server("seal {\n  # The key of this region.\n  awskms {}\n}")),
            ("hashicorp/vault", _server('{"seal": {"gcpckms": {"project": "p"}}}')),
            ("oci://registry.example.com/charts/vault", _server('{"seal": [{"awskms": [{"region": "r"}]}]}')),
            ("vault", {"server": {"ha": {"seal": {"awskms": {"region": "us-west-2"}}}}}),
            ("vault", {"server": {"ha": {"seal": [{"awskms": {"region": "us-west-2"}}]}}}),
        )
    ),
    Case(_RELEASE, {"chart": "consul", "values": {}}, {"chart": ("vault", UNKNOWN)}, indifferent=("values",)),
)
