"""random and tls make real values, as the real providers do."""

from __future__ import annotations

import base64
import ipaddress
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import bcrypt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime.proto import provider_pb2 as pb

from sandbox.cloud.draft import Draft, Provider
from sandbox.cloud.models.random.values import characters, password
from sandbox.cloud.packages import package
from sandbox.cloud.wire import Secret
from tests.sandbox.cloud.client import Client, RefusedError, Resource

KEY = "tls:index/privateKey:PrivateKey"
REQUEST = "tls:index/certRequest:CertRequest"
SELF = "tls:index/selfSignedCert:SelfSignedCert"
SIGNED = "tls:index/locallySignedCert:LocallySignedCert"
EC = {"algorithm": "ECDSA", "ecdsaCurve": "P256"}


def make(cloud: Client, kind: str, inputs: dict[str, Any] | None = None, name: str = "it") -> Resource:
    return cloud.create(f"random:index/{kind[0].lower()}{kind[1:]}:{kind}", inputs, name)


@given(
    least=st.tuples(*[st.integers(0, 4)] * 4),
    extra=st.integers(1, 20),
    special=st.booleans(),
    symbols=st.sampled_from(["", "!", "_%@"]),
)
def test_a_password_has_its_length_and_at_least_the_characters_asked_for(
    *, least: tuple[int, ...], extra: int, special: bool, symbols: str
) -> None:
    names = ("minLower", "minUpper", "minNumeric", "minSpecial")
    inputs = {**dict(zip(names, least, strict=True)), "length": sum(least) + extra, "special": special}
    if symbols:
        inputs["overrideSpecial"] = symbols
    draft = Draft(password, Provider(package("random")), None, "urn:pulumi:s::p::t::n", inputs)  # type: ignore[arg-type]
    value = characters(draft)
    counts = [sum(map(test, value)) for test in (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())]
    assert len(value) == inputs["length"]
    assert all(have >= need for have, need in zip(counts, least, strict=True))
    assert special or counts[3] == least[3]
    assert not symbols or all(char in symbols for char in value if not char.isalnum())


def test_secret_values_are_secret_and_agree_with_each_other(cloud: Client) -> None:
    made = make(cloud, "RandomPassword", {"length": 20})
    assert isinstance(made.wrapped["result"], Secret)
    assert bcrypt.checkpw(made["result"].encode(), made["bcryptHash"].encode())
    octets = make(cloud, "RandomBytes", {"length": 32})
    assert isinstance(octets.wrapped["base64"], Secret)
    assert isinstance(octets.wrapped["hex"], Secret)
    assert base64.b64decode(octets["base64"]) == bytes.fromhex(octets["hex"])
    assert len(octets["hex"]) == 64


def test_the_forms_of_an_id_agree_and_carry_the_prefix(cloud: Client) -> None:
    made = make(cloud, "RandomId", {"byteLength": 5, "prefix": "p-"})
    raw = bytes.fromhex(made["hex"].removeprefix("p-"))
    assert len(raw) == 5
    assert int(made["dec"].removeprefix("p-")) == int.from_bytes(raw, "big")
    assert base64.b64decode(made["b64Std"].removeprefix("p-")) == raw
    assert made["b64Url"] == f"p-{made.id}"


def test_uuids_are_of_their_version(cloud: Client) -> None:
    assert uuid.UUID(make(cloud, "RandomUuid")["result"]).version == 4
    seven = uuid.UUID(make(cloud, "RandomUuid7")["result"])
    assert (seven.version, seven.variant) == (7, uuid.RFC_4122)
    assert abs((seven.int >> 80) / 1000 - time.time()) < 3600


def test_a_seed_gives_the_same_values(cloud: Client) -> None:
    names = [make(cloud, "RandomShuffle", {"inputs": list("abcdef"), "seed": "x"}, str(i))["results"] for i in (1, 2)]
    assert names[0] == names[1]
    assert sorted(names[0]) == list("abcdef")


