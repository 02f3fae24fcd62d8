"""An authority, and certificates for names that the sandbox answers at in a cloud's place.

Owns their form. Where an authority is kept, and who trusts it, is for whoever makes one.

Dangerous edge: who has an authority's key can be any host to those that trust it. It never leaves the run's own folder.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA, SERVER = "ca.pem", "server.pem"
"""The authority's certificate; key and certificate of the gateway."""
_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Authority:
    """Its certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def new(cls, name: str, days: int) -> Authority:
        """One that nobody trusts yet."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _named(name)
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        made = (
            _builder(subject, subject, key, days)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
        )
        return cls(made.sign(key, hashes.SHA256()), key)

    @classmethod
    def load(cls, text: bytes) -> Authority:
        """What `dump` wrote."""
        key = serialization.load_pem_private_key(text, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("the authority's key is of another kind")
        return cls(x509.load_pem_x509_certificate(text), key)

    def dump(self) -> bytes:
        """Key and certificate."""
        return _secret(self.key) + self.public()

    def public(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(_PEM)

    def issue(self, names: Sequence[str], days: int) -> tuple[bytes, bytes]:
        """Key and certificate of a server with these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        made = (
            _builder(_named("gateway"), self.certificate.subject, key, days)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(issuer, critical=False)
        )
        return _secret(key), made.sign(self.key, hashes.SHA256()).public_bytes(_PEM)


def write(folder: Path, names: tuple[str, ...]) -> None:
    """A throw-away authority and one certificate for all names."""
    authority = Authority.new("stores of the sandbox", 1)
    (folder / CA).write_bytes(authority.public())
    (folder / SERVER).touch(0o600)
    (folder / SERVER).write_bytes(b"".join(authority.issue(names, 1)))


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _secret(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A machine whose clock is behind is refused for its clock only where it is far behind.
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
