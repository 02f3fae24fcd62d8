from typing import Any

from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, changed, joined

_PAIR = "hashicorp:mesh:VpnPair"
_INTERFACE = "gcp:compute/routerInterface:RouterInterface"
_SESSION = "gcp:compute/routerPeer:RouterPeer"
_CUSTOMER = "aws:ec2/customerGateway:CustomerGateway"


def _spec(pair: str, asns: tuple[int, int], *insides: str) -> dict[str, Any]:
    a, b = pair.split("-")
    return {
        "pair": pair,
        "a": {"cloud": a, "asn": asns[0]},
        "b": {"cloud": b, "asn": asns[1]},
        "tunnels": [{"insideCidr": inside} for inside in insides],
    }


def _said(pair: str, asns: tuple[int, int], *insides: str) -> dict[str, Any]:
    return {"pair": pair, "asns": list(asns), "insideCidrs": list(insides)}


_WITH_AZURE = _spec("aws-azure", (64610, 64620), "169.254.21.0/30", "169.254.22.252/30")
_WITH_GCP = _spec("aws-gcp", (64610, 64630), "169.254.6.0/30", "169.254.30.4/30")
_ABROAD = _said("azure-gcp", (64620, 64630), "169.254.21.8/30")
_PEERS = "complianceFacts.peers"
_FACTS = {
    "complianceFacts": {
        "cloud": "aws",
        "peersRequired": False,
        "peers": {
            "azure": {
                "vpnPairs": [_said("aws-azure", (64610, 64620), "169.254.21.0/30", "169.254.22.252/30"), _ABROAD]
            },
            "gcp": {"vpnPairs": [_ABROAD, _said("aws-gcp", (64610, 64630), "169.254.6.0/30", "169.254.30.4/30")]},
        },
    }
}
_STACK = (
    Held(_PAIR, "aws-azure", {"spec": _WITH_AZURE}),
    Held(_PAIR, "aws-gcp", {"spec": _WITH_GCP}),
    Held("pulumi:pulumi:Stack", "root", _FACTS),
)
_GCP_STACK = (
    Held(_PAIR, "aws-gcp", {"spec": _WITH_GCP}),
    Held(_PAIR, "azure-gcp", {"spec": _spec("azure-gcp", (64620, 64630), "169.254.21.8/30")}),
    Held("gcp:compute/vPNTunnel:VPNTunnel", "tunnel"),
    Held(_INTERFACE, "interface", {"ipRange": "169.254.6.2/30", "vpnTunnel": UNKNOWN}, {"vpnTunnel": ["tunnel"]}),
    Held(_INTERFACE, "plain", {"ipRange": "169.254.21.10/30", "vpnTunnel": "tunnel"}),
    Held(_INTERFACE, "leased", {"ipRange": "169.254.77.1/29", "interconnectAttachment": "line"}),
    Held(_SESSION, "peer", {"peerAsn": 64610, "peerIpAddress": "169.254.6.1"}),
    Held(_SESSION, "other", {"peerAsn": 64620, "peerIpAddress": "169.254.21.10"}),
)
_NOT_PRIVATE = (64511, 65535, 4199999999, 4294967295, 7224, "x", ABSENT)

