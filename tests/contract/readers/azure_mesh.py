"""Azure's tunnels, alarms on them, and the subnets that learn by them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from tests.contract.posture import Alarm, Tunnel
from tests.contract.readers.words import Words, clear
from tests.contract.state import Resource, State

_GATEWAY = "azure-native:network:VirtualNetworkGateway"
_CONNECTION = "azure-native:network:VirtualNetworkGatewayConnection"
_LOCAL = "azure-native:network:LocalNetworkGateway"
_ALERT, _TABLE = "azure-native:monitor:MetricAlert", "azure-native:network:RouteTable"
_SECRET = "azure-native:keyvault:Secret"
_NAME = re.compile(r"(?P<pair>\w+-\w+)-(?P<index>\d+)")
_POINT_TO_POINT = 30
_SPELLED = {
    "AES256": "aes256",
    "SHA256": "sha256",
    "DHGroup14": "dh14",
    "DHGroup2048": "dh14",
    "PFS14": "dh14",
    "PFS2048": "dh14",
}
_SLOTS = {
    "phase1": ("ikeEncryption", "ikeIntegrity", "dhGroup"),
    "phase2": ("ipsecEncryption", "ipsecIntegrity", "pfsGroup"),
}
_WITHOUT_TABLES = ("AzureBastionSubnet", "GatewaySubnet")
"""Azure takes no refusal of learned routes there, and puts nothing but its own service into either."""


def tunnels(state: State, words: Words) -> Iterator[Tunnel]:
    """Connections with a BGP session."""
    entries = {clear(entry["properties"].get("value")): words.plain(entry["secretName"]) for entry in state.of(_SECRET)}
    for made in state.of(_CONNECTION):
        name = _NAME.fullmatch(words.plain(made["virtualNetworkGatewayConnectionName"]))
        gateway = state.named(_GATEWAY, made["virtualNetworkGateway1"]["id"])
        peer = state.named(_LOCAL, made["localNetworkGateway2"]["id"])
        session = peer.inputs.get("bgpSettings")
        if name is None or session is None:
            continue
        key = clear(made["sharedKey"])
        yield Tunnel(
            pair=name["pair"],
            index=int(name["index"]),
            own=_own(gateway, made, session["bgpPeeringAddress"]),
            far=session["bgpPeeringAddress"],
            own_asn=int(gateway["bgpSettings"]["asn"]),
            far_asn=int(session["asn"]),
            far_gateway=peer["gatewayIpAddress"],
            suite=frozenset(_suite(made)),
            dpd_seconds=made["dpdTimeoutSeconds"],
            key=entries.get(key) if key else None,
            dynamic=_dynamic(gateway, made, peer),
        )


def _own(gateway: Resource, connection: Resource, far: str) -> str:
    """The one address of an instance that faces the peer's: both lie in one /30."""
    inside = IPv4Network((far, _POINT_TO_POINT), strict=False)
    held = {
        item["ipconfigurationId"].lower(): item["customBgpIpAddresses"]
        for item in gateway["bgpSettings"]["bgpPeeringAddresses"]
    }
    facing = [
        item["customBgpIpAddress"]
        for item in connection["gatewayCustomBgpIpAddresses"] or []
        if item["customBgpIpAddress"] in held.get(item["ipConfigurationId"].lower(), [])
        and IPv4Address(item["customBgpIpAddress"]) in inside
    ]
    return ", ".join(facing) or "none"


def _suite(connection: Resource) -> Iterator[str]:
    yield connection["connectionProtocol"].lower()
    policies: list[Mapping[str, Any]] = connection.inputs.get("ipsecPolicies") or []
    if not policies:
        yield "whatever Azure accepts by default"
    for policy in policies:
        for phase, slots in _SLOTS.items():
            yield from (f"{phase} {_SPELLED.get(policy[slot], policy[slot])}" for slot in slots)


def _dynamic(gateway: Resource, connection: Resource, peer: Resource) -> bool:
    static = (peer.inputs.get("localNetworkAddressSpace") or {}).get("addressPrefixes")
    return bool(gateway["enableBgp"] and connection["enableBgp"] and not static)


def alarms(state: State, words: Words) -> Iterator[Alarm]:
    """Rules on the state of BGP sessions that fire when no instance has one."""
    known = {(tunnel.pair, tunnel.far): tunnel.index for tunnel in tunnels(state, words)}
    gateways = {gateway.id.lower() for gateway in state.of(_GATEWAY)}
    for alert in state.of(_ALERT):
        if not alert["enabled"] or {scope.lower() for scope in alert["scopes"]} != gateways:
            continue
        # Of several criteria all would have to hold.
        (criterion, *others) = alert["criteria"]["allOf"]
        watched = set() if others else set(_watched(criterion))
        for pair in {pair for pair, far in known if far in watched}:
            yield Alarm(pair, frozenset(index for (of, far), index in known.items() if of == pair and far in watched))


def _watched(criterion: Mapping[str, Any]) -> Iterator[str]:
    """Addresses of the peer for each of which the criterion is met on its own while it is silent."""
    silent = (criterion["timeAggregation"], criterion["operator"], criterion["threshold"])
    if criterion["metricName"] != "BgpPeerStatus" or silent != ("Average", "LessThanOrEqual", 0):
        return
    (dimension, *others) = criterion["dimensions"]
    if dimension["name"] == "BgpPeerAddress" and dimension["operator"] == "Include" and not others:
        yield from dimension["values"]


def learning(state: State, network: Resource) -> Iterator[str]:
    """Subnets of machines or endpoints that the network's gateway tells what it learns."""
    own = f"{network.id}/subnets/".lower()
    fed = any(
        configuration["subnet"]["id"].lower().startswith(own)
        for gateway in state.of(_GATEWAY)
        for configuration in gateway["ipConfigurations"]
    )
    for subnet in network["subnets"]:
        table = subnet.get("routeTable")
        refused = table and state.named(_TABLE, table["id"])["disableBgpRoutePropagation"]
        if fed and not refused and subnet["name"] not in _WITHOUT_TABLES:
            yield subnet["addressPrefix"]
