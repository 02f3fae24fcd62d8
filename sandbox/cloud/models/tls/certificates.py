"""pulumi-tls 5.6: certificate requests, self-signed and locally signed certificates, by `cryptography`.

Extensions, criticality and key identifiers are those of Go's x509, on which the real provider stands. A certificate
within `earlyRenewalHours` of its end is replaced by the next update.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID as Extended
from cryptography.x509.oid import NameOID

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.errors import Refusal
from sandbox.cloud.models.tls.keys import PrivateKey, PublicKey, algorithm_of, read_key
from sandbox.cloud.registry import model
from sandbox.cloud.wire import Value

_KEY_USES: Final = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "cert_signing", "crl_signing", "encipher_only", "decipher_only",
)  # fmt: skip
_EXTENDED_USES: Final = {
    "any_extended": Extended.ANY_EXTENDED_KEY_USAGE,
    "server_auth": Extended.SERVER_AUTH,
    "client_auth": Extended.CLIENT_AUTH,
    "code_signing": Extended.CODE_SIGNING,
    "email_protection": Extended.EMAIL_PROTECTION,
    "ipsec_end_system": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec_tunnel": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec_user": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": Extended.TIME_STAMPING,
    "ocsp_signing": Extended.OCSP_SIGNING,
    "microsoft_commercial_code_signing": x509.ObjectIdentifier("1.3.6.1.4.1.311.2.1.22"),
    "microsoft_kernel_code_signing": x509.ObjectIdentifier("1.3.6.1.4.1.311.61.1.1"),
    "microsoft_server_gated_crypto": x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape_server_gated_crypto": x509.ObjectIdentifier("2.16.840.1.113730.4.1"),
}
_SUBJECT: Final = (
    ("country", NameOID.COUNTRY_NAME), ("organization", NameOID.ORGANIZATION_NAME),
    ("organizationalUnit", NameOID.ORGANIZATIONAL_UNIT_NAME), ("locality", NameOID.LOCALITY_NAME),
    ("province", NameOID.STATE_OR_PROVINCE_NAME), ("streetAddresses", NameOID.STREET_ADDRESS),
    ("postalCode", NameOID.POSTAL_CODE), ("commonName", NameOID.COMMON_NAME),
    ("serialNumber", NameOID.SERIAL_NUMBER), ("emailAddress", NameOID.EMAIL_ADDRESS),
)  # fmt: skip
_HASHES: Final = {"secp384r1": hashes.SHA384(), "secp521r1": hashes.SHA512()}
_SUBJECTS: Final = ("privateKeyPem", "privateKeyPemWoVersion", "subject", "dnsNames", "ipAddresses", "uris")
_CERTIFICATE: Final = (
    "allowedUses", "validityPeriodHours", "isCaCertificate", "maxPathLength", "setSubjectKeyId",
)  # fmt: skip

_DEFAULTS: Final = {"earlyRenewalHours": 0, "isCaCertificate": False, "maxPathLength": -1, "setSubjectKeyId": False}

request = model("tls:index/certRequest:CertRequest", immutable=_SUBJECTS, slow=True)
self_signed = model(
    "tls:index/selfSignedCert:SelfSignedCert",
    immutable=(*_SUBJECTS, *_CERTIFICATE, "setAuthorityKeyId"),
    outputs={**_DEFAULTS, "setAuthorityKeyId": False},
    slow=True,
)
locally_signed = model(
    "tls:index/locallySignedCert:LocallySignedCert",
    immutable=("caCertPem", "caPrivateKeyPem", "caPrivateKeyPemWoVersion", "certRequestPem", *_CERTIFICATE),
    outputs=_DEFAULTS,
    slow=True,
)


@self_signed.check
@locally_signed.check
def _sane(draft: Draft) -> Iterator[Failure]:
    for path, use in draft.each("allowedUses[*]"):
        if isinstance(use, str) and use not in _KEY_USES and use not in _EXTENDED_USES:
            yield draft.fail(path, f"value must be one of {', '.join([*_KEY_USES, *_EXTENDED_USES])}, got {use}")
    for name, least in (("validityPeriodHours", 1), ("earlyRenewalHours", 0)):
        hours = draft.known(name)
        if isinstance(hours, int) and hours < least:
            yield draft.fail(name, f"value must be at least {least}, got {hours}")


@request.check
@self_signed.check
def _has_addresses(draft: Draft) -> Iterator[Failure]:
    for path, value in draft.each("ipAddresses[*]"):
        if isinstance(value, str):
            try:
                ipaddress.ip_address(value)
            except ValueError:
                yield draft.fail(path, f"failed to parse '{value}' as an IP address")
    if draft.get("privateKeyPem") is None and draft.get("privateKeyPemWo") is None:
        yield draft.fail("privateKeyPem", "exactly one of privateKeyPem and privateKeyPemWo must be given")


@request.compute
def _request(draft: Draft) -> dict[str, Value]:
    if draft.old:
        return {}
    key = _own_key(draft)
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(draft.get("subject")))
    names = _alternatives(draft)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    signed = builder.sign(key, _hash(key))
    pem = signed.public_bytes(serialization.Encoding.PEM)
    return {
        "id": hashlib.sha1(pem, usedforsecurity=False).hexdigest(),
        "keyAlgorithm": algorithm_of(key),
        "certRequestPem": pem.decode(),
    }


@self_signed.compute
def _self_signed(draft: Draft) -> dict[str, Value]:
    if draft.old:
        return {}
    key = _own_key(draft)
    name = _name(draft.get("subject"))
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    names = _alternatives(draft)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if draft.get("setAuthorityKeyId"):
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
    return {**_issued(draft, builder, key.public_key(), key), "keyAlgorithm": algorithm_of(key)}


@locally_signed.compute
def _locally_signed(draft: Draft) -> dict[str, Value]:
    if draft.old:
        return {}
    wanted, issuer = _read_request(draft.get("certRequestPem")), _read_certificate(draft.get("caCertPem"))
    key = read_key(draft.get("caPrivateKeyPem") or draft.get("caPrivateKeyPemWo"), "caPrivateKeyPem")
    if key.public_key() != issuer.public_key():
        raise Refusal("KeyMismatch", "x509: provided PrivateKey doesn't match parent's PublicKey")
    builder = x509.CertificateBuilder().subject_name(wanted.subject).issuer_name(issuer.subject)
    try:
        names = wanted.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        builder = builder.add_extension(names.value, critical=False)
    except x509.ExtensionNotFound:
        pass
    try:
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own.value)
        builder = builder.add_extension(authority, critical=False)
    except x509.ExtensionNotFound:
        pass
    public = wanted.public_key()
    return {**_issued(draft, builder, public, key), "caKeyAlgorithm": algorithm_of(key)}  # type: ignore[arg-type]


@self_signed.renew
@locally_signed.renew
def _is_due(draft: Draft) -> Iterator[str]:
    end = draft.kept("validityEndTime")
    early = timedelta(hours=draft.known("earlyRenewalHours") or 0)
    if isinstance(end, str) and datetime.now(UTC) >= datetime.fromisoformat(end) - early:
        yield "readyForRenewal"


def _issued(draft: Draft, builder: x509.CertificateBuilder, public: PublicKey, signer: PrivateKey) -> dict[str, Value]:
    """Add validity and extensions, sign, and describe the certificate."""
    authority = bool(draft.get("isCaCertificate"))
    depth = draft.get("maxPathLength") if authority else None
    start = datetime.now(UTC).replace(microsecond=0)
    end = start + timedelta(hours=draft.get("validityPeriodHours"))
    serial = x509.random_serial_number()
    uses: set[str] = set(draft.get("allowedUses") or ())
    extended = [_EXTENDED_USES[use] for use in _EXTENDED_USES if use in uses]
    builder = (
        builder.public_key(public)
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=depth), critical=True)
    )
    if uses & set(_KEY_USES):
        builder = builder.add_extension(_key_usage(uses), critical=True)
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    if authority or draft.get("setSubjectKeyId"):
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    certificate = builder.sign(signer, _hash(signer))
    return {
        "id": str(serial),
        "certPem": certificate.public_bytes(serialization.Encoding.PEM).decode(),
        "validityStartTime": start.isoformat().replace("+00:00", "Z"),
        "validityEndTime": end.isoformat().replace("+00:00", "Z"),
        "readyForRenewal": False,
    }


def _key_usage(uses: set[str]) -> x509.KeyUsage:
    agreement = "key_agreement" in uses  # encipher_only and decipher_only mean nothing without it
    return x509.KeyUsage(
        digital_signature="digital_signature" in uses,
        content_commitment="content_commitment" in uses,
        key_encipherment="key_encipherment" in uses,
        data_encipherment="data_encipherment" in uses,
        key_agreement=agreement,
        key_cert_sign="cert_signing" in uses,
        crl_sign="crl_signing" in uses,
        encipher_only=agreement and "encipher_only" in uses,
        decipher_only=agreement and "decipher_only" in uses,
    )


def _own_key(draft: Draft) -> PrivateKey:
    return read_key(draft.get("privateKeyPem") or draft.get("privateKeyPemWo"), "privateKeyPem")


def _hash(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    return (
        _HASHES.get(key.curve.name, hashes.SHA256()) if isinstance(key, ec.EllipticCurvePrivateKey) else hashes.SHA256()
    )


def _name(subject: Value) -> x509.Name:
    parts: list[x509.NameAttribute[str]] = []
    for field, oid in _SUBJECT:
        value = (subject or {}).get(field)
        parts += [x509.NameAttribute(oid, item) for item in (value if isinstance(value, list) else [value]) if item]
    return x509.Name(parts)


def _alternatives(draft: Draft) -> list[x509.GeneralName]:
    return [
        *(x509.DNSName(name) for name in draft.get("dnsNames") or ()),
        *(x509.IPAddress(ipaddress.ip_address(item)) for item in draft.get("ipAddresses") or ()),
        *(x509.UniformResourceIdentifier(item) for item in draft.get("uris") or ()),
    ]


def _read_request(pem: Value) -> x509.CertificateSigningRequest:
    try:
        found = x509.load_pem_x509_csr(str(pem).encode())
    except ValueError:
        raise Refusal("InvalidPem", "certRequestPem: failed to decode a certificate request in PEM") from None
    if not found.is_signature_valid:
        raise Refusal("InvalidRequest", "certRequestPem: the request's signature does not verify")
    return found


def _read_certificate(pem: Value) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(str(pem).encode())
    except ValueError:
        raise Refusal("InvalidPem", "caCertPem: failed to decode a certificate in PEM") from None