CASES = (
    Case(
        _PAIR,
        _WITH_AZURE,
        {
            "a.asn": (64620, 65515, 65517, 65520, *_NOT_PRIVATE),
            "b.asn": (64610, *_NOT_PRIVATE),
            "b.cloud": ("aws",),
            "tunnels[0].insideCidr": (
                "169.254.20.252/30",
                "169.254.23.0/30",
                "169.254.21.0/29",
                "169.254.21.0/31",
                "169.254.21.1/30",
                "10.0.0.0/30",
                "169.255.21.0/30",
                "169.254.22.252/30",
                "x",
                ABSENT,
            ),
        },
    ),
    # Numbers around those that Azure keeps, and one that only Azure's own gateway may have.
    *(
        Case(_PAIR, _spec("aws-azure", (number, 64620), "169.254.21.0/30"))
        for number in (64512, 65514, 65516, 65521, 65534, 4200000000, 4294967294)
    ),
    Case(_PAIR, _spec("aws-azure", (64610, 65515), "169.254.21.0/30"), {"a.asn": (65515,)}),
    Case(_PAIR, _spec("aws-gcp", (65515, 65518), "169.254.30.0/30"), {"a.cloud": ("azure",), "b.cloud": ("azure",)}),
    Case(_PAIR, _spec("azure-gcp", (64620, 64630), "169.254.21.0/30"), {"b.asn": (65515, 65517, 65518, 65520, 64620)}),
    Case(
        _PAIR,
        _WITH_GCP,
        {
            "tunnels[0].insideCidr": (
                *(f"169.254.{third}.0/30" for third in range(6)),
                "169.254.169.252/30",
                "169.254.30.4/30",
            ),
            "b.cloud": ("azure",),
            "a.cloud": ("azure",),
        },
    ),
    # Only the first range of each of the six is AWS's own.
    Case(_PAIR, _spec("aws-gcp", (64610, 64630), "169.254.5.4/30", "169.254.169.248/30")),
    *(
        Case(token, {"amazonSideAsn": number}, {"amazonSideAsn": _NOT_PRIVATE})
        for token, number in (
            ("aws:ec2transitgateway/transitGateway:TransitGateway", 64610),
            ("aws:ec2/vpnGateway:VpnGateway", "64610"),
        )
    ),
    Case(
        _INTERFACE,
        {"router": "r", "ipRange": "169.254.21.1/30", "vpnTunnel": "t"},
        {"ipRange": ("10.0.0.1/30", "169.255.0.1/30", "x", ABSENT)},
        indifferent=("vpnTunnel",),
    ),
    Case(_INTERFACE, {"router": "r", "interconnectAttachment": "line"}, {"vpnTunnel": ("t",)}),
    StackCase(
        ("component",),
        _STACK,
        breaks={
            "two pairs in one range": changed("aws-gcp", "spec.tunnels[0].insideCidr", "169.254.21.0/30"),
            "a range of a pair between peers": changed("aws-azure", "spec.tunnels[0].insideCidr", "169.254.21.8/30"),
            "a range around a peer's": changed("aws-azure", "spec.tunnels[0].insideCidr", "169.254.21.8/29"),
            "other ranges than the peer": changed(
                "root", f"{_PEERS}.gcp.vpnPairs[1].insideCidrs[1]", "169.254.30.8/30"
            ),
            "ranges of other tunnels than the peer": changed(
                "root", f"{_PEERS}.gcp.vpnPairs[1].insideCidrs", ["169.254.30.4/30", "169.254.6.0/30"]
            ),
            "several numbers for one cloud": changed("aws-gcp", "spec.a.asn", 64611),
            "another number than the peer says": changed("root", f"{_PEERS}.gcp.vpnPairs[1].asns[0]", 64611),
            "another number between peers": changed("root", f"{_PEERS}.gcp.vpnPairs[0].asns[1]", 64631),
            "two clouds with one number": changed("aws-gcp", "spec.b.asn", 64620),
            "a peer that must have said something": lambda stack: changed(
                "root", "complianceFacts.peersRequired", value=True
            )(changed("root", f"{_PEERS}.gcp", {})(stack)),
            "two pairs of one name in one range": joined(Held(_PAIR, "twin", {"spec": _WITH_AZURE})),
        },
        advises={"a peer that has said nothing yet": changed("root", f"{_PEERS}.gcp", {})},
        defers={
            "unknown facts": changed("root", "complianceFacts", UNKNOWN),
            "an unknown range": changed("aws-gcp", "spec.tunnels[0].insideCidr", UNKNOWN),
            "an unknown number": changed("aws-gcp", "spec.a.asn", UNKNOWN),
        },
    ),
    # Pairs of others are compared with this stack's; among themselves they are their stacks' to compare.
    StackCase(("component",), _STACK[:2]),
    StackCase(("component",), (_STACK[0], _STACK[2])),
    *(
        StackCase(
            ("aws",),
            (
                *_STACK,
                Held(token, "own", {"amazonSideAsn": number}),
                Held(_CUSTOMER, "peer", {"bgpAsn": "64620"}),
                Held(_CUSTOMER, "wide", {"bgpAsn": "", "bgpAsnExtended": "64630"}),
            ),
            breaks={
                "another number here": changed("own", "amazonSideAsn", 64512),
                "a peer's number here": changed("own", "amazonSideAsn", 64620),
                "another number there": changed("peer", "bgpAsn", "64999"),
                "this cloud's number there": changed("peer", "bgpAsn", "64610"),
                "another wide number there": changed("wide", "bgpAsnExtended", "64999"),
                "no number": changed("peer", "bgpAsn", ABSENT),
                "two numbers": changed("peer", "bgpAsnExtended", "64630"),
                "one wrong beside one that is not known": lambda stack: changed("own", "amazonSideAsn", 64512)(
                    changed("peer", "bgpAsn", UNKNOWN)(stack)
                ),
            },
            defers={
                "an unknown number here": changed("own", "amazonSideAsn", UNKNOWN),
                "an unknown number there": changed("peer", "bgpAsn", UNKNOWN),
            },
        )
        for token, number in (
            ("aws:ec2/vpnGateway:VpnGateway", "64610"),
            ("aws:ec2transitgateway/transitGateway:TransitGateway", 64610.0),
        )
    ),
    # The gateway comes before any pair.
    StackCase(
        ("aws",),
        (Held("aws:ec2/vpnGateway:VpnGateway", "own", {"amazonSideAsn": "64610"}),),
        breaks={"a peer without a pair": joined(Held(_CUSTOMER, "peer", {"bgpAsn": "64620"}))},
    ),
    StackCase(
        ("gcp",),
        _GCP_STACK,
        breaks={
            "an address of nobody": changed("interface", "ipRange", "169.254.99.1/30"),
            "a wider range": changed("interface", "ipRange", "169.254.6.2/29"),
            "an address alone": changed("plain", "ipRange", "169.254.21.9/32"),
            "no address": changed("plain", "ipRange", ABSENT),
            "a peer with another number": changed("peer", "peerAsn", 64999),
            "a peer with this cloud's number": changed("peer", "peerAsn", 64630),
            "a peer with another peer's number": changed("peer", "peerAsn", 64620),
            "a peer elsewhere": changed("peer", "peerIpAddress", "169.254.99.2"),
            "a peer nowhere": changed("peer", "peerIpAddress", ABSENT),
            "a peer at another's address": changed("other", "peerIpAddress", "169.254.6.1"),
        },
        defers={
            "an unknown address": changed("interface", "ipRange", UNKNOWN),
            "a peer's unknown address": changed("peer", "peerIpAddress", UNKNOWN),
            "a peer's unknown number": changed("peer", "peerAsn", UNKNOWN),
        },
    ),
)