def test_a_value_is_kept_until_a_keeper_changes(cloud: Client) -> None:
    made = make(cloud, "RandomPassword", {"length": 20, "keepers": {"a": "1"}})
    same = cloud.diff(made, {"length": 20, "keepers": {"a": "1"}})
    assert same.changes == pb.DiffResponse.DIFF_NONE
    assert list(cloud.diff(made, {"length": 20, "keepers": {"a": "2"}}).replaces) == ["keepers.a"]
    assert list(cloud.diff(made, {"length": 21, "keepers": {"a": "1"}}).replaces) == ["length"]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("RandomPassword", {"length": 4, "minLower": 4}, {"length": 4, "minLower": 5}),
        ("RandomPassword", {"length": 1}, {"length": 0}),
        ("RandomInteger", {"min": 1, "max": 1}, {"min": 2, "max": 1}),
        ("RandomId", {"byteLength": 1}, {"byteLength": 0}),
        (
            "RandomString",
            {"length": 1, "special": False, "upper": False, "numeric": False},
            {"length": 1, "special": False, "upper": False, "numeric": False, "lower": False},
        ),
    ],
)
def test_what_cannot_be_made_is_refused(cloud: Client, kind: str, good: dict[str, Any], bad: dict[str, Any]) -> None:
    make(cloud, kind, good)
    with pytest.raises(RefusedError):
        make(cloud, kind, bad)


def test_short_strings_never_collide(cloud: Client) -> None:
    made = {make(cloud, "RandomString", {"length": 1, "special": False}, str(i)).id for i in range(30)}
    assert len(made) == 30


@pytest.mark.parametrize(
    ("inputs", "kind", "header"),
    [
        ({"algorithm": "RSA"}, rsa.RSAPrivateKey, "BEGIN RSA PRIVATE KEY"),
        (EC, ec.EllipticCurvePrivateKey, "BEGIN EC PRIVATE KEY"),
        ({"algorithm": "ED25519"}, ed25519.Ed25519PrivateKey, "BEGIN PRIVATE KEY"),
    ],
)
def test_a_key_is_the_same_in_all_its_encodings(cloud: Client, inputs: dict[str, str], kind: type, header: str) -> None:
    made = cloud.create(KEY, inputs)
    assert header in made["privateKeyPem"]
    forms = [
        serialization.load_pem_private_key(made["privateKeyPem"].encode(), None),
        serialization.load_pem_private_key(made["privateKeyPemPkcs8"].encode(), None),
        serialization.load_ssh_private_key(made["privateKeyOpenssh"].encode(), None),
    ]
    public = serialization.load_pem_public_key(made["publicKeyPem"].encode())
    assert isinstance(forms[0], kind)
    assert all(form.public_key() == public for form in forms)
    assert serialization.load_ssh_public_key(made["publicKeyOpenssh"].encode()) == public
    assert made["publicKeyFingerprintSha256"].startswith("SHA256:")
    for name in ("privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"):
        assert isinstance(made.wrapped[name], Secret)


def test_p224_has_no_openssh_form(cloud: Client) -> None:
    made = cloud.create(KEY, {"algorithm": "ECDSA"})
    assert made["publicKeyOpenssh"] == made["privateKeyOpenssh"] == made["publicKeyFingerprintMd5"] == ""


def authority(cloud: Client, **more: object) -> tuple[Resource, Resource]:
    key = cloud.create(KEY, EC, "ca")
    inputs = {
        "privateKeyPem": key.wrapped["privateKeyPem"],
        "allowedUses": ["cert_signing", "crl_signing", "digital_signature"],
        "validityPeriodHours": 48,
        "isCaCertificate": True,
        "subject": {"commonName": "Root", "organization": "Platform"},
        **more,
    }
    return key, cloud.create(SELF, inputs, "ca")


def leaf(cloud: Client, key: Resource, ca: Resource, **more: object) -> Resource:
    own = cloud.create(KEY, EC, "leaf")
    request = cloud.create(
        REQUEST,
        {
            "privateKeyPem": own.wrapped["privateKeyPem"],
            "subject": {"commonName": "server.aws.consul"},
            "dnsNames": ["server.aws.consul", "localhost"],
            "ipAddresses": ["127.0.0.1"],
            "uris": ["spiffe://platform/consul"],
        },
        "leaf",
    )
    inputs = {
        "certRequestPem": request["certRequestPem"],
        "caCertPem": ca["certPem"],
        "caPrivateKeyPem": key.wrapped["privateKeyPem"],
        "allowedUses": ["digital_signature", "key_encipherment", "server_auth", "client_auth"],
        "validityPeriodHours": 24,
        **more,
    }
    return cloud.create(SIGNED, inputs, "leaf")


