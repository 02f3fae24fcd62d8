from typing import Any

from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, changed

_KEYS = [f"P{index}{'x' * 30}" for index in range(4)]
_CONNECTION = {"customerGatewayId": "cgw", "type": "ipsec.1"}
_AWS = "aws:ec2/vpnConnection:VpnConnection"
_PASSWORD = "random:index/randomPassword:RandomPassword"
_PAIR = "hashicorp:mesh:VpnPair"


def _pair(name: str, *refs: str) -> Held:
    a, b = name.split("-")
    ends = {"a": {"cloud": a, "asn": 64610}, "b": {"cloud": b, "asn": 64620}}
    return Held(_PAIR, name, {"spec": {"pair": name, **ends, "tunnels": [{"pskRef": ref} for ref in refs]}})


def _said(pair: str, *refs: str) -> dict[str, Any]:
    return {"pair": pair, "pskRefs": list(refs)}


_PEERS = "complianceFacts.peers"
_FACTS = {
    "complianceFacts": {
        "peersRequired": False,
        "peers": {
            "azure": {"vpnPairs": [_said("aws-azure", "aws-azure-0"), _said("azure-gcp", "azure-gcp-0")]},
            "gcp": {"vpnPairs": [_said("aws-gcp", "aws-gcp-0", "aws-gcp-1"), _said("azure-gcp", "azure-gcp-0")]},
        },
    }
}
_CONNECTIONS = tuple(
    Held(_AWS, f"c{n}", {"tunnel1PresharedKey": _KEYS[2 * n], "tunnel2PresharedKey": _KEYS[2 * n + 1]})
    for n in range(2)
)

CASES = (
    Case(
        _AWS,
        {
            **_CONNECTION,
            "tunnel1PresharedKey": _KEYS[0],
            "tunnel2PresharedKey": _KEYS[1],
            "presharedKeyStorage": "Standard",
        },
        {
            "tunnel1PresharedKey": (_KEYS[0][:31], _KEYS[1], "", ABSENT),
            "tunnel2PresharedKey": (_KEYS[0], "short", ABSENT),
        },
    ),
    Case(
        _AWS,
        {**_CONNECTION, "presharedKeyStorage": "SecretsManager"},
        {
            "presharedKeyStorage": ("Standard", ABSENT),
            "tunnel1PresharedKey": ("short", ""),
            "tunnel2PresharedKey": ("short",),
        },
    ),
    Case(
        "azure-native:network:VirtualNetworkGatewayConnection",
        {
            "resourceGroupName": "rg",
            "connectionType": "IPsec",
            "virtualNetworkGateway1": {"id": "g"},
            "sharedKey": _KEYS[0],
        },
        {"sharedKey": (_KEYS[0][:31], ABSENT)},
    ),
    Case("gcp:compute/vPNTunnel:VPNTunnel", {"sharedSecret": _KEYS[0]}, {"sharedSecret": (_KEYS[0][:31], ABSENT)}),
    Case(
        "gcp:compute/vPNTunnel:VPNTunnel",
        {"sharedSecretWo": _KEYS[0], "sharedSecretWoVersion": "1"},
        {"sharedSecretWo": (_KEYS[0][:31], ABSENT), "sharedSecret": ("short", "")},
    ),
    *(
        Case(_PASSWORD, {"length": 32}, {"length": (31, 8)}, name=name)
        for name in ("psk", "Preshared", "pre-shared", "tunnel-1", "vpn", "mesh-aws-gcp-0")
    ),
    *(
        Case(_PASSWORD, {"length": 32, "keepers": keepers}, {"length": (31,)}, name="plain")
        for keepers in ({"tunnel": "0"}, {"for": "the VPN"})
    ),
    Case(
        _PASSWORD,
        {"length": 8, "keepers": {"dashboard": "1"}},
        {"keepers.tunnel": ("1",)},
        name="grafana",
        indifferent=("length",),
    ),
    Case(
        _PAIR,
        {"tunnels": [{"pskRef": "a"}, {"pskRef": "b"}]},
        {"tunnels[1].pskRef": ("a", "", ABSENT), "tunnels": ([], ABSENT)},
    ),
    StackCase(
        ("component",),
        (
            _pair("aws-gcp", "aws-gcp-0", "aws-gcp-1"),
            _pair("aws-azure", "aws-azure-0"),
            Held("pulumi:pulumi:Stack", "root", _FACTS),
        ),
        breaks={
            "a key of another pair": lambda stack: changed(
                "root", f"{_PEERS}.azure.vpnPairs[0].pskRefs", ["aws-gcp-0"]
            )(changed("aws-azure", "spec.tunnels[0].pskRef", "aws-gcp-0")(stack)),
            "a key of a pair between peers": lambda stack: changed(
                "root", f"{_PEERS}.azure.vpnPairs[0].pskRefs", ["azure-gcp-0"]
            )(changed("aws-azure", "spec.tunnels[0].pskRef", "azure-gcp-0")(stack)),
            "other keys than the peer": changed("aws-gcp", "spec.tunnels[0].pskRef", "aws-gcp-2"),
            "keys in another order than the peer's": changed(
                "root", f"{_PEERS}.gcp.vpnPairs[0].pskRefs", ["aws-gcp-1", "aws-gcp-0"]
            ),
            "fewer keys than the peer": changed("aws-gcp", "spec.tunnels[1]", ABSENT),
            "a peer that must have said something": lambda stack: changed(
                "root", "complianceFacts.peersRequired", value=True
            )(changed("root", f"{_PEERS}.gcp", {})(stack)),
        },
        advises={"a peer that has said nothing yet": changed("root", f"{_PEERS}.gcp", {})},
        defers={
            "unknown facts": changed("root", "complianceFacts", UNKNOWN),
            "an unknown reference": changed("aws-gcp", "spec.tunnels[0].pskRef", UNKNOWN),
        },
    ),
    StackCase(
        ("component",),
        (_pair("aws-gcp", "aws-gcp-0"), _pair("aws-azure", "aws-azure-0")),
        breaks={"a key of another pair": changed("aws-azure", "spec.tunnels[0].pskRef", "aws-gcp-0")},
    ),
    StackCase(
        ("aws",),
        (*_CONNECTIONS, Held(_AWS, "kept", {"presharedKeyStorage": "SecretsManager", "tunnel1PresharedKey": UNKNOWN})),
        breaks={
            "the same key twice": changed("c1", "tunnel2PresharedKey", _KEYS[0]),
            "the same key twice beside one that is not known": lambda stack: changed(
                "c1", "tunnel1PresharedKey", UNKNOWN
            )(changed("c1", "tunnel2PresharedKey", _KEYS[1])(stack)),
        },
        defers={
            "an unknown key": changed("c1", "tunnel2PresharedKey", UNKNOWN),
            "an unknown place": changed("kept", "presharedKeyStorage", UNKNOWN),
        },
    ),
    # What lacks keys is judged by itself.
    StackCase(
        ("aws",),
        (
            Held(_AWS, "none", {}),
            *(Held(_AWS, name, {"tunnel1PresharedKey": ""}) for name in ("empty", "empty-too")),
            Held(_AWS, "bare", {}),
        ),
    ),
)
