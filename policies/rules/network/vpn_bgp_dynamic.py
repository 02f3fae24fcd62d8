"""Tunnels exchange routes by BGP and find a dead peer soon."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.presence import absent
from policies.concepts.tunnels import (
    AWS_CONNECTION,
    AZURE_CONNECTION,
    AZURE_GATEWAY,
    AZURE_PEER,
    PAIR,
    PRIVATE_ASN,
    carries_vpn,
)
from policies.conditions import LITERAL, NOT_FALSE, NOT_TRUE, TRUE, advised, at_most, between, one_of, optional
from policies.context import Context
from policies.resource import Node, Resource
from policies.rule import Finding, Rule, each, forbidden, need, on

_RESTARTED = one_of("restart")
_SOON = optional(at_most(40, " seconds"))


def _peer_alone(node: Node, gateway: Resource, _: Context) -> Iterator[Finding]:
    if node.known() != f"{gateway.get('bgpSettings.bgpPeeringAddress')}/32":
        yield Finding(node.path, "must be the peer's own address, if anything: BGP brings the rest")


RULE = Rule(
    "vpn-bgp-dynamic",
    (
        on(
            AWS_CONNECTION,
            need("staticRoutesOnly", NOT_TRUE),
            need("tunnel1DpdTimeoutAction", _RESTARTED),
            need("tunnel2DpdTimeoutAction", _RESTARTED),
            need("tunnel1DpdTimeoutSeconds", _SOON),
            need("tunnel2DpdTimeoutSeconds", _SOON),
            unknown="fail",
        ),
        forbidden("aws:ec2/vpnConnectionRoute:VpnConnectionRoute", "is a static route, which a dead tunnel keeps"),
        on(
            AZURE_CONNECTION,
            need("enableBgp", TRUE),
            need("dpdTimeoutSeconds", between(9, 45, " seconds")),
            unknown="fail",
        ),
        on(
            AZURE_GATEWAY,
            need("enableBgp", TRUE),
            need("bgpSettings.asn", PRIVATE_ASN),
            when=carries_vpn,
            reads=("gatewayType",),
            unknown="fail",
        ),
        on(AZURE_PEER, need("bgpSettings.asn", PRIVATE_ASN), unknown="fail"),
        on(AZURE_PEER, need("bgpSettings.bgpPeeringAddress", LITERAL)),
        each(AZURE_PEER, "localNetworkAddressSpace.addressPrefixes[]", _peer_alone, ("",)),
        on("gcp:compute/routerPeer:RouterPeer", need("peerAsn", LITERAL), need("enable", NOT_FALSE), unknown="fail"),
        # Neither AWS nor Azure speaks BFD through tunnels: only who asks for it is told that it is off.
        on(
            "gcp:compute/routerPeer:RouterPeer",
            need("bfd?.sessionInitializationMode", advised(one_of("ACTIVE", "PASSIVE"))),
        ),
        # A router without BGP is a NAT's.
        on("gcp:compute/router:Router", need("bgp?.asn", PRIVATE_ASN), unknown="fail"),
        absent(("gcp:compute/route:Route",), "nextHopVpnTunnel"),
        on(PAIR, need("routing", one_of("bgp")), unknown="fail"),
    ),
)
