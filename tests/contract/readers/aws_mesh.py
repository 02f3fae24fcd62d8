"""AWS's tunnels, alarms on them, and the subnets that learn by them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network

from tests.contract.posture import Alarm, Tunnel
from tests.contract.readers.words import Words, clear
from tests.contract.state import Resource, State

_CONNECTION, _CUSTOMER = "aws:ec2/vpnConnection:VpnConnection", "aws:ec2/customerGateway:CustomerGateway"
_TRANSIT = "aws:ec2transitgateway/transitGateway:TransitGateway"
_ATTACHMENT = "aws:ec2transitgateway/vpcAttachment:VpcAttachment"
_ASSOCIATION = "aws:ec2transitgateway/routeTableAssociation:RouteTableAssociation"
_DEFAULT = "aws:ec2transitgateway/defaultRouteTablePropagation:DefaultRouteTablePropagation"
_NAME = re.compile(r"(?P<pair>\w+-\w+)-(?P<gateway>\d+)")
_SLOTS = ("EncryptionAlgorithms", "IntegrityAlgorithms", "DhGroupNumbers")
_SPELLED = {"AES256": "aes256", "SHA2-256": "sha256", 14: "dh14"}
_NUMBERS = (1, 2)
"""AWS counts a connection's tunnels from one."""


def _named(connection: Resource, words: Words) -> Iterator[tuple[int, str, int]]:
    """(number in the connection, pair, index in the pair) for each of its tunnels."""
    if found := _NAME.fullmatch(words.plain(connection["tags"]["Name"])):
        for number in _NUMBERS:
            yield number, found["pair"], int(found["gateway"]) * len(_NUMBERS) + number - 1


def tunnels(state: State, words: Words) -> Iterator[Tunnel]:
    """Two of each connection."""
    entries = {
        clear(version["secretString"]): words.plain(
            state.named("aws:secretsmanager/secret:Secret", version["secretId"])["name"]
        )
        for version in state.of("aws:secretsmanager/secretVersion:SecretVersion")
    }
    static = {route["vpnConnectionId"] for route in state.of("aws:ec2/vpnConnectionRoute:VpnConnectionRoute")}
    for made in state.of(_CONNECTION):
        customer = state.named(_CUSTOMER, made["customerGatewayId"])
        for number, pair, index in _named(made, words):
            option = f"tunnel{number}"
            own, far = IPv4Network(made[f"{option}InsideCidr"]).hosts()
            key = clear(made[f"{option}PresharedKey"])
            restarts = made[f"{option}DpdTimeoutAction"] == "restart"
            yield Tunnel(
                pair=pair,
                index=index,
                own=str(own),
                far=str(far),
                own_asn=state.named(_TRANSIT, made["transitGatewayId"])["amazonSideAsn"],
                far_asn=int(customer["bgpAsn"]),
                far_gateway=customer["ipAddress"],
                suite=frozenset(_suite(made, option)),
                dpd_seconds=made[f"{option}DpdTimeoutSeconds"] if restarts else 0,
                key=entries.get(key) if key else None,
                dynamic=not made["staticRoutesOnly"] and made.id not in static,
            )


def _suite(connection: Resource, option: str) -> Iterator[str]:
    yield from connection.inputs.get(f"{option}IkeVersions") or ["any version"]
    for phase in (1, 2):
        for slot in _SLOTS:
            # Where nothing is named, AWS accepts everything it knows.
            for word in connection.inputs.get(f"{option}Phase{phase}{slot}") or [f"any of {slot}"]:
                yield f"phase{phase} {_SPELLED.get(word, word)}"


def alarms(state: State, words: Words) -> Iterator[Alarm]:
    """Alarms that go off when a tunnel is down, or when nothing is heard of it."""
    for made in state.of("aws:cloudwatch/metricAlarm:MetricAlarm"):
        goes_off = (
            made["namespace"] == "AWS/VPN"
            and made["metricName"] == "TunnelState"
            and (made["comparisonOperator"], made["threshold"]) == ("LessThanThreshold", 1)
            and made["treatMissingData"] == "breaching"
            and made["actionsEnabled"]
        )
        dimensions = made["dimensions"]
        for connection in state.of(_CONNECTION) if goes_off else ():
            for number, pair, index in _named(connection, words):
                own = {"VpnId": connection.id, "TunnelIpAddress": connection[f"tunnel{number}Address"]}
                if dimensions == own:
                    yield Alarm(pair, frozenset({index}))


def learning(state: State, words: Words) -> frozenset[str]:
    """Subnets with a route to every peer's network through the gateway; one that knows some of them is told apart."""
    peers = {peer.cidr for peer in words.plan.platform.peers(words.plan.cloud)}
    gateways = _learned(state)
    known: dict[str, set[str]] = {}
    for route in state.of("aws:ec2/route:Route"):
        if route.inputs.get("transitGatewayId") in gateways:
            known.setdefault(route["routeTableId"], set()).add(route["destinationCidrBlock"])
    found: set[str] = set()
    subnets = {subnet.id: subnet["cidrBlock"] for subnet in state.of("aws:ec2/subnet:Subnet")}
    for association in state.of("aws:ec2/routeTableAssociation:RouteTableAssociation"):
        ways, subnet = known.get(association["routeTableId"], set()), subnets.get(association["subnetId"])
        if ways and subnet:
            found.add(subnet if ways == peers else f"{subnet}, of {sorted(ways)} alone")
    return frozenset(found)


def _learned(state: State) -> set[str]:
    """Gateways whose table for the network is the one into which tunnels propagate, and that has a leg in every zone."""
    zones = {subnet.id: subnet["availabilityZone"] for subnet in state.of("aws:ec2/subnet:Subnet")}
    tables = {
        found["transitGatewayAttachmentId"]: found["transitGatewayRouteTableId"] for found in state.of(_ASSOCIATION)
    }
    into = {found["transitGatewayId"]: found["transitGatewayRouteTableId"] for found in state.of(_DEFAULT)}
    return {
        attachment["transitGatewayId"]
        for attachment in state.of(_ATTACHMENT)
        if tables.get(attachment.id) == into.get(attachment["transitGatewayId"], "none")
        and {zones[subnet] for subnet in attachment["subnetIds"]} == set(zones.values())
    }
