"""The guest's scripts, unmodified, against a metadata service and a Secret Manager on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.clouds.contract import Account, Site
from components.clouds.gcp.guest import guest
from components.plan.server import File
from tests.clouds.gcp.region import STACK
from tests.clouds.gcp.services import IDENTITY, PROJECT, TOKEN, Machine, surrounded
from tests.clouds.surroundings import printed

ENTRY = "hmc-vault-server-key"
VALUE = '-----BEGIN KEY-----\n"hush" \\ ünder\n-----END KEY-----\n'.encode()
GUEST = guest(Site(STACK, Account(PROJECT, "123456789012")))
READ = GUEST.read_secret


def _identity() -> File:
    assert GUEST.web_identity
    return GUEST.web_identity


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with surrounded(tmp_path) as found:
        found.cloud.secrets[ENTRY] = VALUE
        yield found


@pytest.mark.parametrize("value", [VALUE, b"one line", b"lines\n\n", bytes(range(256))])
def test_a_secret_is_printed_byte_for_byte(machine: Machine, value: bytes) -> None:
    machine.cloud.secrets[ENTRY] = value
    assert machine.read(READ, ENTRY) == {ENTRY: value}


def test_the_newest_version_is_asked_for_with_the_machines_own_token(machine: Machine) -> None:
    machine.run(READ, ENTRY)
    assert machine.cloud.asked == [
        (f"/v1/projects/{PROJECT}/secrets/{ENTRY}/versions/latest:access", f"Bearer {TOKEN}")
    ]


def test_nothing_secret_stands_in_an_argument(machine: Machine) -> None:
    machine.run(READ, ENTRY)
    assert ENTRY in machine.arguments, "the recorder saw no call"
    assert "hush" not in machine.arguments


def test_a_busy_store_is_a_failure_and_the_next_try_prints_the_value_alone(machine: Machine) -> None:
    machine.cloud.busy = 1
    busy, later = machine.run(READ, ENTRY), machine.run(READ, ENTRY)
    assert busy.returncode != 0
    assert busy.stdout == b""
    assert printed(later.stdout) == {ENTRY: VALUE}


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (403, {"error": {"message": "Permission denied", "status": "PERMISSION_DENIED"}}, "PERMISSION_DENIED"),
        (404, {"error": {"message": "Secret not found"}}, "Secret not found"),
        (200, {"payload": {}}, "no value"),
        (200, {"payload": {"data": "hush!"}}, "no value in base64"),
    ],
)
def test_a_failure_is_one_line_without_a_value(
    machine: Machine, status: int, answer: dict[str, Any], said: str
) -> None:
    machine.cloud.refusal = status, answer
    ended = machine.run(READ, ENTRY)
    assert ended.returncode != 0
    assert ended.stdout == b""
    (line,) = ended.stderr.decode().splitlines()
    assert line.startswith(f"read-secret: {ENTRY}")
    assert said in line
    assert "hush" not in line


def test_without_a_token_nothing_is_asked(machine: Machine) -> None:
    machine.cloud.token = {"error": "no account"}
    ended = machine.run(READ, ENTRY)
    assert ended.returncode != 0
    assert ended.stderr == b"read-secret: the metadata service answered without a token\n"
    assert machine.cloud.asked == []


@pytest.mark.parametrize("audience", ["sts.amazonaws.com", "api://AzureADTokenExchange?a=b&c d"])
def test_a_machine_proves_itself_to_the_audience_that_asks(machine: Machine, audience: str) -> None:
    ended = machine.run(_identity(), audience)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.decode() == f"{IDENTITY}.for.{audience}"


def test_a_machine_without_an_identity_prints_nothing(machine: Machine) -> None:
    file = _identity()
    broken = File(file.path, file.content.replace("service-accounts/default", "service-accounts/none"), file.mode)
    ended = machine.run(broken, "sts.amazonaws.com")
    assert ended.returncode != 0
    assert ended.stdout == b""
    assert b"sts.amazonaws.com" in ended.stderr


@pytest.mark.parametrize("file", [READ, _identity()], ids=["read-secret", "web-identity"])
def test_an_argument_is_required(machine: Machine, file: File) -> None:
    ended = machine.run(file)
    assert ended.returncode != 0
    assert b"usage" in ended.stderr


@pytest.mark.parametrize("file", [READ, _identity()], ids=["read-secret", "web-identity"])
def test_the_metadata_service_answers_only_those_who_name_it(machine: Machine, file: File) -> None:
    without = File(file.path, file.content.replace("--header 'Metadata-Flavor: Google'", ""), file.mode)
    assert without.content != file.content
    assert machine.run(without, ENTRY).returncode != 0
