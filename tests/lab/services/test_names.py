"""Names: who is answered what; nothing is left without an answer."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import pytest

from components.plan.spec import CLOUDS, Cloud
from sandbox.lab.services import places
from sandbox.lab.services.dns import answer, names
from sandbox.lab.services.zones import zones
from sandbox.stores.iam import NotModelledError
from tests.lab.services import region

KNOWN = names(region.told())
ASKERS = {machine.cloud: machine.address for machine in region.MACHINES}


def ask(name: str, asker: str = "", kind: str = "A", room: int = 512) -> dns.message.Message:
    said = answer(KNOWN, dns.message.make_query(name, kind).to_wire(), asker, room)
    assert said is not None
    return dns.message.from_wire(said)


def addresses(message: dns.message.Message) -> set[str]:
    return {record.to_text() for found in message.answer for record in found}


@pytest.mark.parametrize(
    ("cloud", "wanted"),
    [("aws", {"10.98.1.1", "10.98.1.2"}), ("azure", {"10.98.2.1"}), ("gcp", {"10.98.3.1"})],
)
def test_a_name_of_the_platform_is_what_the_askers_own_cloud_registered(cloud: Cloud, wanted: set[str]) -> None:
    message = ask(f"Vault.{region.DOMAIN}.", ASKERS[cloud])
    assert addresses(message) == wanted
    assert message.flags & dns.flags.AA
    assert {found.ttl for found in message.answer} == {60}


def test_a_stranger_sees_no_private_zone_and_every_host_of_the_clouds() -> None:
    assert ask(f"vault.{region.DOMAIN}", "192.0.2.99").rcode() == dns.rcode.NXDOMAIN
    assert addresses(ask("kms.us-west-2.amazonaws.com", "192.0.2.99")) == {places.GATEWAY}


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("secretsmanager.us-west-2.amazonaws.com", places.GATEWAY),
        ("sts.us-west-2.amazonaws.com", places.GATEWAY),
        (f"{region.AZURE_VAULT}.vault.azure.net", places.GATEWAY),
        ("login.microsoftonline.com", places.GATEWAY),
        ("secretmanager.googleapis.com", places.GATEWAY),
        ("storage.googleapis.com", places.GATEWAY),
        ("cloudkms.googleapis.com", places.CLOUD_KMS),
        ("metadata.google.internal", places.METADATA),
    ],
)
def test_every_service_is_found_by_its_real_name(host: str, address: str) -> None:
    assert addresses(ask(host, ASKERS["aws"])) == {address}


def test_other_names_do_not_exist_and_other_types_are_empty() -> None:
    for name in ("example.org", f"nobody.{region.DOMAIN}", "other.vault.azure.net", "kms.eu-west-1.amazonaws.com"):
        assert ask(name, ASKERS["aws"]).rcode() == dns.rcode.NXDOMAIN, name
    for name in (f"vault.{region.DOMAIN}", region.DOMAIN, "cloudkms.googleapis.com"):
        message = ask(name, ASKERS["aws"], "AAAA")
        assert (message.rcode(), message.answer) == (dns.rcode.NOERROR, []), name


def test_an_answer_too_long_for_a_datagram_says_so() -> None:
    many = [
        {
            **one,
            "inputs": {**one["inputs"], "records": [f"10.0.{high}.{low}" for high in range(4) for low in range(50)]},
        }
        if one["name"] == "aws-record"
        else one
        for one in region.resources()
    ]
    known = names(region.feed(many, region.MACHINES))
    asked = dns.message.make_query(f"vault.{region.DOMAIN}", "A").to_wire()
    short, whole = (answer(known, asked, ASKERS["aws"], room) for room in (512, 65535))
    assert short is not None
    assert whole is not None
    assert len(short) <= 512
    assert dns.message.from_wire(short, ignore_trailing=True).flags & dns.flags.TC
    assert len(addresses(dns.message.from_wire(whole))) == 200


def test_what_is_no_question_gets_no_answer() -> None:
    assert answer(KNOWN, b"", "") is None
    assert answer(KNOWN, b"\0" * 11, "") is None


def test_zones_are_what_was_registered_and_unknown_types_are_refused() -> None:
    found = zones(region.resources())
    assert {cloud: set(found[cloud]) for cloud in CLOUDS} == {cloud: {f"vault.{region.DOMAIN}"} for cloud in CLOUDS}
    other = {"type": "aws:route53/record:Record", "id": "x", "inputs": {"type": "TXT", "name": "x", "ttl": 1}}
    with pytest.raises(NotModelledError, match="TXT"):
        zones([other])
