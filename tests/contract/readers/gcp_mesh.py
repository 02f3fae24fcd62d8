"""Google Cloud's tunnels, alerts on them, and the subnets that learn by them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.contract.posture import Alarm, Tunnel
from tests.contract.readers.words import Words, clear
from tests.contract.state import Resource, State

_TUNNEL, _PEER = "gcp:compute/vPNTunnel:VPNTunnel", "gcp:compute/routerPeer:RouterPeer"
_INTERFACE, _ROUTER = "gcp:compute/routerInterface:RouterInterface", "gcp:compute/router:Router"
_EXTERNAL = "gcp:compute/externalVpnGateway:ExternalVpnGateway"
_VERSION, _SECRET = "gcp:secretmanager/secretVersion:SecretVersion", "gcp:secretmanager/secret:Secret"
_SUBNET, _NETWORK = "gcp:compute/subnetwork:Subnetwork", "gcp:compute/network:Network"
_NAME = re.compile(r"mesh-(?P<pair>\w+-\w+)-(?P<index>\d+)")
_SPELLED = {
    "AES-CBC-256": "aes256",
    "HMAC-SHA2-256-128": "sha256",
    "PRF-HMAC-SHA2-256": "sha256",
    "Group-14": "dh14",
}
_SLOTS = {
    "phase1": ("encryptions", "integrities", "prves", "dhs"),
    "phase2": ("encryptions", "integrities", "pfs"),
}
_WATCHED = {
    "vpn.googleapis.com/tunnel_established": "tunnel_name",
    "router.googleapis.com/bgp/session_up": "bgp_peer_name",
}
"""Label that names the tunnel, by metric: keys are agreed upon and routes are exchanged."""


def tunnels(state: State, words: Words) -> Iterator[Tunnel]:
    """Those with a BGP session."""
    entries = {
        clear(version["secretData"]): words.plain(state.named(_SECRET, version["secret"])["secretId"])
        for version in state.of(_VERSION)
    }
    for made in state.of(_TUNNEL):
        name = _NAME.fullmatch(words.plain(made["name"]))
        session = _session(state, made)
        if name is None or session is None:
            continue
        router = state.named(_ROUTER, session["router"])
        gateways = state.named(_EXTERNAL, made["peerExternalGateway"])["interfaces"]
        key = clear(made["sharedSecret"])
        yield Tunnel(
            pair=name["pair"],
            index=int(name["index"]),
            own=session["ipAddress"],
            far=session["peerIpAddress"],
            own_asn=router["bgp"]["asn"],
            far_asn=session["peerAsn"],
            far_gateway=next(one["ipAddress"] for one in gateways if one["id"] == made["peerExternalGatewayInterface"]),
            suite=frozenset(_suite(made)),
            dpd_seconds=None,
            key=entries.get(key) if key else None,
            dynamic=not _static(state, made),
        )


def _session(state: State, tunnel: Resource) -> Resource | None:
    """The BGP session that runs through a tunnel, from the address that its interface has."""
    handles = (tunnel.id, tunnel["name"], tunnel["selfLink"])
    for interface in state.of(_INTERFACE):
        if interface["vpnTunnel"] not in handles:
            continue
        for peer in state.of(_PEER):
            same = (peer["interface"], peer["router"]) == (interface["name"], interface["router"])
            if same and peer["enable"] and interface["ipRange"] == f"{peer['ipAddress']}/30":
                return peer
    return None


def _suite(tunnel: Resource) -> Iterator[str]:
    yield f"ikev{tunnel['ikeVersion']}"
    suite: Mapping[str, Any] = tunnel["cipherSuite"] or {}
    for phase, slots in _SLOTS.items():
        for slot in slots:
            # Where nothing is named, Google offers everything it knows.
            for word in suite.get(phase, {}).get(slot) or [f"any of {slot}"]:
                yield f"{phase} {_SPELLED.get(word, word)}"


def _static(state: State, tunnel: Resource) -> bool:
    selectors = tunnel.inputs.get("remoteTrafficSelectors") or tunnel.inputs.get("localTrafficSelectors")
    routes = [route["nextHopVpnTunnel"] for route in state.of("gcp:compute/route:Route")]
    return bool(selectors) or not tunnel["router"] or tunnel.id in routes


def alarms(state: State, words: Words) -> Iterator[Alarm]:
    """Alerts that fire for a tunnel whose keys or whose session is gone, or of which nothing is heard."""
    for policy in state.of("gcp:monitoring/alertPolicy:AlertPolicy"):
        named = [set(_named(policy, metric, label)) for metric, label in _WATCHED.items()]
        found = [_NAME.fullmatch(words.plain(name)) for name in set[str].intersection(*named)]
        for pair in {match["pair"] for match in found if match}:
            yield Alarm(pair, frozenset(int(match["index"]) for match in found if match and match["pair"] == pair))


def _named(policy: Resource, metric: str, label: str) -> Iterator[str]:
    for condition in policy["conditions"] if policy["enabled"] else ():
        asked = condition.get("conditionThreshold") or {}
        series = asked.get("filter", "")
        low = asked.get("comparison") == "COMPARISON_LT" and asked.get("thresholdValue") == 1
        silent = asked.get("evaluationMissingData") == "EVALUATION_MISSING_DATA_ACTIVE"
        listed = re.search(rf"metric\.labels\.{label} = one_of\((.*?)\)", series)
        if policy["combiner"] == "OR" and low and silent and f'metric.type = "{metric}"' in series and listed:
            yield from re.findall(r'"([^"]+)"', listed[1])


def learning(state: State) -> frozenset[str]:
    """Subnets of machines in a network with a router that has sessions: what that learns holds in all of them."""
    speakers = {peer["router"] for peer in state.of(_PEER)}
    routers = [router for router in state.of(_ROUTER) if router["name"] in speakers]
    return frozenset(
        subnet["ipCidrRange"]
        for subnet in state.of(_SUBNET)
        if subnet["purpose"] == "PRIVATE" and any(_reaches(state, router, subnet) for router in routers)
    )


def _reaches(state: State, router: Resource, subnet: Resource) -> bool:
    if router["network"] != subnet["network"]:
        return False
    everywhere = state.named(_NETWORK, router["network"])["routingMode"] == "GLOBAL"
    return everywhere or router["region"] == subnet["region"]
