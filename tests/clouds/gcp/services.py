"""What a machine on GCP finds around it: the metadata service and Secret Manager, on loopback.

The guest's scripts run unmodified: real curl is led here by its own configuration file, and what it and python are
called with is recorded.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from components.plan.server import File

PROJECT = "platform-sandbox"
METADATA, STORE = "metadata.google.internal", "secretmanager.googleapis.com"
TOKEN, IDENTITY = "ya29.token-hush", "eyJhbGciOiJSUzI1NiJ9.identity-hush.signature"


@dataclass
class Cloud:
    """What the services answer, and what they were asked."""

    secrets: dict[str, bytes] = field(default_factory=dict)
    token: Any = field(default_factory=lambda: {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"})
    refusal: tuple[int, dict[str, Any]] | None = None
    busy: int = 0
    """How often the store is unavailable before it answers."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and authorization of each request to the store."""


class _Service(BaseHTTPRequestHandler):
    def say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Tests print nothing."""


def _metadata(cloud: Cloud) -> type[_Service]:
    class Metadata(_Service):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            query = parse_qs(asked.query)
            account = "/computeMetadata/v1/instance/service-accounts/default"
            if self.headers.get("Metadata-Flavor") != "Google":
                self.say(403, b"Missing Metadata-Flavor:Google header.")
            elif asked.path == "/computeMetadata/v1/project/project-id":
                self.say(200, PROJECT.encode())
            elif asked.path == f"{account}/token":
                self.say(200, json.dumps(cloud.token).encode())
            elif asked.path == f"{account}/identity" and query.get("format") == ["full"] and "audience" in query:
                self.say(200, f"{IDENTITY}.for.{query['audience'][0]}".encode())
            else:
                self.say(404, b"not found")

    return Metadata


def _store(cloud: Cloud) -> type[_Service]:
    class Store(_Service):
        def do_GET(self) -> None:
            cloud.asked.append((self.path, self.headers.get("Authorization")))
            if cloud.busy:
                cloud.busy -= 1
                self.say(503, b"{}")
            elif cloud.refusal:
                self.say(cloud.refusal[0], json.dumps(cloud.refusal[1], indent=2).encode())
            else:
                name = self.path.partition("/secrets/")[2].partition("/")[0]
                value = cloud.secrets[name]
                answer = {"name": self.path, "payload": {"data": base64.b64encode(value).decode()}}
                self.say(200, json.dumps(answer).encode())

    return Store


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, STORE)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(STORE)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


@contextmanager
def _serving(handler: type[_Service], certificate: Path | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Machine:
    """Where a script runs, in a clean environment as under systemd."""

    folder: Path
    cloud: Cloud

    def run(self, file: File, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        script = self.folder / Path(file.path).name
        script.write_text(file.content, encoding="utf-8")
        script.chmod(int(file.mode, 8))
        environment = {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "CURL_HOME": str(self.folder)}
        return subprocess.run([script, *arguments], env=environment, capture_output=True, timeout=60, check=False)

    @property
    def arguments(self) -> str:
        """Every command line of curl and python."""
        return (self.folder / "arguments").read_text(encoding="utf-8")


def _record(folder: Path, program: str) -> None:
    file = folder / "bin" / program
    file.parent.mkdir(exist_ok=True)
    file.write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"{program} $*\" >>'{folder}/arguments'\nexec '{shutil.which(program)}' \"$@\"\n"
    )
    file.chmod(0o755)


@contextmanager
def surrounded(folder: Path) -> Iterator[Machine]:
    """A machine with both services around it."""
    cloud, certificate = Cloud(), _certificate(folder)
    with ExitStack() as stack:
        metadata = stack.enter_context(_serving(_metadata(cloud)))
        store = stack.enter_context(_serving(_store(cloud), certificate))
        (folder / ".curlrc").write_text(
            f'connect-to = "{METADATA}:80:127.0.0.1:{metadata}"\n'
            f'connect-to = "{STORE}:443:127.0.0.1:{store}"\n'
            f'cacert = "{certificate}"\n'
        )
        for program in ("curl", "python3"):
            _record(folder, program)
        yield Machine(folder, cloud)
