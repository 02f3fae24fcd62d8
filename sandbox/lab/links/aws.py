"""Tunnels of AWS's site-to-site connections: two a connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sandbox.lab.reading.registered import NotReadError, Registered, Row

from .ends import End, proposals

_CONNECTION = "aws:ec2/vpnConnection:VpnConnection"
_CUSTOMER = "aws:ec2/customerGateway:CustomerGateway"
_GATEWAY = "aws:ec2transitgateway/transitGateway:TransitGateway"
_ENCRYPTION = {"AES128": "aes128", "AES256": "aes256", "AES256-GCM-16": "aes256gcm16"}
_INTEGRITY = {"SHA2-256": "sha256", "SHA2-384": "sha384", "SHA2-512": "sha512"}
_GROUPS = {"14": "modp2048", "19": "ecp256", "20": "ecp384", "21": "ecp521"}


def ends(registered: Registered) -> Iterator[End]:
    """AWS's side of every tunnel.

    Raises:
        NotReadError: a tunnel names an algorithm that the lab does not know, or another version of IKE.
    """
    customers, gateways = registered.by(_CUSTOMER, "id"), registered.by(_GATEWAY, "id")
    for row in registered.of(_CONNECTION):
        customer = customers[row["customerGatewayId"]]
        for tunnel in ("tunnel1", "tunnel2"):
            if row[f"{tunnel}IkeVersions"] != ["ikev2"]:
                raise NotReadError(f"{row['id']}: {tunnel} speaks another version of IKE than 2")
            yield End(
                id=f"{row['id']}/{tunnel}",
                cloud="aws",
                outside=row[f"{tunnel}Address"],
                peer_outside=customer["ipAddress"],
                inside=row[f"{tunnel}VgwInsideAddress"],
                peer_inside=row[f"{tunnel}CgwInsideAddress"],
                asn=int(gateways[row["transitGatewayId"]]["amazonSideAsn"]),
                peer_asn=int(customer.get("bgpAsnExtended") or customer["bgpAsn"]),
                key=row[f"{tunnel}PresharedKey"],
                ike=_proposals(row, f"{tunnel}Phase1"),
                esp=_proposals(row, f"{tunnel}Phase2"),
                dead_after=int(row[f"{tunnel}DpdTimeoutSeconds"]),
            )


def _proposals(row: Row, phase: str) -> frozenset[str]:
    return proposals(
        _words(row, f"{phase}EncryptionAlgorithms", _ENCRYPTION),
        _words(row, f"{phase}IntegrityAlgorithms", _INTEGRITY),
        _words(row, f"{phase}DhGroupNumbers", _GROUPS),
    )


def _words(row: Row, name: str, known: Mapping[str, str]) -> list[str]:
    asked = [str(int(each)) if isinstance(each, float) else str(each) for each in row[name]]
    if unknown := [each for each in asked if each not in known]:
        raise NotReadError(f"{row['id']}: {name} {', '.join(unknown)}")
    return [known[each] for each in asked]
