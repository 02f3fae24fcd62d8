from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case

_AWS = {
    "customerGatewayId": "cgw",
    "type": "ipsec.1",
    "tunnel1DpdTimeoutAction": "restart",
    "tunnel2DpdTimeoutAction": "restart",
}
_AZURE = {
    "resourceGroupName": "rg",
    "connectionType": "IPsec",
    "virtualNetworkGateway1": {"id": "g"},
    "enableBgp": True,
}
_NOT_PRIVATE = (64511, 65535, 4199999999, 4294967295, 7224, "x", ABSENT)
_SESSION = {"interface": "i", "router": "r", "peerAsn": 64610}

CASES = (
    Case(
        "aws:ec2/vpnConnection:VpnConnection",
        {**_AWS, "staticRoutesOnly": False, "tunnel1DpdTimeoutSeconds": 40, "tunnel2DpdTimeoutSeconds": 40},
        {
            "staticRoutesOnly": (True,),
            "tunnel1DpdTimeoutAction": ("clear", "none", ABSENT),
            "tunnel2DpdTimeoutAction": ("clear", "none", ABSENT),
            "tunnel1DpdTimeoutSeconds": (41,),
            "tunnel2DpdTimeoutSeconds": (41,),
        },
    ),
    Case(
        "aws:ec2/vpnConnection:VpnConnection",
        _AWS,
        {"tunnel1DpdTimeoutSeconds": (60,), "tunnel2DpdTimeoutSeconds": (60,)},
    ),
    *(
        Case(
            "azure-native:network:VirtualNetworkGatewayConnection",
            {**_AZURE, "dpdTimeoutSeconds": seconds},
            {"enableBgp": (False, ABSENT), "dpdTimeoutSeconds": (8, 46, ABSENT)},
        )
        for seconds in (9, 45)
    ),
    *(
        Case(
            "azure-native:network:VirtualNetworkGateway",
            {"resourceGroupName": "rg", "gatewayType": "Vpn", "enableBgp": True, "bgpSettings": {"asn": asn}},
            {"enableBgp": (False, ABSENT), "bgpSettings.asn": _NOT_PRIVATE},
        )
        for asn in (64512, 65534, 4200000000, 4294967294)
    ),
    Case(
        "azure-native:network:VirtualNetworkGateway",
        {"resourceGroupName": "rg", "gatewayType": "ExpressRoute"},
        {"gatewayType": ("Vpn", ABSENT)},
    ),
    Case(
        "azure-native:network:LocalNetworkGateway",
        {
            "resourceGroupName": "rg",
            "bgpSettings": {"asn": 64610, "bgpPeeringAddress": "169.254.21.1"},
            "localNetworkAddressSpace": {"addressPrefixes": ["169.254.21.1/32"]},
        },
        {
            "bgpSettings.asn": _NOT_PRIVATE,
            "bgpSettings.bgpPeeringAddress": ("", "169.254.21.5", ABSENT),
            "localNetworkAddressSpace.addressPrefixes[0]": ("10.1.0.0/16", "10.1.0.4/32"),
        },
    ),
    Case(
        "azure-native:network:LocalNetworkGateway",
        {"resourceGroupName": "rg", "bgpSettings": {"asn": 64610, "bgpPeeringAddress": "169.254.21.1"}},
    ),
    *(
        Case(
            "gcp:compute/routerPeer:RouterPeer",
            {**_SESSION, "enable": True, "bfd": {"sessionInitializationMode": mode}},
            {"peerAsn": ("", ABSENT), "enable": (False,)},
            advises={"bfd.sessionInitializationMode": ("DISABLED",)},
        )
        for mode in ("ACTIVE", "PASSIVE")
    ),
    Case("gcp:compute/routerPeer:RouterPeer", _SESSION),
    Case("gcp:compute/router:Router", {"network": "n", "bgp": {"asn": 64630}}, {"bgp.asn": _NOT_PRIVATE}),
    Case("gcp:compute/router:Router", {"network": "n"}, {"bgp.asn": (1,)}),
    Case(
        "gcp:compute/route:Route",
        {"network": "n", "destRange": "10.1.0.0/16", "nextHopIlb": "i"},
        {"nextHopVpnTunnel": ("tunnel", UNKNOWN)},
    ),
    Case("hashicorp:mesh:VpnPair", {"routing": "bgp"}, {"routing": ("static", ABSENT)}),
)
