import json

from policies.values import ABSENT
from tests.policies.case import Case

_FLAG = (False, ABSENT)


def _mesh(version: str) -> str:
    return json.dumps({"TLS": {"Incoming": {"TLSMinVersion": version}}})


CASES = (
    *(
        Case(
            "hashicorp:products:ConsulCluster",
            {
                "tls": {
                    "verifyIncoming": True,
                    "verifyOutgoing": True,
                    "verifyServerHostname": True,
                    "minVersion": version,
                }
            },
            {
                "tls.verifyIncoming": _FLAG,
                "tls.verifyOutgoing": _FLAG,
                "tls.verifyServerHostname": _FLAG,
                "tls.minVersion": ("TLSv1_1", ABSENT),
            },
        )
        for version in ("TLSv1_2", "TLSv1_3")
    ),
    *(
        Case(
            "hashicorp:products:NomadCluster",
            {
                "tls": {
                    "http": True,
                    "rpc": True,
                    "verifyServerHostname": True,
                    "verifyHttpsClient": True,
                    "minVersion": version,
                }
            },
            {
                "tls.http": _FLAG,
                "tls.rpc": _FLAG,
                "tls.verifyServerHostname": _FLAG,
                "tls.minVersion": ("tls11", ABSENT),
            },
            advises={"tls.verifyHttpsClient": _FLAG},
        )
        for version in ("tls12", "tls13")
    ),
    Case(
        "consul:index/configEntry:ConfigEntry",
        {"kind": "mesh", "configJson": _mesh("TLSv1_2")},
        {"configJson": (_mesh("TLSv1_1"), "{}", "no json", ABSENT)},
    ),
    Case("consul:index/configEntry:ConfigEntry", {"kind": "mesh", "configJson": _mesh("TLSv1_3")}),
    Case(
        "consul:index/configEntry:ConfigEntry",
        {"kind": "proxy-defaults", "configJson": "{}"},
        {"kind": ("mesh",)},
        indifferent=("configJson",),
    ),
    Case(
        "kubernetes:helm.sh/v3:Release",
        {"chart": "consul", "values": {"global": {"tls": {"enabled": True, "verify": True, "httpsOnly": True}}}},
        {
            "values.global.tls.enabled": _FLAG,
            "values.global.tls.verify": _FLAG,
            "values.global.tls.httpsOnly": (False,),
        },
    ),
    Case(
        "kubernetes:helm.sh/v3:Release",
        {"chart": "consul", "values": {"global": {"tls": {"enabled": True, "verify": True}}}},
        {"values": (ABSENT,)},
    ),
    Case("kubernetes:helm.sh/v3:Release", {"chart": "vault"}, {"chart": ("consul",)}),
)