def test_a_signed_certificate_verifies_against_its_authority_for_its_names_only(cloud: Client) -> None:
    key, ca = authority(cloud)
    made = leaf(cloud, key, ca)
    certificate = x509.load_pem_x509_certificate(made["certPem"].encode())
    root = x509.load_pem_x509_certificate(ca["certPem"].encode())
    trusting = PolicyBuilder().store(Store([root]))
    builder = trusting.time(datetime.now(UTC) + timedelta(hours=1))
    builder.build_server_verifier(x509.DNSName("server.aws.consul")).verify(certificate, [])
    builder.build_server_verifier(x509.IPAddress(ipaddress.ip_address("127.0.0.1"))).verify(certificate, [])
    with pytest.raises(x509.verification.VerificationError):
        builder.build_server_verifier(x509.DNSName("server.gcp.consul")).verify(certificate, [])
    late = trusting.time(datetime.now(UTC) + timedelta(hours=25))
    with pytest.raises(x509.verification.VerificationError):
        late.build_server_verifier(x509.DNSName("localhost")).verify(certificate, [])


def test_uses_key_ids_and_names_are_the_ones_asked_for(cloud: Client) -> None:
    key, ca = authority(cloud, maxPathLength=0, setAuthorityKeyId=True)
    root = x509.load_pem_x509_certificate(ca["certPem"].encode()).extensions
    made = x509.load_pem_x509_certificate(leaf(cloud, key, ca, setSubjectKeyId=True)["certPem"].encode()).extensions
    constraints = root.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    usage = made.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.key_encipherment
    assert not usage.value.key_cert_sign
    assert set(made.get_extension_for_class(x509.ExtendedKeyUsage).value) == {
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
    }
    subject = root.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert made.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == subject.digest
    assert made.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest != subject.digest
    names = made.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://platform/consul"]


def test_a_certificate_near_its_end_is_replaced_and_another_is_not(cloud: Client) -> None:
    key, ca = authority(cloud)
    due = leaf(cloud, key, ca, earlyRenewalHours=24)
    assert list(cloud.diff(due, due.inputs).replaces) == ["readyForRenewal"]
    fresh = leaf(cloud, key, ca, earlyRenewalHours=23)
    assert cloud.diff(fresh, fresh.inputs).changes == pb.DiffResponse.DIFF_NONE
    assert not cloud.diff(fresh, {**fresh.inputs, "earlyRenewalHours": 22}).replaces
    assert list(cloud.diff(fresh, {**fresh.inputs, "validityPeriodHours": 25}).replaces) == ["validityPeriodHours"]


def test_an_update_keeps_the_certificate(cloud: Client) -> None:
    key, ca = authority(cloud)
    made = leaf(cloud, key, ca)
    assert cloud.update(made, {**made.inputs, "earlyRenewalHours": 1})["certPem"] == made["certPem"]


def test_a_key_that_is_not_the_authoritys_is_refused(cloud: Client) -> None:
    _, ca = authority(cloud)
    with pytest.raises(RefusedError, match="doesn't match parent's PublicKey"):
        leaf(cloud, cloud.create(KEY, EC, "other"), ca)


def test_bad_pem_is_refused_without_quoting_it(cloud: Client) -> None:
    with pytest.raises(RefusedError, match="failed to decode a private key") as caught:
        cloud.create(REQUEST, {"privateKeyPem": Secret("-----hush-----")})
    assert "hush" not in caught.value.message


@pytest.mark.parametrize(
    ("type_", "good", "bad"),
    [
        (KEY, {"algorithm": "ED25519"}, {"algorithm": "DSA"}),
        (KEY, EC, {"algorithm": "ECDSA", "ecdsaCurve": "P-256"}),
        (
            SELF,
            {"allowedUses": ["server_auth"], "validityPeriodHours": 1, "privateKeyPem": "x"},
            {"allowedUses": ["server"], "validityPeriodHours": 1, "privateKeyPem": "x"},
        ),
        (
            SELF,
            {"allowedUses": [], "validityPeriodHours": 1, "privateKeyPem": "x"},
            {"allowedUses": [], "validityPeriodHours": 0, "privateKeyPem": "x"},
        ),
        (REQUEST, {"privateKeyPem": "x", "ipAddresses": ["::1"]}, {"privateKeyPem": "x", "ipAddresses": ["10.0.0"]}),
        (REQUEST, {"privateKeyPem": "x"}, {}),
    ],
)
def test_wrong_arguments_are_seen_at_preview(
    cloud: Client, type_: str, good: dict[str, Any], bad: dict[str, Any]
) -> None:
    assert not cloud.failures(type_, good)
    assert cloud.failures(type_, bad)


def test_the_public_half_of_a_key_is_answered(cloud: Client) -> None:
    key = cloud.create(KEY, EC)
    found = cloud.invoke("tls:index/getPublicKey:getPublicKey", {"privateKeyPem": key["privateKeyPem"]})
    assert found["publicKeyPem"] == key["publicKeyPem"]
    assert found["algorithm"] == "ECDSA"
