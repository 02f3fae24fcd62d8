"""A throw-away authority and one certificate for all names of the gateway."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CA, SERVER = "ca.pem", "server.pem"
"""The authority's certificate; key and certificate of the gateway."""


def write(folder: Path, names: tuple[str, ...]) -> None:
    """Write both files."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stores of the sandbox")])
    leaf = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    ca = _builder(root, root, authority).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    server = _builder(leaf, root, key).add_extension(alternatives, critical=False)
    pem = serialization.Encoding.PEM
    (folder / CA).write_bytes(ca.sign(authority, hashes.SHA256()).public_bytes(pem))
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / SERVER).touch(0o600)
    (folder / SERVER).write_bytes(secret + server.sign(authority, hashes.SHA256()).public_bytes(pem))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
    )
