"""Every tunnel is IKEv2 with AES-256, SHA-2, a strong group, and perfect forward secrecy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies.concepts.counts import counted, filled
from policies.concepts.tunnels import AWS_CONNECTION, AZURE_CONNECTION, GCP_TUNNEL, PAIR
from policies.conditions import LITERAL, Condition, between, one_of, optional
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, forbidden, need, on
from policies.values import as_int

_IKE = Condition(lambda value: as_int(value) == 2, "must be 2")

# Groups 22 to 24 are withdrawn: their primes cannot be told from ones with a trapdoor.
_FIRST_GROUP, _LAST_GROUP = 14, 21
_AWS_GROUP = between(_FIRST_GROUP, _LAST_GROUP)
_AWS_CIPHER = one_of("AES256", "AES256-GCM-16")
_AWS_HASH = one_of("SHA2-256", "SHA2-384", "SHA2-512")
_AWS: Mapping[str, Condition] = {
    "IkeVersions": one_of("ikev2"),
    "Phase1EncryptionAlgorithms": _AWS_CIPHER,
    "Phase2EncryptionAlgorithms": _AWS_CIPHER,
    "Phase1IntegrityAlgorithms": _AWS_HASH,
    "Phase2IntegrityAlgorithms": _AWS_HASH,
    "Phase1DhGroupNumbers": _AWS_GROUP,
    "Phase2DhGroupNumbers": _AWS_GROUP,
}
"""What may stand in each list. One that is left out stands for AWS's own proposals, IKEv1 and SHA-1 among them."""
_AWS_LISTS = {f"tunnel{number}{name}": condition for number in (1, 2) for name, condition in _AWS.items()}

_AZURE_CIPHER = one_of("AES256", "GCMAES256")
_AZURE: Mapping[str, Condition] = {
    "ikeEncryption": _AZURE_CIPHER,
    "ikeIntegrity": one_of("SHA256", "SHA384", "GCMAES256"),
    "dhGroup": one_of("DHGroup14", "DHGroup2048", "ECP256", "ECP384"),
    "ipsecEncryption": _AZURE_CIPHER,
    "ipsecIntegrity": one_of("SHA256", "GCMAES256"),
    "pfsGroup": one_of("PFS14", "PFS2048", "ECP256", "ECP384"),
}

_AUTHENTICATED = "AES-GCM-16-256"
"""Needs no integrity algorithm beside it."""
_GCP_CIPHER = one_of("AES-CBC-256", _AUTHENTICATED)
_GCP_HASH = one_of("HMAC-SHA2-256-128", "HMAC-SHA2-384-192", "HMAC-SHA2-512-256")
_GCP_GROUP = one_of(*(f"Group-{number}" for number in range(_FIRST_GROUP, _LAST_GROUP + 1)))
_GCP: Mapping[str, Condition] = {
    "phase1.encryptions": _GCP_CIPHER,
    "phase1.prves": one_of("PRF-HMAC-SHA2-256", "PRF-HMAC-SHA2-384", "PRF-HMAC-SHA2-512"),
    "phase1.dhs": _GCP_GROUP,
    "phase2.encryptions": _GCP_CIPHER,
    "phase2.pfs": _GCP_GROUP,
}
"""What may stand in each list of a suite; a suite that lacks one leaves that to Google's proposals."""


def _chosen(tunnel: Resource) -> bool:
    """Whether the tunnel has a suite; without one the peer's says what is left of Google's proposals."""
    return not tunnel.at("cipherSuite").absent


def _integrity(tunnel: Resource, _: Context) -> Iterator[Finding]:
    for phase in ("phase1", "phase2"):
        ciphers = [node.known() for node in tunnel.each(f"cipherSuite.{phase}.encryptions[]")]
        given = list(tunnel.each(f"cipherSuite.{phase}.integrities[]"))
        for node in given:
            if not _GCP_HASH.holds(node.known()):
                yield Finding(node.path, _GCP_HASH.says)
        if not given and set(ciphers) - {_AUTHENTICATED}:
            yield Finding(f"cipherSuite.{phase}.integrities", LITERAL.says)


RULE = Rule(
    "vpn-crypto-strong",
    (
        on(
            AWS_CONNECTION,
            *(need(f"{path}[]", condition) for path, condition in _AWS_LISTS.items()),
            unknown="fail",
        ),
        filled((AWS_CONNECTION,), *_AWS_LISTS, unknown="fail"),
        on(
            AZURE_CONNECTION,
            need("connectionProtocol", one_of("IKEv2")),
            *(need(f"ipsecPolicies[].{name}", condition) for name, condition in _AZURE.items()),
            unknown="fail",
        ),
        counted(
            (AZURE_CONNECTION,),
            ("ipsecPolicies",),
            lambda number: number == 1,
            "must be one policy: without one Azure's own proposals count",
            unknown="fail",
        ),
        on(
            GCP_TUNNEL,
            need("ikeVersion", optional(_IKE)),
            *(need(f"cipherSuite.{path}[]", condition) for path, condition in _GCP.items()),
            unknown="fail",
        ),
        filled((GCP_TUNNEL,), *(f"cipherSuite.{path}" for path in _GCP), when=_chosen, unknown="fail"),
        Check(
            (GCP_TUNNEL,),
            _integrity,
            tuple(f"cipherSuite.phase{n}.{what}[]" for n in (1, 2) for what in ("encryptions", "integrities")),
            "fail",
        ),
        forbidden("gcp:compute/vPNGateway:VPNGateway", "is a Classic VPN gateway, which has one endpoint and no BGP"),
        on(PAIR, need("tunnels", LITERAL), need("tunnels[].ikeVersion", _IKE), unknown="fail"),
    ),
)
