"""The guest scripts, in a shell, against a metadata service and a key vault on loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from components.clouds.azure.guest import FACTS, facts, guest
from components.clouds.contract import Account, Site
from components.plan.federation import TRUSTED
from components.plan.server import File
from tests.clouds import surroundings
from tests.clouds.surroundings import Service, surrounded
from tests.deployed import plan

VAULT, CLIENT = "hmc-1a2b3c4d", "11111111-2222-4333-8444-555555555555"
METADATA, HOST = "169.254.169.254", f"{VAULT}.vault.azure.net"
TOKEN = "eyJ.hush+/=.token"
ENTRY, VALUE = "hmc-vault-server-key", '-----BEGIN KEY-----\n"hush" \\ ünder\n-----END KEY-----\n'


@dataclass
class Cloud:
    """What the two services answer, and what they were asked."""

    token: tuple[int, dict[str, Any]] = (200, {"access_token": TOKEN})
    busy: int = 0
    """How often the metadata service is still too busy to answer."""
    secret: tuple[int, dict[str, Any]] = (200, {"value": VALUE})
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    read: list[str] = field(default_factory=list)


def _metadata(cloud: Cloud) -> type[Service]:
    class Metadata(Service):
        def do_GET(self) -> None:  # noqa: N802 - http.server asks for the name
            address = urlsplit(self.path)
            query = parse_qs(address.query)
            if self.headers.get("Metadata") != "true" or self.headers.get("X-Forwarded-For"):
                self.say_json(
                    400, {"error": "invalid_request", "error_description": "Required metadata header not specified"}
                )
            elif address.path != "/metadata/identity/oauth2/token" or query.get("api-version") != ["2018-02-01"]:
                self.say_json(404, {"error": "not_found"})
            elif query.get("client_id") != [CLIENT]:
                self.say_json(
                    400, {"error": "invalid_request", "error_description": "Multiple user assigned identities exist"}
                )
            elif cloud.busy:
                cloud.busy -= 1
                self.say_json(429, {"error": "too_many_requests"})
            else:
                cloud.asked.append(query)
                self.say_json(*cloud.token)

    return Metadata


def _vault(cloud: Cloud) -> type[Service]:
    class Vault(Service):
        def do_GET(self) -> None:  # noqa: N802 - http.server asks for the name
            cloud.read.append(self.path)
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self.say_json(401, {"error": {"code": "Unauthorized", "message": "AKV10000: no token"}})
            else:
                self.say_json(*cloud.secret)

    return Vault


@dataclass
class Machine(surroundings.Machine):
    """A machine on Azure."""

    cloud: Cloud

    def call(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run_text(self.script(program), *arguments)

    def script(self, program: str) -> File:
        scripts = guest(Site(plan("azure"), Account("subscription", "tenant")))
        assert scripts.web_identity
        file = {"read-secret": scripts.read_secret, "web-identity": scripts.web_identity}[program]
        # The one thing that a test's user cannot write is the file of facts below /etc.
        assert file.content.count(FACTS) == 1
        about = self.folder / "azure.env"
        about.write_text(facts(CLIENT, VAULT), encoding="utf-8")
        return replace(file, content=file.content.replace(FACTS, str(about)))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    cloud = Cloud()
    with surrounded(tmp_path, metadata=(METADATA, _metadata(cloud)), store=(HOST, _vault(cloud))):
        yield Machine(tmp_path, cloud)


def test_a_secret_is_printed_exactly_as_it_is_kept(machine: Machine) -> None:
    assert machine.read(machine.script("read-secret"), ENTRY) == {ENTRY: VALUE.encode()}
    assert machine.cloud.read == [f"/secrets/{ENTRY}?api-version=7.4"]


def test_the_identity_is_named_because_a_machine_may_have_others(machine: Machine) -> None:
    machine.call("read-secret", ENTRY)
    (query,) = machine.cloud.asked
    assert query["client_id"] == [CLIENT]
    assert query["resource"] == ["https://vault.azure.net"]


def test_nothing_secret_stands_in_an_argument(machine: Machine) -> None:
    machine.call("read-secret", ENTRY)
    assert ENTRY in machine.arguments, "the recorder saw no call"
    assert "hush" not in machine.arguments


def test_a_busy_metadata_service_is_asked_again(machine: Machine) -> None:
    machine.cloud.busy = 1
    assert machine.read(machine.script("read-secret"), ENTRY) == {ENTRY: VALUE.encode()}
    assert machine.cloud.busy == 0


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (403, {"error": {"code": "Forbidden", "message": "Caller is not authorized\nto perform action"}}, "Forbidden"),
        (404, {"error": {"code": "SecretNotFound"}}, "SecretNotFound"),
        (200, {"id": "no value"}, "has no value"),
        (200, {"value": None}, "has no value"),
    ],
)
def test_a_refusal_of_the_vault_is_one_line_without_a_token(
    machine: Machine, status: int, answer: dict[str, Any], said: str
) -> None:
    machine.cloud.secret = status, answer
    line = _refused(machine.call("read-secret", ENTRY))
    assert line.startswith("read-secret: ")
    assert all(word in line for word in (ENTRY, VAULT, said))
    assert "hush" not in line


@pytest.mark.parametrize(("program", "argument"), [("read-secret", ENTRY), ("web-identity", TRUSTED["azure", "aws"])])
@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (400, {"error": "invalid_request", "error_description": "Identity not found"}, CLIENT),
        (200, {"expires_in": "1"}, "without a token"),
    ],
)
def test_without_a_token_nothing_else_is_tried(
    machine: Machine, program: str, argument: str, status: int, answer: dict[str, Any], said: str
) -> None:
    machine.cloud.token = status, answer
    line = _refused(machine.call(program, argument))
    assert line.startswith(f"{program}: ")
    assert said in line
    assert "hush" not in line
    assert machine.cloud.read == []


def _refused(ended: subprocess.CompletedProcess[str]) -> str:
    """The one line that a failure is."""
    assert ended.returncode != 0
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    return line


def test_a_web_identity_is_a_token_for_the_audience_of_the_other_cloud(machine: Machine) -> None:
    audience = TRUSTED["azure", "aws"]
    ended = machine.call("web-identity", audience)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, TOKEN, "")
    (query,) = machine.cloud.asked
    assert (query["resource"], query["client_id"]) == ([audience], [CLIENT])


@pytest.mark.parametrize("program", ["read-secret", "web-identity"])
def test_what_to_ask_for_is_required(machine: Machine, program: str) -> None:
    assert "usage" in machine.call(program).stderr
    if program == "web-identity":
        assert "usage" in machine.call(program, "one", "two").stderr
