"""What a machine finds around it, on loopback: the services that its guest's scripts call, and a place to run them.

The scripts run unmodified in a clean environment. Real curl is led here by its own configuration file, and what it
and python are called with is recorded. What the services answer is each cloud's own.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from components.plan.server import File

LOOPBACK = "127.0.0.1"
RECORDED = ("curl", "python3")


class Service(BaseHTTPRequestHandler):
    """A service that a cloud's tests give answers to."""

    def say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def say_json(self, status: int, answer: Mapping[str, Any], indent: int | None = None) -> None:
        self.say(status, json.dumps(answer, indent=indent).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Tests print nothing."""


@dataclass
class Machine:
    """Where a script runs, in a clean environment as under systemd."""

    folder: Path

    def run(self, file: File, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        script = self.folder / Path(file.path).name
        script.write_text(file.content, encoding="utf-8")
        script.chmod(int(file.mode, 8))
        # A real proxy of this machine must not see loopback requests: its environment is left behind.
        environment = {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "CURL_HOME": str(self.folder)}
        return subprocess.run([script, *arguments], env=environment, capture_output=True, timeout=60, check=False)

    def read(self, file: File, *names: str) -> dict[str, bytes]:
        """What a reader prints of each name, when nothing goes wrong."""
        ended = self.run(file, *names)
        assert (ended.returncode, ended.stderr) == (0, b"")
        return printed(ended.stdout)

    def run_text(self, file: File, *arguments: str) -> subprocess.CompletedProcess[str]:
        ended = self.run(file, *arguments)
        return subprocess.CompletedProcess(
            ended.args, ended.returncode, ended.stdout.decode("utf-8"), ended.stderr.decode("utf-8")
        )

    @property
    def arguments(self) -> str:
        """Every command line of curl and python."""
        return (self.folder / "arguments").read_text(encoding="utf-8")


def printed(output: bytes) -> dict[str, bytes]:
    """A reader's lines: values by name."""
    assert output.endswith(b"\n") or not output
    lines = [line.split("\t") for line in output.decode("ascii").splitlines()]
    return {name: base64.b64decode(value, validate=True) for name, value in lines}


@contextmanager
def surrounded(folder: Path, metadata: tuple[str, type[Service]], store: tuple[str, type[Service]]) -> Iterator[None]:
    """Serve a metadata service by HTTP and a secret store by HTTPS, each (host, handler), to a machine in `folder`."""
    (metadata_host, metadata_handler), (store_host, store_handler) = metadata, store
    certificate = _certificate(folder, store_host)
    with ExitStack() as services:
        metadata_port = services.enter_context(_serving(metadata_handler))
        store_port = services.enter_context(_serving(store_handler, certificate))
        (folder / ".curlrc").write_text(
            f'connect-to = "{metadata_host}:80:{LOOPBACK}:{metadata_port}"\n'
            f'connect-to = "{store_host}:443:{LOOPBACK}:{store_port}"\n'
            f'cacert = "{certificate}"\n',
            encoding="utf-8",
        )
        for program in RECORDED:
            _record(folder, program)
        yield


@contextmanager
def _serving(handler: type[Service], certificate: Path | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer((LOOPBACK, 0), handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _certificate(folder: Path, host: str) -> Path:
    """Key and self-signed certificate of a host, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


def _record(folder: Path, program: str) -> None:
    file = folder / "bin" / program
    file.parent.mkdir(exist_ok=True)
    call = f"'{shutil.which(program)}' \"$@\""
    if program == "curl":
        # Its own configuration file holds for the first request of a run: it is told again after each `next`.
        call = f"case $* in *'--config -'*) sed '/^next$/r {folder}/.curlrc' | {call} ;; *) exec {call} ;; esac"
    file.write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"{program} $*\" >>'{folder}/arguments'\n{call}\n",
        encoding="utf-8",
    )
    file.chmod(0o755)
