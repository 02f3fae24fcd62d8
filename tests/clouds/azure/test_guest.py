"""The guest scripts, in a shell, against a metadata service and a key vault on loopback."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from components.clouds.azure.guest import FACTS, facts, guest
from components.clouds.contract import Account, Site
from components.plan.federation import TOKEN_AUDIENCE
from tests.deployed import plan

VAULT, CLIENT = "hmc-1a2b3c4d", "11111111-2222-4333-8444-555555555555"
HOST = f"{VAULT}.vault.azure.net"
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


class _Service(BaseHTTPRequestHandler):
    def say(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def _metadata(cloud: Cloud) -> type[_Service]:
    class Metadata(_Service):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = parse_qs(address.query)
            if self.headers.get("Metadata") != "true" or self.headers.get("X-Forwarded-For"):
                self.say(
                    400, {"error": "invalid_request", "error_description": "Required metadata header not specified"}
                )
            elif address.path != "/metadata/identity/oauth2/token" or query.get("api-version") != ["2018-02-01"]:
                self.say(404, {"error": "not_found"})
            elif query.get("client_id") != [CLIENT]:
                self.say(
                    400, {"error": "invalid_request", "error_description": "Multiple user assigned identities exist"}
                )
            elif cloud.busy:
                cloud.busy -= 1
                self.say(429, {"error": "too_many_requests"})
            else:
                cloud.asked.append(query)
                self.say(*cloud.token)

    return Metadata


def _vault(cloud: Cloud) -> type[_Service]:
    class Vault(_Service):
        def do_GET(self) -> None:
            cloud.read.append(self.path)
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self.say(401, {"error": {"code": "Unauthorized", "message": "AKV10000: no token"}})
            else:
                self.say(*cloud.secret)

    return Vault


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


@dataclass
class Machine:
    """Where the scripts run: real curl, led to loopback by its own configuration file, every argument recorded."""

    folder: Path
    cloud: Cloud

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        scripts = guest(Site(plan("azure"), Account("subscription", "tenant")))
        assert scripts.web_identity
        content = {"read-secret": scripts.read_secret, "web-identity": scripts.web_identity}[program].content
        # The one thing that a test's user cannot write is the file of facts below /etc.
        assert content.count(FACTS) == 1
        script, about = self.folder / program, self.folder / "azure.env"
        script.write_text(content.replace(FACTS, str(about)), encoding="utf-8")
        about.write_text(facts(CLIENT, VAULT), encoding="utf-8")
        # A clean environment, as under systemd; a real proxy of this machine must not see loopback requests.
        environment = {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "CURL_HOME": str(self.folder)}
        return subprocess.run(
            ["sh", str(script), *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    @property
    def arguments(self) -> str:
        return (self.folder / "arguments").read_text(encoding="utf-8")


def _recorder(folder: Path, program: str) -> None:
    file = folder / "bin" / program
    file.parent.mkdir(exist_ok=True)
    file.write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"{program} $*\" >>'{folder}/arguments'\nexec '{shutil.which(program)}' \"$@\"\n"
    )
    file.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    cloud = Cloud()
    metadata = ThreadingHTTPServer(("127.0.0.1", 0), _metadata(cloud))
    vault = ThreadingHTTPServer(("127.0.0.1", 0), _vault(cloud))
    certificate = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    vault.socket = context.wrap_socket(vault.socket, server_side=True)
    threads = [Thread(target=server.serve_forever, args=(0.05,)) for server in (metadata, vault)]
    for thread in threads:
        thread.start()
    (tmp_path / ".curlrc").write_text(
        f'connect-to = "169.254.169.254:80:127.0.0.1:{metadata.server_port}"\n'
        f'connect-to = "{HOST}:443:127.0.0.1:{vault.server_port}"\n'
        f'cacert = "{certificate}"\n'
    )
    for program in ("curl", "python3"):
        _recorder(tmp_path, program)
    yield Machine(tmp_path, cloud)
    for server in (metadata, vault):
        server.shutdown()
        server.server_close()
    for thread in threads:
        thread.join()


def test_a_secret_is_printed_exactly_as_it_is_kept(machine: Machine) -> None:
    ended = machine.run("read-secret", ENTRY)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, VALUE, "")
    assert machine.cloud.read == [f"/secrets/{ENTRY}?api-version=7.4"]


def test_the_identity_is_named_because_a_machine_may_have_others(machine: Machine) -> None:
    machine.run("read-secret", ENTRY)
    (query,) = machine.cloud.asked
    assert query["client_id"] == [CLIENT]
    assert query["resource"] == ["https://vault.azure.net"]


def test_nothing_secret_stands_in_an_argument(machine: Machine) -> None:
    machine.run("read-secret", ENTRY)
    assert ENTRY in machine.arguments, "the recorder saw no call"
    assert "hush" not in machine.arguments


def test_a_busy_metadata_service_is_asked_again(machine: Machine) -> None:
    machine.cloud.busy = 1
    assert machine.run("read-secret", ENTRY).stdout == VALUE
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
    _one_line(machine.run("read-secret", ENTRY), "read-secret", ENTRY, VAULT, said)


@pytest.mark.parametrize(("program", "argument"), [("read-secret", ENTRY), ("web-identity", TOKEN_AUDIENCE["azure"])])
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
    _one_line(machine.run(program, argument), program, said)
    assert machine.cloud.read == []


def _one_line(ended: subprocess.CompletedProcess[str], program: str, *said: str) -> None:
    assert ended.returncode != 0
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"{program}: ")
    assert all(word in line for word in said)
    assert "hush" not in ended.stderr


def test_a_web_identity_is_a_token_for_the_audience_of_the_other_cloud(machine: Machine) -> None:
    audience = TOKEN_AUDIENCE["azure"]
    ended = machine.run("web-identity", audience)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, TOKEN, "")
    (query,) = machine.cloud.asked
    assert (query["resource"], query["client_id"]) == ([audience], [CLIENT])


@pytest.mark.parametrize("program", ["read-secret", "web-identity"])
def test_what_to_ask_for_is_required(machine: Machine, program: str) -> None:
    assert "usage" in machine.run(program).stderr
    assert "usage" in machine.run(program, "one", "two").stderr
