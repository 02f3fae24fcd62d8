"""The one door to the stores: TLS at the real names, a request read whole, judged by its cloud, handed to an emulator.

A body is kept in a file until it has all come and its digests are known, so that a connection that breaks leaves
nothing, as with the real stores.

Faults, for tests, stand in a file that is read anew for each request: a list of `{"host", "method", "delay", "status",
"echo", "lose"}`: `echo` repeats the request in the answer, as some services do with what they refuse; `lose` hands the
request on and closes the connection without an answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import shutil
import ssl
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any, Protocol

from .exchange import Answer, Forward, RefusedError, Request
from .iam import NotModelledError

_PIECE = 1 << 20
_ECHO = 10_000
_LINE = 1 << 16
_HOP = ("connection", "transfer-encoding", "content-length", "keep-alive", "date", "server")


class Cloud(Protocol):
    """A cloud's judgement."""

    def serves(self, host: str) -> bool: ...
    def handle(self, request: Request) -> Answer | Forward: ...


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the base class has it
        """A client that goes away is no event."""


def exists(port: int, target: str) -> bool:
    """Whether an emulator has the object."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        line.request(
            "GET" if target.startswith("/storage/") else "HEAD", target, headers={"x-ms-version": "2021-10-04"}
        )
        return line.getresponse().status == 200
    finally:
        line.close()


@dataclass
class Door:
    """Where requests come in, and who judges them."""

    judge: Callable[[Request], Answer | Forward]
    faults: Path


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    door: Door

    def handle_one_request(self) -> None:
        """Any method; one request a connection, as uploaders send them."""
        self.close_connection = True
        self.raw_requestline = self.rfile.readline(_LINE)
        if self.raw_requestline and self.parse_request():
            self.close_connection = True
            self._answer()

    def _answer(self) -> None:
        with tempfile.TemporaryFile() as body:
            if (digests := self._read(body)) is None:
                return
            body.seek(0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            host = headers.get("host", "")
            request = Request(self.command, host, self.path, headers, self.client_address[0], body, digests)
            fault = _fault(self.door.faults, request)
            time.sleep(fault.get("delay", 0))
            if "status" in fault:
                said = f"{self.headers}{body.read(_ECHO).decode(errors='replace')}" if fault.get("echo") else ""
                self._send(Answer(fault["status"], f"<Error><Code>InjectedFault</Code>{said}</Error>"))
                return
            outcome = self._judged(request)
            if isinstance(outcome, Answer):
                self._send(outcome)
            else:
                self._hand_on(outcome, body, lose=fault.get("lose", False))

    def _read(self, body: IO[bytes]) -> dict[str, bytes] | None:
        """Take the body in; its digests, or None where the client went away before its end."""
        digests = {"sha256": hashlib.sha256(), "md5": hashlib.md5(usedforsecurity=False)}
        length = int(self.headers.get("content-length") or 0)
        while length:
            if not (piece := self.rfile.read(min(length, _PIECE))):
                return None
            length -= len(piece)
            body.write(piece)
            for digest in digests.values():
                digest.update(piece)
        return {name: digest.digest() for name, digest in digests.items()}

    def _judged(self, request: Request) -> Answer | Forward:
        try:
            return self.door.judge(request)
        except RefusedError as refused:
            return refused.answer
        except NotModelledError as gap:
            return Answer(501, f"<Error><Code>NotModelled</Code><Message>{gap}</Message></Error>")

    def _send(self, answer: Answer) -> None:
        body = answer.body.encode()
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(body)), "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _hand_on(self, forward: Forward, body: IO[bytes], *, lose: bool) -> None:
        size = body.seek(0, 2)
        body.seek(0)
        headers = dict(forward.headers)
        if size or self.command in ("PUT", "POST"):
            headers["Content-Length"] = str(size)
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", forward.port, timeout=120)) as line:
            line.request(self.command, forward.target, body if size else None, headers)
            answer = line.getresponse()
            if lose:
                answer.read()
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            if (length := answer.headers.get("content-length")) is not None:
                self.send_header("Content-Length", length)
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                shutil.copyfileobj(answer, self.wfile, _PIECE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


def serve(address: str, port: int, door: Door, tls: ssl.SSLContext | None) -> ThreadingHTTPServer:
    """A server at an address. The caller runs it."""
    server = _Server((address, port), type("Handler", (_Handler,), {"door": door}))
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


def _fault(file: Path, request: Request) -> dict[str, Any]:
    try:
        rules: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    for rule in rules:
        if request.host.endswith(rule.get("host", "")) and request.method == rule.get("method", request.method):
            return rule
    return {}
