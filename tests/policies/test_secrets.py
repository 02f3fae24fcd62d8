"""Which texts are taken for secrets, however they are wrapped, and which are not."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Callable

import pytest

from components.plan.userdata import encoded, render
from policies.concepts.secrets import Found, secret_kind, secrets_in
from policies.resource import ROOT_TYPE, Node
from policies.rule import deferred
from policies.rules.encryption import secret_not_plain
from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Held, StackCase, world
from tests.policies.cases.encryption.secret_not_plain import PEM, TOKEN, UUID
from tests.products.machines import CASES, DEVICES, Case, contents, machine

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_GOSSIP = base64.b64encode(bytes(range(100, 132))).decode()
_OLD_GOSSIP = base64.b64encode(bytes(range(100, 116))).decode()
_SHARE = base64.b64encode(bytes(range(150, 183))).decode()
_RAW_KEY = _LETTERS[:40]

SECRETS = (
    ("a private key", PEM),
    ("a private key", PEM.replace(" EC", "")),
    ("a private key", '{"type": "service_account", "private_key": "x"}'),
    ("a private key", r"{\"private_key\": \"x\"}"),
    ("a Vault token", f"VAULT_TOKEN={TOKEN}"),
    ("a Vault token", f"token: s.{_LETTERS[:24]}"),
    ("a Vault token", f"b.{_LETTERS[:24]}"),
    ("a Consul or Nomad token", f"CONSUL_HTTP_TOKEN={UUID}"),
    ("a Consul or Nomad token", f'"SecretID": "{UUID}"'),
    ("a Consul or Nomad token", f'tokens {{\n  initial_management = "{UUID}"\n}}'),
    ("a Consul or Nomad token", f"-token={UUID}"),
    ("an AWS access key", "AK" + "IA" + _LETTERS[26:42]),
    ("an AWS secret key", f"aws_secret_access_key = {_RAW_KEY}"),
    ("an AWS secret key", f'"AWS_SECRET_ACCESS_KEY": "{_RAW_KEY}"'),
    ("an Azure storage key or signature", "DefaultEndpointsProtocol=https;AccountKey=" + "A" * 86 + "=="),
    ("a gossip key", f'encrypt = "{_GOSSIP}"'),
    ("a gossip key", f"gossip key: {_GOSSIP}"),
    ("a gossip key", f'{{"encrypt":"{_OLD_GOSSIP}"}}'),
    ("an unseal or recovery key", f"Unseal Key 1: {_SHARE}"),
    ("an unseal or recovery key", f"Recovery Key 3: {_SHARE}"),
    ("an unseal or recovery key", f'"unseal_keys_b64": ["{_SHARE}"]'),
    ("an unseal or recovery key", f"unseal shares = {_SHARE}"),
    ("a password in a URL", "postgres://boundary:hunter2@db.example.com/boundary"),
    ("a password in a connection string", "host=db.example.com user=boundary password=hunter2 sslmode=require"),
    ("a password in a connection string", "Server=db;Database=x;User Id=boundary;Password='hunter2';"),
    ("a password in a connection string", "password=hunter2 host=db.example.com"),
    ("a password in a connection string", "PWD=hunter2;SERVER=db"),
)
HARMLESS = (
    "",
    "write_files: []",
    UUID,
    f"subscription = {UUID}",
    f"secret store of the platform, which has many words before its id: {UUID}",
    f"token_{'x' * 50}{UUID}",
    f"class.{_LETTERS[:24]}.method",
    f"s.{_LETTERS[:23]}",
    f"s.{_LETTERS[:25]}",
    f"encrypt_verify = true # {_GOSSIP}",
    f"sha256 {_GOSSIP}",
    f"encrypt = {_GOSSIP[:30]}",
    f"aws_secret_access_key = {_RAW_KEY[:39]}",
    f"aws_secret_access_key = {_RAW_KEY}9",
    "recovery key holders: five people",
    f"unseal key: {_SHARE[:31]}",
    "private_key: /run/platform/secrets/key.pem",
    '"private_key": "/run/platform/secrets/key.pem"',
    "postgres://{{username}}:{{password}}@db.example.com/boundary",
    "postgres://$(USER):$(PASSWORD)@db.example.com/boundary",
    "host=db user=boundary password=${PASSWORD}",
    "host=db user=boundary password=$PASSWORD sslmode=require",
    "host=db user=boundary password=<the password>",
    "host=db user=boundary password=/run/secrets/db",
    "password = words",
    "lock_passwd: true",
    base64.b64encode(bytes(range(256))).decode(),
    base64.b64encode(b"\x1f\x8b" + bytes(range(64))).decode(),
)


@pytest.mark.parametrize(("kind", "text"), SECRETS)
def test_a_secret_is_told_by_its_kind(kind: str, text: str) -> None:
    assert secret_kind(text) == kind
    assert secret_kind(f"#!/bin/sh\nexport X=y\n{text}\n") == kind


@pytest.mark.parametrize("text", HARMLESS)
def test_what_holds_no_secret_is_let_through(text: str) -> None:
    assert secret_kind(text) is None


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _wrapped(text: str) -> str:
    return base64.encodebytes(text.encode()).decode().replace("\n", "\r\n    ")


def _zipped(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


@pytest.mark.parametrize("pack", [_base64, _wrapped, _zipped])
def test_a_packed_secret_is_found(pack: Callable[[str], str]) -> None:
    long = "# a comment\n" * 20 + PEM
    assert secret_kind(pack(long)) == "a private key"
    assert secret_kind(f"content: {pack(long)}\nencoding: b64\n") == "a private key"
    assert secret_kind(pack(pack(pack(pack(pack(long)))))) == "a private key"
    assert secret_kind(pack(pack(pack(pack(pack(pack(long))))))) is None


def test_base64_without_its_padding_is_read() -> None:
    for length in range(3):
        assert secret_kind(_base64(TOKEN + "." * length).rstrip("=")) == "a Vault token"


def test_what_unpacks_to_more_than_a_machine_takes_is_read_as_far_as_that() -> None:
    huge = "\0" * (5 * 2**20)
    assert secret_kind(_zipped(TOKEN + huge)) == "a Vault token"
    assert secret_kind(_zipped(huge + TOKEN)) is None


@pytest.mark.parametrize("name", ["password", "PGPASSWORD", "dbPassword", "app/db/passwd", "KEY_PASSPHRASE"])
def test_a_name_tells_a_password(name: str) -> None:
    assert secret_kind("hunter2", name) == "a password"
    for value in ("", "true", "No", "null", "16", "/run/secrets/password", "${PASSWORD}", "{{ .Data.password }}"):
        assert secret_kind(value, name) is None
    assert secret_kind("123456", name) == "a password"


@pytest.mark.parametrize("name", ["PASSWORD_FILE", "password_length", "user", ""])
def test_other_names_tell_none(name: str) -> None:
    assert secret_kind("hunter2", name) is None


def test_a_name_tells_a_token() -> None:
    assert secret_kind(UUID, "consul_token") == "a Consul or Nomad token"
    assert secret_kind(UUID, "request") is None


def test_places_are_named_without_what_they_hold() -> None:
    value = {"a": [TOKEN, {"token": UUID}], "b": UNKNOWN, "c": ABSENT, "d": 1, "e": "fine", TOKEN: {"f": PEM}}
    assert list(secrets_in(Node("data", value))) == [
        Found("data.a[0]", "a Vault token"),
        Found("data.a[1].token", "a Consul or Nomad token"),
        Found("data.b", None),
        Found("data", "a Vault token"),
        Found("data.*.f", "a private key"),
    ]
    assert list(secrets_in(Node("", {"a": TOKEN}))) == [Found("a", "a Vault token")]
    assert list(secrets_in(Node("data", ["hunter2"]), "password")) == [Found("data[0]", "a password")]


def test_an_output_says_once_that_parts_of_it_are_not_known_yet() -> None:
    stack = StackCase(("stack",), [Held(ROOT_TYPE, "root", {"servers": [{"id": UNKNOWN, "ip": UNKNOWN}]})])
    assert secret_not_plain.RULE.judge_stack(world(stack.good), stack.context) == [deferred("servers")]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_machine_of_the_platform_carries_one(case: Case) -> None:
    spec = machine(case)
    for path, content in contents(spec, case.cloud).items():
        assert secret_kind(content) is None, path
    facts = {late.fact: f"# {late.fact}\n" for late in spec.late}
    document = render(spec, facts, DEVICES[case.cloud])
    assert secret_kind(encoded(case.cloud, document)) is None
    first = re.search(r"content: \|", document)
    assert first
    tainted = f"{document[: first.end()]}\n      {TOKEN}{document[first.end() :]}"
    assert secret_kind(encoded(case.cloud, tainted)) == "a Vault token"
