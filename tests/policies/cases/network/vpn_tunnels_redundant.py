from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, Stack, StackCase, changed, independent, without

_PAIR = "hashicorp:mesh:VpnPair"
_ENDS = [{"aEndpoint": "a0", "bEndpoint": "b0"}, {"aEndpoint": "a1", "bEndpoint": "b1"}]
_FACTS = {
    "complianceFacts": {
        "cloud": "gcp",
        "peersRequired": False,
        "peers": {"azure": {"cloud": "azure"}, "aws": {"cloud": "aws"}},
    }
}
_GATEWAY = "azure-native:network:VirtualNetworkGateway"
_EXTERNAL, _TUNNEL = "gcp:compute/externalVpnGateway:ExternalVpnGateway", "gcp:compute/vPNTunnel:VPNTunnel"
_ADDRESSES = [{"name": name, "publicIPAddress": {"id": f"/{name}"}} for name in ("one", "two", "three")]


def _required(stack: Stack) -> Stack:
    return changed("root", "complianceFacts.peersRequired", value=True)(stack)


_MESH = (
    Held(_PAIR, "azure-gcp", {"spec": {"pair": "azure-gcp"}}),
    Held(_PAIR, "aws-gcp", {"spec": {"pair": "aws-gcp"}}),
    Held("pulumi:pulumi:Stack", "root", _FACTS),
)

CASES = (
    Case(
        _PAIR,
        {"pair": "aws-gcp", "tunnels": _ENDS},
        {
            "tunnels": (_ENDS[:1], [], ABSENT),
            "tunnels[1].aEndpoint": ("a0", "", ABSENT),
            "tunnels[1].bEndpoint": ("b0", "", ABSENT),
            "pair": ("", ABSENT),
        },
    ),
    Case(
        _GATEWAY,
        {
            "resourceGroupName": "rg",
            "gatewayType": "Vpn",
            "activeActive": True,
            "sku": {"name": "VpnGw2AZ", "tier": "VpnGw2AZ"},
            "ipConfigurations": _ADDRESSES[:2],
        },
        {
            "activeActive": (False, ABSENT),
            "sku.name": ("VpnGw2", ABSENT),
            "ipConfigurations[1]": (ABSENT,),
            "ipConfigurations[1].publicIPAddress": (ABSENT,),
            "ipConfigurations[1].publicIPAddress.id": ("/one",),
            "ipConfigurations": ([UNKNOWN], [], ABSENT),
        },
        # Ids of addresses that this update makes.
        indifferent=("ipConfigurations[].publicIPAddress.id",),
    ),
    Case(
        _GATEWAY,
        {
            "resourceGroupName": "rg",
            "activeActive": True,
            "sku": {"name": "VpnGw1AZ"},
            "ipConfigurations": _ADDRESSES,
        },
        {"ipConfigurations[2].publicIPAddress.id": ("/one",)},
        indifferent=("ipConfigurations[].publicIPAddress.id",),
    ),
    Case(
        _GATEWAY,
        {"resourceGroupName": "rg", "gatewayType": "ExpressRoute", "sku": {"name": "ErGwScale"}},
        {"gatewayType": ("Vpn", ABSENT)},
        indifferent=("sku.name",),
    ),
    Case(
        "aws:ec2/vpnConnection:VpnConnection",
        {
            "customerGatewayId": "cgw",
            "type": "ipsec.1",
            "tunnel1InsideCidr": "169.254.21.0/30",
            "tunnel2InsideCidr": "169.254.21.4/30",
        },
        {"customerGatewayId": ("", ABSENT), "tunnel1InsideCidr": ("", ABSENT), "tunnel2InsideCidr": ("", ABSENT)},
        indifferent=("customerGatewayId",),
    ),
    Case(
        "gcp:compute/haVpnGateway:HaVpnGateway",
        {"network": "n", "stackType": "IPV4_ONLY"},
        {"stackType": ("IPV6_ONLY",), "vpnInterfaces": ([{"id": 0}],)},
    ),
    Case(
        "gcp:compute/haVpnGateway:HaVpnGateway",
        {"network": "n", "vpnInterfaces": [{"id": 0}, {"id": 1}]},
        {"vpnInterfaces[1]": (ABSENT,)},
    ),
    *(
        Case(
            _EXTERNAL,
            {"redundancyType": kind, "interfaces": [{"id": index} for index in range(number)]},
            {
                "redundancyType": ("SINGLE_IP_INTERNALLY_REDUNDANT", other, ABSENT),
                "interfaces[0].id": (1, ABSENT),
                "interfaces[0]": (ABSENT,),
                f"interfaces[{number}]": ({"id": number},),
                "interfaces": ([], ABSENT),
            },
        )
        for kind, number, other in (
            ("TWO_IPS_REDUNDANCY", 2, "FOUR_IPS_REDUNDANCY"),
            ("FOUR_IPS_REDUNDANCY", 4, "TWO_IPS_REDUNDANCY"),
        )
    ),
    StackCase(
        ("component",),
        _required(_MESH),
        breaks={
            "no pair to a peer": without("aws-gcp"),
            "no pair to another peer": without("azure-gcp"),
            "a peer that must have said something": changed("root", "complianceFacts.peers.aws", {}),
        },
    ),
    StackCase(
        ("component",),
        _MESH,
        advises={
            "a peer that has said nothing yet": changed("root", "complianceFacts.peers.aws", {}),
            "a peer whose gateway has no address yet": without("aws-gcp"),
        },
        defers={
            "unknown facts": changed("root", "complianceFacts", UNKNOWN),
            "an unknown pair": changed("aws-gcp", "spec.pair", UNKNOWN),
        },
    ),
    StackCase(("component",), (Held("pulumi:pulumi:Stack", "root", {}),)),
    StackCase(
        ("gcp",),
        (
            Held(_EXTERNAL, "aws"),
            *(
                Held(
                    _TUNNEL,
                    f"t{n}",
                    {"vpnGatewayInterface": n, "peerExternalGatewayInterface": n},
                    {"peerExternalGateway": ["aws"]},
                )
                for n in (0, 1)
            ),
        ),
        breaks={
            "one interface here": changed("t1", "vpnGatewayInterface", 0),
            "one interface there": changed("t1", "peerExternalGatewayInterface", 0),
            "no interface": changed("t1", "vpnGatewayInterface", ABSENT),
            "one tunnel": without("t1"),
            "no tunnel": lambda stack: without("t0")(without("t1")(stack)),
            "a tunnel elsewhere": independent("t1", "peerExternalGateway"),
        },
        defers={
            "an interface here that is not known": changed("t1", "vpnGatewayInterface", UNKNOWN),
            "an interface there that is not known": changed("t1", "peerExternalGatewayInterface", UNKNOWN),
        },
    ),
)
