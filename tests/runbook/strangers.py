"""Servers on the loopback that behave as no product should."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.rendered import certificates

ADDRESS = "127.0.0.1"


@dataclass
class Stranger:
    """A server, and the headers of each request that it understood."""

    port: int = 0
    requests: list[dict[str, str]] = field(default_factory=list[dict[str, str]])


def credentials(folder: Path, names: tuple[str, ...] = ("server",), addresses: tuple[str, ...] = (ADDRESS,)) -> str:
    """Write an authority and a certificate; gives the authority."""
    folder.mkdir(exist_ok=True)
    certificates.write(folder, names, addresses)
    return (folder / "ca.pem").read_text()


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@contextmanager
def answering(
    answer: Callable[[http.server.BaseHTTPRequestHandler], None],
    folder: Path | None = None,
    address: tuple[str, int] = (ADDRESS, 0),
) -> Iterator[Stranger]:
    """A server that answers requests so, over TLS where it has certificates."""
    stranger = Stranger()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            stranger.requests.append(dict(self.headers.items()))
            with suppress(OSError):
                answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Quiet(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def server_bind(self) -> None:
            # The library's own looks the host's name up.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind(self.server_address)
            self.server_name, self.server_port = self.socket.getsockname()[:2]

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    with Quiet(address, Handler) as server:
        if folder:
            server.socket = _context(folder).wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        stranger.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield stranger
        finally:
            server.shutdown()
            thread.join()


def text(body: str, status: int = 200, **headers: str) -> Callable[[http.server.BaseHTTPRequestHandler], None]:
    """An ordinary answer."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body.encode())

    return answer


@contextmanager
def silent(address: tuple[str, int] = (ADDRESS, 0)) -> Iterator[int]:
    """A socket that accepts and says nothing; gives its port."""
    with socket.create_server(address, backlog=128) as listening:
        yield listening.getsockname()[1]
