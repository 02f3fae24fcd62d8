"""The guest script, unmodified, in a shell, against a metadata service and a secret store on loopback."""

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

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from components.clouds.aws.guest import guest
from components.clouds.contract import Account, Site
from tests.clouds.aws.region import stack

REGION, ROLE = "us-west-2", "hmc-vault-server-us-west-2"
HOST = f"secretsmanager.{REGION}.amazonaws.com"
SESSION = "session-hush"
GIVEN = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "key/hush+hush", "Token": "token/hush=="}
ENTRY, VALUE = "hmc-vault-server-key", '-----BEGIN KEY-----\n"hush" \\ ünder\n-----END KEY-----\n'


@dataclass
class Cloud:
    """What the two services answer, and what they were asked."""

    credentials: dict[str, str] = field(default_factory=lambda: dict(GIVEN))
    young: int = 0
    """How often the role is still missing."""
    answer: tuple[int, dict[str, Any]] = (200, {"SecretString": VALUE})
    asked: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


class _Service(BaseHTTPRequestHandler):
    def say(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def _metadata(cloud: Cloud) -> type[_Service]:
    class Metadata(_Service):
        def do_PUT(self) -> None:
            lasting = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
            self.say(200 if self.path == "/latest/api/token" and lasting else 400, SESSION)

        def do_GET(self) -> None:
            roles = "/latest/meta-data/iam/security-credentials/"
            known = {
                "/latest/meta-data/placement/region": REGION,
                roles: ROLE,
                f"{roles}{ROLE}": json.dumps(cloud.credentials),
            }
            if self.headers.get("X-aws-ec2-metadata-token") != SESSION:
                self.say(401, "no session")
            elif self.path == roles and cloud.young:
                cloud.young -= 1
                self.say(404, "not yet")
            else:
                self.say(200 if self.path in known else 404, known.get(self.path, ""))

    return Metadata


def _store(cloud: Cloud) -> type[_Service]:
    class Store(_Service):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            cloud.asked.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status, answer = cloud.answer
            self.say(status, json.dumps(answer))

    return Store


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
    """Where the script runs: real curl, led to loopback by its own configuration file, every argument recorded."""

    folder: Path
    cloud: Cloud

    def read(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        script = self.folder / "read-secret"
        site = Site(stack(), Account("123456789012", "aws"))
        script.write_text(guest(site).read_secret.content, encoding="utf-8")
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
    store = ThreadingHTTPServer(("127.0.0.1", 0), _store(cloud))
    certificate = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    store.socket = context.wrap_socket(store.socket, server_side=True)
    threads = [Thread(target=server.serve_forever, args=(0.05,)) for server in (metadata, store)]
    for thread in threads:
        thread.start()
    (tmp_path / ".curlrc").write_text(
        f'connect-to = "169.254.169.254:80:127.0.0.1:{metadata.server_port}"\n'
        f'connect-to = "{HOST}:443:127.0.0.1:{store.server_port}"\n'
        f'cacert = "{certificate}"\n'
    )
    for program in ("curl", "python3"):
        _recorder(tmp_path, program)
    yield Machine(tmp_path, cloud)
    for server in (metadata, store):
        server.shutdown()
        server.server_close()
    for thread in threads:
        thread.join()


def test_a_secret_is_printed_exactly_as_it_is_kept(machine: Machine) -> None:
    ended = machine.read(ENTRY)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, VALUE, "")
    ((_, body),) = machine.cloud.asked
    assert json.loads(body) == {"SecretId": ENTRY}


def test_the_request_is_signed_with_the_machines_own_credentials(machine: Machine) -> None:
    machine.read(ENTRY)
    ((headers, body),) = machine.cloud.asked
    parts = dict(part.strip(" ,").split("=", 1) for part in headers["authorization"].split()[1:])
    date = headers["x-amz-date"]
    assert parts["Credential"] == f"{GIVEN['AccessKeyId']}/{date[:8]}/{REGION}/secretsmanager/aws4_request"
    signed = parts["SignedHeaders"].split(";")
    assert {"host", "x-amz-date", "x-amz-security-token", "x-amz-target"} <= set(signed)
    assert headers["x-amz-target"] == "secretsmanager.GetSecretValue"
    assert headers["x-amz-security-token"] == GIVEN["Token"]
    request = AWSRequest("POST", f"https://{HOST}/", {name: headers[name] for name in signed}, body)
    request.context["timestamp"] = date
    credentials = Credentials(GIVEN["AccessKeyId"], GIVEN["SecretAccessKey"], GIVEN["Token"])
    signer = SigV4Auth(credentials, "secretsmanager", REGION)
    wanted = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert parts["Signature"] == wanted


def test_nothing_secret_stands_in_an_argument(machine: Machine) -> None:
    machine.read(ENTRY)
    assert ENTRY in machine.arguments, "the recorder saw no call"
    assert "hush" not in machine.arguments


def test_a_role_that_appears_late_is_waited_for(machine: Machine) -> None:
    machine.cloud.young = 2
    assert machine.read(ENTRY).stdout == VALUE
    assert machine.cloud.young == 0


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (400, {"__type": "AccessDeniedException", "Message": "not authorized"}, "AccessDeniedException"),
        (400, {"__type": "ResourceNotFoundException"}, "ResourceNotFoundException"),
        (200, {"SecretBinary": "aHVzaA=="}, "no text value"),
        (403, {}, "{}"),
    ],
)
def test_a_failure_is_one_line_without_a_value(
    machine: Machine, status: int, answer: dict[str, Any], said: str
) -> None:
    machine.cloud.answer = status, answer
    ended = machine.read(ENTRY)
    assert ended.returncode != 0
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("read-secret: ")
    assert ENTRY in line
    assert said in line
    assert "hush" not in line


def test_broken_credentials_are_a_failure_before_anything_is_asked(machine: Machine) -> None:
    del machine.cloud.credentials["SecretAccessKey"]
    ended = machine.read(ENTRY)
    assert ended.returncode != 0
    assert "SecretAccessKey" in ended.stderr
    assert "hush" not in ended.stderr
    assert machine.cloud.asked == []


def test_a_name_is_required(machine: Machine) -> None:
    assert "usage" in machine.read().stderr


def test_keys_are_local_so_no_token_for_another_cloud_is_made() -> None:
    assert guest(Site(stack(), Account("123456789012", "aws"))).web_identity is None
