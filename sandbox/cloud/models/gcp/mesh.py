"""Google Cloud VPN: HA gateways, the peer's gateways, tunnels, and a router's interfaces and BGP peers.

Source: Compute Engine API reference, vpnGateways, externalVpnGateways, vpnTunnels, routers; Cloud VPN, "Topologies",
"Supported IKE ciphers"; Cloud Router, "Establish BGP sessions".
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv4Network
from typing import Final

from sandbox.cloud.addresses import address
from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.gcp.interfaces import HA_GATEWAY, public, public_holders
from sandbox.cloud.models.gcp.names import COMPUTE, elsewhere, given
from sandbox.cloud.models.gcp.network import NETWORK, ROUTER
from sandbox.cloud.registry import Ref, model
from sandbox.cloud.store import Record
from sandbox.cloud.wire import Value, at

EXTERNAL: Final = "gcp:compute/externalVpnGateway:ExternalVpnGateway"
TUNNEL: Final = "gcp:compute/vPNTunnel:VPNTunnel"
INTERFACE: Final = "gcp:compute/routerInterface:RouterInterface"
PEER: Final = "gcp:compute/routerPeer:RouterPeer"
_REDUNDANCY: Final = {
    "SINGLE_IP_INTERNALLY_REDUNDANT": 1,
    "TWO_IPS_REDUNDANCY": 2,
    "FOUR_IPS_REDUNDANCY": 4,
}
_LINK_LOCAL: Final = IPv4Network("169.254.0.0/16")
_METADATA: Final = IPv4Network("169.254.169.252/30")
_CBC: Final = ("AES-CBC-128", "AES-CBC-192", "AES-CBC-256")
_GCM: Final = tuple(f"AES-GCM-{tag}-{bits}" for tag in (8, 12, 16) for bits in (128, 192, 256))
_HASHES: Final = (
    "HMAC-SHA1-96", "HMAC-SHA2-256-128", "HMAC-SHA2-384-192", "HMAC-SHA2-512-256", "AES-XCBC-96", "AES-CMAC-96",
    "HMAC-MD5-96",
)  # fmt: skip
_FUNCTIONS: Final = (
    "PRF-HMAC-SHA1", "PRF-HMAC-SHA2-256", "PRF-HMAC-SHA2-384", "PRF-HMAC-SHA2-512", "PRF-AES128-XCBC",
    "PRF-AES128-CMAC", "PRF-HMAC-MD5",
)  # fmt: skip
_GROUPS: Final = tuple(f"Group-{number}" for number in (2, 5, 14, 15, 16, 18, 19, 20, 21, 22, 23, 24))
_SLOTS: Final = {
    "phase1.encryptions": (*_CBC, *_GCM),
    "phase1.integrities": _HASHES,
    "phase1.prves": _FUNCTIONS,
    "phase1.dhs": _GROUPS,
    "phase2.encryptions": (*_CBC, *_GCM),
    "phase2.integrities": _HASHES,
    "phase2.pfs": _GROUPS,
}

ha_gateway = model(
    HA_GATEWAY,
    name=COMPUTE,
    references=(Ref("network", (NETWORK,)),),
    immutable=("network", "description", "gatewayIpVersion", "stackType", "vpnInterfaces"),
    outputs={"stackType": "IPV4_ONLY", "gatewayIpVersion": "IPV4"},
)
external = model(
    EXTERNAL,
    name=COMPUTE,
    immutable=("description", "interfaces", "redundancyType"),
)
tunnel = model(
    TUNNEL,
    name=COMPUTE,
    references=(
        Ref("vpnGateway", (HA_GATEWAY,)), Ref("peerExternalGateway", (EXTERNAL,)),
        Ref("peerGcpGateway", (HA_GATEWAY,)), Ref("router", (ROUTER,)),
    ),
    immutable=(
        "cipherSuite", "description", "ikeVersion", "localTrafficSelectors", "peerExternalGateway",
        "peerExternalGatewayInterface", "peerGcpGateway", "peerIp", "remoteTrafficSelectors", "router", "sharedSecret",
        "sharedSecretWoVersion", "targetVpnGateway", "vpnGateway", "vpnGatewayInterface",
    ),
    outputs={"ikeVersion": 2, "tunnelId": "{digits19}", "detailedStatus": "", "sharedSecretHash": "{hex16}"},
)  # fmt: skip
interface = model(
    INTERFACE,
    id="{region}/{router}/{name}",
    name=COMPUTE,
    references=(Ref("router", (ROUTER,), same=("region",)), Ref("vpnTunnel", (TUNNEL,))),
    immutable=("router", "ipRange", "vpnTunnel", "interconnectAttachment", "redundantInterface", "subnetwork"),
)
peer = model(
    PEER,
    name=COMPUTE,
    references=(
        Ref("router", (ROUTER,), same=("region",)), Ref("interface", (INTERFACE,), same=("region", "router")),
    ),
    immutable=("router",),
    outputs={"advertiseMode": "DEFAULT", "enable": True, "managementType": "MANAGED_BY_USER"},
)  # fmt: skip


@ha_gateway.compute
def _two_addresses(draft: Draft) -> dict[str, Value]:
    kept = draft.kept("vpnInterfaces")
    if kept:
        return {"vpnInterfaces": kept}
    return {
        "vpnInterfaces": [
            {"id": index, "ipAddress": found, "interconnectAttachment": ""}
            for index, found in enumerate(public(draft, 2))
        ]
    }


@external.check
def _interfaces(draft: Draft) -> Iterator[Failure]:
    kind, interfaces = draft.known("redundancyType"), draft.known("interfaces")
    wanted = _REDUNDANCY.get(str(kind))
    if not isinstance(interfaces, list):
        return
    if wanted is not None and len(interfaces) != wanted:
        yield draft.fail("interfaces", f"{kind} takes {wanted} interfaces, got {len(interfaces)}")
    ids = [value for _, value in draft.each("interfaces[*].id")]
    if sorted(map(str, ids)) != [str(index) for index in range(len(ids))]:
        yield draft.fail("interfaces", f"interface ids must count from 0, got {ids}")
    addresses = [value for _, value in draft.each("interfaces[*].ipAddress") if isinstance(value, str)]
    if len(set(addresses)) != len(addresses):
        yield draft.fail("interfaces", "two interfaces have the same IP address")
    for path, value in draft.each("interfaces[*].ipAddress"):
        if isinstance(value, str) and address(value) is None:
            yield draft.fail(path, f"'{value}' is not an IPv4 address")


@external.admit
def _not_of_google(draft: Draft) -> None:
    own = dict(public_holders(draft))
    for path, value in draft.each("interfaces[*].ipAddress"):
        if value in own:
            message = f"Invalid value for field 'resource.{path}': '{value}' is an address of {own[value].id}."
            raise draft.refuse("invalid", message)


@tunnel.check
def _ends(draft: Draft) -> Iterator[Failure]:
    own = given(draft, "vpnGateway", "targetVpnGateway")
    if len(own) != 1:
        yield draft.fail(
            "vpnGateway", f"exactly one of vpnGateway and targetVpnGateway must be given, got {own or 'none'}"
        )
    if "vpnGateway" in own:
        far = given(draft, "peerExternalGateway", "peerGcpGateway")
        if len(far) != 1:
            yield draft.fail(
                "peerExternalGateway", f"a tunnel of an HA gateway has one peer gateway, got {far or 'none'}"
            )
        for path in ("vpnGatewayInterface", "router"):
            if draft.get(path) is None:
                yield draft.fail(path, "is required for a tunnel of an HA gateway")
        if "peerExternalGateway" in far and draft.get("peerExternalGatewayInterface") is None:
            yield draft.fail("peerExternalGatewayInterface", "is required with peerExternalGateway")
    if (side := draft.known("vpnGatewayInterface")) not in (None, 0, 1):
        yield draft.fail("vpnGatewayInterface", f"must be 0 or 1, got {side}")
    if (version := draft.known("ikeVersion")) not in (None, 1, 2):
        yield draft.fail("ikeVersion", f"must be 1 or 2, got {version}")
    keys = [name for name in ("sharedSecret", "sharedSecretWo") if draft.get(name) is not None]
    if len(keys) != 1:
        yield draft.fail("sharedSecret", "exactly one of sharedSecret and sharedSecretWo must be given")


@tunnel.check
def _ciphers(draft: Draft) -> Iterator[Failure]:
    for slot, known in _SLOTS.items():
        for path, value in draft.each(f"cipherSuite.{slot}[*]"):
            if isinstance(value, str) and value not in known:
                yield draft.fail(path, f"'{value}' is not supported; possible are {', '.join(known)}")
    encryptions = [value for _, value in draft.each("cipherSuite.phase1.encryptions[*]")]
    if any(value in _GCM for value in encryptions) and any(value in _CBC for value in encryptions):
        yield draft.fail("cipherSuite.phase1.encryptions", "AEAD and CBC ciphers cannot be mixed")


def _far_address(draft: Draft, gateway: Value, index: Value) -> str | None:
    found = draft.find(EXTERNAL, gateway)
    for _, one in at(found.plain, "interfaces[*]") if found else ():
        if one.get("id") == index:
            return str(one["ipAddress"])
    return None


@tunnel.admit
def _joins(draft: Draft) -> None:
    own, router = draft.find(HA_GATEWAY, draft.get("vpnGateway")), draft.find(ROUTER, draft.get("router"))
    if own is None or router is None:
        return
    for other, word in ((own, "gateway"), (router, "router")):
        if elsewhere(draft, other, "region"):
            raise draft.refuse("invalid", f"The {word} '{other.id}' lies in another region than the tunnel.")
    if draft.find(NETWORK, own["network"]) != draft.find(NETWORK, router["network"]):
        raise draft.refuse("invalid", f"The router '{router.id}' is not in the network of '{own.id}'.")
    gateway, index = draft.get("peerExternalGateway"), draft.get("peerExternalGatewayInterface")
    if gateway is None:
        return
    far = _far_address(draft, gateway, index)
    if far is None:
        message = (
            f"Invalid value for field 'resource.peerExternalGatewayInterface': '{gateway}' has no interface {index}."
        )
        raise draft.refuse("invalid", message)
    for record in draft.others(TUNNEL):
        same = (
            draft.find(HA_GATEWAY, record["vpnGateway"]) == own
            and record["vpnGatewayInterface"] == draft.get("vpnGatewayInterface")
            and _far_address(draft, record["peerExternalGateway"], record["peerExternalGatewayInterface"]) == far
        )
        if same:
            raise draft.refuse("invalid", f"'{record.id}' already leads from the same interface to {far}.")


@tunnel.compute
def _peer_address(draft: Draft) -> dict[str, Value]:
    found = _far_address(draft, draft.get("peerExternalGateway"), draft.get("peerExternalGatewayInterface"))
    return {"peerIp": found} if found else {}


def _span(value: Value) -> IPv4Interface | None:
    try:
        return IPv4Interface(value) if isinstance(value, str) and "/" in value else None
    except ValueError:
        return None


@interface.check
def _inside(draft: Draft) -> Iterator[Failure]:
    links = given(draft, "vpnTunnel", "interconnectAttachment", "subnetwork")
    if len(links) > 1:
        yield draft.fail(links[1], f"cannot be given together with {links[0]}")
    value = draft.known("ipRange")
    if value is None:
        return
    found = _span(value)
    if found is None:
        yield draft.fail("ipRange", f"'{value}' is not an address with its range, such as 169.254.10.1/30")
    elif not found.network.subnet_of(_LINK_LOCAL) or found.network.overlaps(_METADATA):
        yield draft.fail("ipRange", f"'{value}' is not in 169.254.0.0/16, or is Google's own")
    elif found.network.prefixlen > 30 or found.ip in (found.network[0], found.network[-1]):
        yield draft.fail("ipRange", f"'{value}' is no host of a range of at least four addresses")


def _siblings(draft: Draft, type_: str) -> Iterator[Record]:
    """Others of a type on the same router."""
    own = draft.find(ROUTER, draft.get("router"), region=draft.scope("region"))
    for record in draft.others(type_):
        if draft.find(ROUTER, record["router"], region=record["region"]) == own:
            yield record


@interface.admit
def _alone(draft: Draft) -> None:
    wanted, link = _span(draft.get("ipRange")), draft.find(TUNNEL, draft.get("vpnTunnel"))
    for record in _siblings(draft, INTERFACE):
        held = _span(record["ipRange"])
        if wanted and held and wanted.network.overlaps(held.network):
            raise draft.refuse(
                "invalid", f"The range {wanted} overlaps that of the interface {record['name']}, {held}."
            )
        if link and draft.find(TUNNEL, record["vpnTunnel"]) == link:
            raise draft.refuse("invalid", f"'{link.id}' is already linked to the interface {record['name']}.")
    if link and draft.find(ROUTER, link["router"]) != draft.find(
        ROUTER, draft.get("router"), region=draft.scope("region")
    ):
        raise draft.refuse("invalid", f"'{link.id}' belongs to another router.")


@peer.admit
def _on_its_interface(draft: Draft) -> None:
    router = draft.find(ROUTER, draft.get("router"), region=draft.scope("region"))
    asn = (router["bgp"] or {}).get("asn") if router else None
    if asn is None:
        raise draft.refuse("invalid", f"The router {draft.get('router')} speaks no BGP: it has no ASN.")
    if asn == draft.get("peerAsn"):
        message = f"Invalid value for field 'resource.peerAsn': {asn:.0f} is the router's own."
        raise draft.refuse("invalid", message)
    link = draft.find(INTERFACE, draft.get("interface"), router=draft.get("router"))
    held = _span(link["ipRange"]) if link else None
    own, far = draft.get("ipAddress"), draft.get("peerIpAddress")
    if held and own is not None and str(held.ip) != own:
        message = f"Invalid value for field 'resource.ipAddress': {own} is not the address of its interface, {held.ip}."
        raise draft.refuse("invalid", message)
    if held and far is not None:
        wanted = address(far)
        hosts = set(held.network.hosts())
        if wanted is None or wanted not in hosts or wanted == held.ip:
            message = f"Invalid value for field 'resource.peerIpAddress': {far} is no other host of {held.network}."
            raise draft.refuse("invalid", message)
    for record in _siblings(draft, PEER):
        if far is not None and record["peerIpAddress"] == far:
            raise draft.refuse("invalid", f"The BGP peer {record['name']} already has the address {far}.")
