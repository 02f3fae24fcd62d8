"""Tunnels of Azure's gateway connections.

A connection of an active-active gateway reaches out from both instances. The instance that is meant is the one whose
own BGP address lies in one range with the peer's; the other finds nobody, and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Interface

from sandbox.lab.reading.registered import NotReadError, Registered, Row

from .ends import End, proposals

_CONNECTION = "azure-native:network:VirtualNetworkGatewayConnection"
_PEER, _GATEWAY = "azure-native:network:LocalNetworkGateway", "azure-native:network:VirtualNetworkGateway"
_ADDRESS = "azure-native:network:PublicIPAddress"
_ENCRYPTION = {"AES128": "aes128", "AES256": "aes256", "GCMAES256": "aes256gcm16"}
_INTEGRITY = {"SHA256": "sha256", "SHA384": "sha384"}
_IKE_GROUPS = {"DHGroup14": "modp2048", "ECP256": "ecp256", "ECP384": "ecp384"}
_ESP_GROUPS = {"PFS2048": "modp2048", "PFS14": "modp2048", "ECP256": "ecp256", "ECP384": "ecp384"}
_INSIDE = 30


def ends(registered: Registered) -> Iterator[End]:
    """Azure's side of every tunnel.

    Raises:
        NotReadError: a connection names an algorithm that the lab does not know, or another version of IKE.
    """
    peers, gateways = registered.by(_PEER, "id"), registered.by(_GATEWAY, "id")
    addresses = registered.by(_ADDRESS, "id")
    for row in registered.of(_CONNECTION):
        if row["connectionProtocol"] != "IKEv2":
            raise NotReadError(f"{row['id']}: another version of IKE than 2")
        peer, gateway = peers[row["localNetworkGateway2"]["id"]], gateways[row["virtualNetworkGateway1"]["id"]]
        peer_inside = peer["bgpSettings"]["bgpPeeringAddress"]
        inside, instance = _facing(row, peer_inside)
        (front,) = (each for each in gateway["ipConfigurations"] if each["name"] == instance)
        (policy,) = row["ipsecPolicies"]
        yield End(
            id=row["id"],
            cloud="azure",
            outside=addresses[front["publicIPAddress"]["id"]]["ipAddress"],
            peer_outside=peer["gatewayIpAddress"],
            inside=inside,
            peer_inside=peer_inside,
            asn=int(gateway["bgpSettings"]["asn"]),
            peer_asn=int(peer["bgpSettings"]["asn"]),
            key=row["sharedKey"],
            ike=_proposal(row, (policy["ikeEncryption"], policy["ikeIntegrity"], policy["dhGroup"]), _IKE_GROUPS),
            esp=_proposal(row, (policy["ipsecEncryption"], policy["ipsecIntegrity"], policy["pfsGroup"]), _ESP_GROUPS),
            dead_after=int(row["dpdTimeoutSeconds"]),
        )


def _facing(row: Row, peer_inside: str) -> tuple[str, str]:
    """Own BGP address and name of the instance that face the peer's."""
    wanted = IPv4Interface(f"{peer_inside}/{_INSIDE}").network
    for own in row["gatewayCustomBgpIpAddresses"]:
        address = own["customBgpIpAddress"]
        if IPv4Interface(f"{address}/{_INSIDE}").network == wanted:
            return address, own["ipConfigurationId"].rpartition("/")[2]
    raise NotReadError(f"{row['id']}: no instance of the gateway faces {peer_inside}")


def _proposal(row: Row, named: tuple[str, str, str], groups: dict[str, str]) -> frozenset[str]:
    words = [known.get(name, "") for known, name in zip((_ENCRYPTION, _INTEGRITY, groups), named, strict=True)]
    if not all(words):
        raise NotReadError(f"{row['id']}: one of {', '.join(named)}")
    return proposals(*([word] for word in words))
