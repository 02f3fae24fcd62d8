from typing import Any

from policies.values import ABSENT
from tests.policies.case import Case

_LISTS: dict[str, list[Any]] = {
    "IkeVersions": ["ikev2"],
    "Phase1EncryptionAlgorithms": ["AES256", "AES256-GCM-16"],
    "Phase2EncryptionAlgorithms": ["AES256-GCM-16", "AES256"],
    "Phase1IntegrityAlgorithms": ["SHA2-256", "SHA2-384", "SHA2-512"],
    "Phase2IntegrityAlgorithms": ["SHA2-512", "SHA2-256", "SHA2-384"],
    "Phase1DhGroupNumbers": [14, 20, 21],
    "Phase2DhGroupNumbers": [21, 14],
}
_AWS = {f"tunnel{number}{name}": value for number in (1, 2) for name, value in _LISTS.items()}
_GROUPS = ([2], [13], [22], [24], [14, 2], ["x"], [14.5], [], ABSENT)
_CIPHERS = (["AES128"], ["AES256", "AES128"], ["AES128-GCM-16"], [], ABSENT)
_HASHES = (["SHA1"], ["SHA2-256", "SHA1"], [], ABSENT)
_WORSE = {
    "IkeVersions": (["ikev1"], ["ikev1", "ikev2"], [], ABSENT),
    "Phase1EncryptionAlgorithms": _CIPHERS,
    "Phase2EncryptionAlgorithms": _CIPHERS,
    "Phase1IntegrityAlgorithms": _HASHES,
    "Phase2IntegrityAlgorithms": _HASHES,
    "Phase1DhGroupNumbers": _GROUPS,
    "Phase2DhGroupNumbers": _GROUPS,
}
_POLICY = {
    "ikeEncryption": "AES256",
    "ikeIntegrity": "SHA256",
    "dhGroup": "DHGroup14",
    "ipsecEncryption": "GCMAES256",
    "ipsecIntegrity": "GCMAES256",
    "pfsGroup": "PFS14",
    "saDataSizeKilobytes": 102400000,
    "saLifeTimeSeconds": 3600,
}
_CONNECTION = {
    "resourceGroupName": "rg",
    "connectionType": "IPsec",
    "virtualNetworkGateway1": {"id": "g"},
    "connectionProtocol": "IKEv2",
}
_TUNNEL = {
    "ikeVersion": 2,
    "vpnGateway": "g",
    "vpnGatewayInterface": 0,
    "peerExternalGateway": "e",
    "peerExternalGatewayInterface": 0,
    "router": "r",
}
_GCP_CIPHERS = ("AES-CBC-128", "AES-GCM-16-128", "AES-GCM-8-256", "3DES-256", "3DES-CBC")
_GCP_HASHES = ("HMAC-SHA1-96", "HMAC-MD5-96", "AES-XCBC-96")
_GCP_GROUPS = ("Group-2", "Group-5", "Group-13", "Group-22", "Group-24", "none")
_SUITE = {
    "phase1": {
        "encryptions": ["AES-CBC-256"],
        "integrities": ["HMAC-SHA2-256-128", "HMAC-SHA2-384-192"],
        "prves": ["PRF-HMAC-SHA2-256", "PRF-HMAC-SHA2-384", "PRF-HMAC-SHA2-512"],
        "dhs": ["Group-14"],
    },
    "phase2": {
        "encryptions": ["AES-GCM-16-256", "AES-CBC-256"],
        "integrities": ["HMAC-SHA2-512-256"],
        "pfs": ["Group-21"],
    },
}


def _worse(name: str, values: tuple[str, ...]) -> dict[str, tuple[Any, ...]]:
    """Each value in place of the first and beside it, and the list left out."""
    return {f"cipherSuite.{name}[0]": values, f"cipherSuite.{name}": (["AES-CBC-256", values[0]], [], ABSENT)}


CASES = (
    Case(
        "aws:ec2/vpnConnection:VpnConnection",
        {"customerGatewayId": "cgw", "type": "ipsec.1", **_AWS},
        {f"tunnel{number}{name}": values for number in (1, 2) for name, values in _WORSE.items()},
    ),
    Case(
        "azure-native:network:VirtualNetworkGatewayConnection",
        {**_CONNECTION, "ipsecPolicies": [_POLICY]},
        {
            "connectionProtocol": ("IKEv1", ABSENT),
            "ipsecPolicies": ([], [_POLICY, _POLICY], ABSENT),
            "ipsecPolicies[0].ikeEncryption": ("AES128", "DES3", ABSENT),
            "ipsecPolicies[0].ikeIntegrity": ("SHA1", "MD5", ABSENT),
            "ipsecPolicies[0].dhGroup": ("DHGroup2", "DHGroup24", "None", ABSENT),
            "ipsecPolicies[0].ipsecEncryption": ("AES128", "None", ABSENT),
            "ipsecPolicies[0].ipsecIntegrity": ("SHA1", "GCMAES128", ABSENT),
            "ipsecPolicies[0].pfsGroup": ("PFS2", "PFS24", "PFSMM", "None", ABSENT),
        },
    ),
    *(
        Case(
            "azure-native:network:VirtualNetworkGatewayConnection",
            {**_CONNECTION, "ipsecPolicies": [{**_POLICY, **other}]},
        )
        for other in (
            {"ikeEncryption": "GCMAES256", "ikeIntegrity": "GCMAES256", "dhGroup": "ECP384", "pfsGroup": "ECP384"},
            {
                "ikeIntegrity": "SHA384",
                "dhGroup": "ECP256",
                "ipsecEncryption": "AES256",
                "ipsecIntegrity": "SHA256",
                "pfsGroup": "ECP256",
            },
            {"dhGroup": "DHGroup2048", "pfsGroup": "PFS2048"},
        )
    ),
    Case("gcp:compute/vPNTunnel:VPNTunnel", _TUNNEL, {"ikeVersion": (1, "x")}),
    Case(
        "gcp:compute/vPNTunnel:VPNTunnel",
        {"cipherSuite": _SUITE},
        {
            "ikeVersion": (1,),
            "cipherSuite": ({}, {"phase1": _SUITE["phase1"]}, {"phase2": _SUITE["phase2"]}),
            **_worse("phase1.encryptions", _GCP_CIPHERS),
            **_worse("phase1.integrities", _GCP_HASHES),
            **_worse("phase1.prves", ("PRF-HMAC-SHA1", "PRF-HMAC-MD5", "PRF-AES128-CMAC")),
            **_worse("phase1.dhs", _GCP_GROUPS),
            **_worse("phase2.encryptions", _GCP_CIPHERS),
            **_worse("phase2.integrities", _GCP_HASHES),
            **_worse("phase2.pfs", _GCP_GROUPS),
        },
    ),
    Case(
        "gcp:compute/vPNTunnel:VPNTunnel",
        {
            "cipherSuite": {
                "phase1": {"encryptions": ["AES-GCM-16-256"], "prves": ["PRF-HMAC-SHA2-256"], "dhs": ["Group-14"]},
                "phase2": {"encryptions": ["AES-GCM-16-256"], "pfs": ["Group-20"]},
            }
        },
        {"cipherSuite.phase1.encryptions[0]": ("AES-CBC-256",), "cipherSuite.phase2.encryptions[0]": ("AES-CBC-256",)},
    ),
    Case(
        "hashicorp:mesh:VpnPair",
        {"tunnels": [{"ikeVersion": 2}, {"ikeVersion": 2.0}]},
        {"tunnels[1].ikeVersion": (1, 3, ABSENT), "tunnels": ([], ABSENT)},
    ),
)
