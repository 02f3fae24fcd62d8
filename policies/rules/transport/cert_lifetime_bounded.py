"""Certificates are short-lived and renew by themselves; authorities and keys are bounded too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from policies.concepts.clusters import BOUNDARY, RAFT
from policies.conditions import NOT_TRUE, between, lasting, one_of
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, need, on
from policies.values import ABSENT, as_bool, as_int, as_seconds

_LEAF_HOURS = 90 * 24
_CA_HOURS = 10 * 365 * 24
_HOUR = 3600
_ROTATING = ("auto", "vault-agent", "connect-ca", "cert-manager")
_CURVES = ("P256", "P384", "P521")
_RSA_BITS = 2048
_EC_BITS = 256
_CERTIFICATES = ("tls:index/locallySignedCert:LocallySignedCert", "tls:index/selfSignedCert:SelfSignedCert")
_ROLE, _ROOT = (
    "vault:pkiSecret/secretBackendRole:SecretBackendRole",
    "vault:pkiSecret/secretBackendRootCert:SecretBackendRootCert",
)
_CONNECT = "consul:index/certificateAuthority:CertificateAuthority"


def _controls(cluster: Resource) -> bool:
    """Whether Boundary has controllers: workers authenticate by a key and take their certificates from those."""
    return bool(as_int(cluster.get("nodes")))


def _lifetime(certificate: Resource, _: Context) -> Iterator[Finding]:
    hours = as_int(certificate.get("validityPeriodHours"))
    longest = _CA_HOURS if as_bool(certificate.get("isCaCertificate")) is True else _LEAF_HOURS
    if hours is None or not 0 < hours <= longest:
        yield Finding("validityPeriodHours", f"must be at most {longest}")
    if longest == _LEAF_HOURS and (as_int(certificate.get("earlyRenewalHours")) or 0) <= 0:
        yield Finding("earlyRenewalHours", "must be above 0, so that an update renews it in time")


def _strength(key: Resource, _: Context) -> Iterator[Finding]:
    match key.get("algorithm"):
        case "RSA":
            if (as_int(key.get("rsaBits")) or _RSA_BITS) < _RSA_BITS:
                yield Finding("rsaBits", f"must be at least {_RSA_BITS}")
        case "ECDSA":
            if key.get("ecdsaCurve") not in _CURVES:
                yield Finding("ecdsaCurve", f"must be {' or '.join(_CURVES)}")
        case "ED25519":
            return
        case _:
            yield Finding("algorithm", "must be ECDSA, ED25519 or RSA")


def _issued_strength(issued: Resource, _: Context) -> Iterator[Finding]:
    kind, bits = issued.get("keyType"), as_int(issued.get("keyBits"))
    least = {ABSENT: _RSA_BITS, "rsa": _RSA_BITS, "ec": _EC_BITS, "any": _RSA_BITS}.get(kind)
    if least is not None and bits is not None and 0 < bits < least:
        yield Finding("keyBits", f"must be at least {least}")


def _domains(role: Resource, _: Context) -> Iterator[Finding]:
    if not [node.known() for node in role.each("allowedDomains[]")]:
        yield Finding("allowedDomains", "must name the domains")


def _connect(authority: Resource, _: Context) -> Iterator[Finding]:
    if authority.get("connectProvider") != "consul":
        return
    config = _config(authority)
    leaf = as_seconds(config.get("LeafCertTTL"))
    if leaf is None or leaf > _LEAF_HOURS * _HOUR:
        yield Finding("config", f"must set LeafCertTTL to at most {_LEAF_HOURS}h")
    if not as_seconds(config.get("RotationPeriod")):
        yield Finding("config", "must set RotationPeriod")


def _config(authority: Resource) -> dict[str, Any]:
    """What an authority is told, as JSON or as a map; nothing where it is neither."""
    text = authority.get("configJson")
    try:
        config: Any = json.loads(text) if isinstance(text, str) else authority.get("config")
    except ValueError:
        return {}
    return config if isinstance(config, dict) else {}


RULE = Rule(
    "cert-lifetime-bounded",
    (
        on(
            RAFT,
            need("tls.certTtlHours", between(1, _LEAF_HOURS)),
            need("tls.rotation", one_of(*_ROTATING)),
            unknown="fail",
        ),
        on(
            BOUNDARY,
            need("tls.certTtlHours", between(1, _LEAF_HOURS)),
            need("tls.rotation", one_of(*_ROTATING)),
            when=_controls,
            reads=("nodes",),
            unknown="fail",
        ),
        Check(_CERTIFICATES, _lifetime, ("validityPeriodHours", "earlyRenewalHours", "isCaCertificate"), "fail"),
        Check(("tls:index/privateKey:PrivateKey",), _strength, ("algorithm", "rsaBits", "ecdsaCurve"), "fail"),
        on(
            _ROLE,
            need("maxTtl", lasting(1, _LEAF_HOURS * _HOUR)),
            need("allowAnyName", NOT_TRUE),
            unknown="fail",
        ),
        on(_ROOT, need("ttl", lasting(1, _CA_HOURS * _HOUR)), unknown="fail"),
        Check((_ROLE,), _domains, ("allowedDomains[]",), "fail"),
        Check((_ROLE, _ROOT), _issued_strength, ("keyType", "keyBits"), "fail"),
        Check((_CONNECT,), _connect, ("connectProvider", "config", "configJson"), "fail"),
        on("aws:acm/certificate:Certificate", need("validationMethod", one_of("DNS")), unknown="fail"),
    ),
)
