"""How the simulated cloud reaches a product that really runs: an HTTP session to one address, with its trust.

Owns sessions and the sockets under them. Which product answers there, and what is asked of it, is the business of
`products.py` and the models.

Products are reached while the state folder holds a file `inside`, which a lab writes: the name of a network namespace
as `ip netns` knows it and, after a space, the address of the name server in there, if names are to be asked of that
one. Every connection to a product is then opened there, also one to a loopback address; with an empty file, from this
machine's own network. Without the file the addresses that programs name are those of clouds that are not here.

Dangerous edges:
- Nothing is taken from the environment of this process (proxies, netrc, CONSUL_HTTP_TOKEN, VAULT_TOKEN, …): it belongs
  to whoever started the simulated cloud first, and not to the program that runs now.
- A namespace belongs to a thread. The thread that enters one ends right after; the socket that it opened stays inside.
"""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import dns.exception
import dns.resolver
import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import Retry

from sandbox.mesh.namespaces import Namespaces

_CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 30
_PASSING: Final = (412, 429, 500, 502, 503, 504)  # as Vault's own client judges


@dataclass(frozen=True)
class Access:
    """Where a product is and how it is trusted.

    Attributes:
        url: scheme, host and port.
        token: what proves who asks; empty for nobody.
        authority: file of the CA that signed its certificate, or that CA's PEM; empty for the public ones.
        verified: whether its certificate is looked at.
        certificate: files of a certificate and its key, to be shown to it.
        server_name: the name that its certificate must bear, where that is not the host's.
        retries: how often a request that fails on the server's side is sent again.
    """

    url: str
    token: str = field(repr=False)
    authority: str = ""
    verified: bool = True
    certificate: tuple[str, str] | None = None
    server_name: str = ""
    retries: int = 0


@dataclass(frozen=True)
class Reach:
    """The way to products: none, or straight from this machine, or through the namespace, as a file says."""

    inside: Path | None = None

    @property
    def leads(self) -> bool:
        """Whether there are products to be reached: without the file, a program's addresses are a cloud's that is not here."""
        return self.inside is not None and self.inside.exists()

    @contextmanager
    def session(self, access: Access) -> Iterator[requests.Session]:
        """A session for one operation.

        Raises:
            OSError: `inside` cannot be read.
        """
        with requests.Session() as session, tempfile.NamedTemporaryFile("w", suffix=".pem") as trusted:
            session.trust_env = False
            session.cert = access.certificate
            session.verify = access.verified
            if access.verified and access.authority:
                session.verify = access.authority
                if "-----BEGIN" in access.authority:
                    trusted.write(access.authority)
                    trusted.flush()
                    session.verify = trusted.name
            adapter = _Adapter(self._way(), access.server_name, access.retries)
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            yield session

    def _way(self) -> Callable[[str, int], socket.socket]:
        try:
            words = self.inside.read_text(encoding="utf-8").split() if self.inside else []
        except FileNotFoundError:
            words = []
        if not words:
            return _connected
        stem, _, name = words[0].partition("-")  # `Namespaces` puts the two together again
        servers = words[1:]
        return lambda host, port: Namespaces(stem, lasting=True).inside(
            name, lambda: _connected(_resolved(host, servers), port)
        )


class _Adapter(HTTPAdapter):
    """Connections that are opened by a function of host and port."""

    def __init__(self, connect: Callable[[str, int], socket.socket], server_name: str, retries: int) -> None:
        self._connect = connect
        self._server_name = server_name
        again = Retry(
            retries, connect=0, read=0, redirect=0, other=0, status=retries, status_forcelist=_PASSING,
            allowed_methods=None, backoff_factor=0.5, raise_on_status=False, respect_retry_after_header=False,
        )  # fmt: skip
        super().__init__(max_retries=again)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  # as the base class has them
        if self._server_name:
            options |= {"server_hostname": self._server_name, "assert_hostname": self._server_name}
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _pool(HTTPConnectionPool, HTTPConnection, self._connect),
            "https": _pool(HTTPSConnectionPool, HTTPSConnection, self._connect),
        }


def _pool(
    pool: type[HTTPConnectionPool], connection: type[HTTPConnection], connect: Callable[[str, int], socket.socket]
) -> type[HTTPConnectionPool]:
    """A pool whose connections open their sockets by `connect`; urllib3 has no other place to say so."""

    def opened(self: HTTPConnection) -> socket.socket:
        return connect(self.host, self.port)

    entered = type("Entered", (connection,), {"_new_conn": opened})
    return type("Pool", (pool,), {"ConnectionCls": entered})


def _connected(host: str, port: int) -> socket.socket:
    found = socket.create_connection((host, port), _CONNECT_SECONDS)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


def _resolved(host: str, servers: list[str]) -> str:
    """The address of a host by these name servers; by the system's rules if there are none or it is an address."""
    if not servers or host.replace(".", "").isdigit() or ":" in host:
        return host
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = list(servers)
    try:
        return str(next(iter(resolver.resolve(host, "A", lifetime=_CONNECT_SECONDS))))
    except dns.exception.DNSException as error:
        raise OSError(f"{servers[0]}, the name server inside, has no address of {host}: {error}") from None
