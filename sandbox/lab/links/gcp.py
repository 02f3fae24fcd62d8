"""Tunnels of Google's HA VPN gateways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sandbox.lab.reading.registered import NotReadError, Registered, Row

from .ends import End, proposals

_TUNNEL = "gcp:compute/vPNTunnel:VPNTunnel"
_GATEWAY, _PEER = "gcp:compute/haVpnGateway:HaVpnGateway", "gcp:compute/externalVpnGateway:ExternalVpnGateway"
_ROUTER, _SESSION = "gcp:compute/router:Router", "gcp:compute/routerPeer:RouterPeer"
_INTERFACE = "gcp:compute/routerInterface:RouterInterface"
_ENCRYPTION = {"AES-CBC-128": "aes128", "AES-CBC-256": "aes256", "AES-GCM-16-256": "aes256gcm16"}
_INTEGRITY = {"HMAC-SHA2-256-128": "sha256", "HMAC-SHA2-384-192": "sha384", "HMAC-SHA2-512-256": "sha512"}
_GROUPS = {"Group-14": "modp2048", "Group-19": "ecp256", "Group-20": "ecp384"}
DEAD_AFTER = 60
"""Seconds; no setting of the cloud."""


def ends(registered: Registered) -> Iterator[End]:
    """Google's side of every tunnel.

    Raises:
        NotReadError: a tunnel names an algorithm that the lab does not know, or another version of IKE.
    """
    gateways, peers = registered.by(_GATEWAY, "id"), registered.by(_PEER, "id")
    routers = registered.by(_ROUTER, "id")
    interfaces, sessions = registered.by(_INTERFACE, "vpnTunnel"), registered.by(_SESSION, "interface")
    for row in registered.of(_TUNNEL):
        if int(row["ikeVersion"]) != 2:
            raise NotReadError(f"{row['id']}: another version of IKE than 2")
        session = sessions[interfaces[row["id"]]["name"]]
        first, second = row["cipherSuite"]["phase1"], row["cipherSuite"]["phase2"]
        yield End(
            id=row["id"],
            cloud="gcp",
            outside=_interface(gateways[row["vpnGateway"]]["vpnInterfaces"], row["vpnGatewayInterface"]),
            peer_outside=_interface(
                peers[row["peerExternalGateway"]]["interfaces"], row["peerExternalGatewayInterface"]
            ),
            inside=session["ipAddress"],
            peer_inside=session["peerIpAddress"],
            asn=int(routers[row["router"]]["bgp"]["asn"]),
            peer_asn=int(session["peerAsn"]),
            key=row["sharedSecret"],
            ike=_proposals(row, first, first["dhs"]),
            esp=_proposals(row, second, second["pfs"]),
            dead_after=DEAD_AFTER,
        )


def _interface(interfaces: Sequence[Row], number: float) -> str:
    (found,) = (each for each in interfaces if int(each["id"]) == int(number))
    return found["ipAddress"]


def _proposals(row: Row, phase: Mapping[str, Sequence[str]], groups: Sequence[str]) -> frozenset[str]:
    chosen: list[list[str]] = []
    for known, named in ((_ENCRYPTION, phase["encryptions"]), (_INTEGRITY, phase["integrities"]), (_GROUPS, groups)):
        if unknown := [name for name in named if name not in known]:
            raise NotReadError(f"{row['id']}: {', '.join(unknown)}")
        chosen.append([known[name] for name in named])
    return proposals(*chosen)
