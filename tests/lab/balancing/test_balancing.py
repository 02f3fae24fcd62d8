"""Balancers hand connections on to servers that can serve, and to nobody else."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.lab.balancing.health import Health
from sandbox.lab.balancing.proxy import Proxy
from sandbox.lab.world import Balancer, Check, Listener
from tests.rendered import certificates

FRONT = "127.77.1.1"
SERVERS = ("127.77.0.1", "127.77.0.2", "127.77.0.3")
PATIENCE = 30.0


@dataclass
class Server:
    """A product's server: TLS, a health path, and its name for everything else."""

    address: str
    status: int = 200
    body: str = '"10.1.1.10:8300"'
    asked: list[str] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readline()).split()[1].decode()
        self.asked.append(path)
        status, body = (self.status, self.body) if path == "/health" else (200, self.address)
        while (await reader.readline()).strip():
            pass
        writer.write(f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        writer.close()


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    folder = tmp_path_factory.mktemp("certificate")
    certificates.write(folder, ("server.example",), SERVERS)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return made


@dataclass
class Stage:
    """Three servers behind a balancer."""

    servers: dict[str, Server]
    told: list[tuple[str, bool]]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():  # noqa: ASYNC110 - what holds is looked at; nobody announces it
                await asyncio.sleep(0.05)

    def serving(self) -> set[str]:
        return {address for address, serving in dict(self.told).items() if serving}


@asynccontextmanager
async def _stage(
    context: ssl.SSLContext, port: int, body: str = "", *, last_resort: bool = False
) -> AsyncIterator[Stage]:
    check = Check(port, "/health", 1, 2, 1, 2, body)
    listener = Listener(port, SERVERS, port, check)
    stage = Stage({address: Server(address) for address in SERVERS}, [])
    servers = [
        await asyncio.start_server(server.answer, address, port, ssl=context)
        for address, server in stage.servers.items()
    ]
    balancer = Balancer("id", "products", "aws", (FRONT,), (listener,), last_resort)
    proxy = asyncio.create_task(
        Proxy(balancer, lambda _, server, __, known: stage.told.append((server, known.serving))).run()
    )
    try:
        yield stage
    finally:
        proxy.cancel()
        await asyncio.gather(proxy, return_exceptions=True)
        for server in servers:
            server.close()


async def _get(port: int) -> str:
    """The name of the server that answers; empty where the balancer closes the connection."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    try:
        reader, writer = await asyncio.open_connection(FRONT, port, ssl=trusting)
    except (OSError, EOFError):
        return ""
    try:
        writer.write(b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n")
        return (await reader.read()).partition(b"\r\n\r\n")[2].decode()
    finally:
        writer.close()


def _free() -> int:
    with socket.socket() as found:
        found.bind((FRONT, 0))
        return found.getsockname()[1]


def _run(test: Callable[[int], Coroutine[None, None, None]]) -> None:
    asyncio.run(test(_free()))


def test_connections_go_to_all_that_can_serve_in_turn_and_follow_when_one_cannot(context: ssl.SSLContext) -> None:
    async def test(port: int) -> None:
        async with _stage(context, port) as stage:
            await stage.until(lambda: stage.serving() == set(SERVERS))
            assert [await _get(port) for _ in range(6)].count(SERVERS[0]) == 2
            stage.servers[SERVERS[0]].status = 503
            await stage.until(lambda: stage.serving() == set(SERVERS[1:]))
            assert {await _get(port) for _ in range(6)} == set(SERVERS[1:])
            stage.servers[SERVERS[0]].status = 200
            await stage.until(lambda: stage.serving() == set(SERVERS))
            assert SERVERS[0] in {await _get(port) for _ in range(3)}

    _run(test)


def test_nobody_is_reached_while_no_server_can_serve(context: ssl.SSLContext) -> None:
    async def test(port: int) -> None:
        async with _stage(context, port) as stage:
            await stage.until(lambda: stage.serving() == set(SERVERS))
            for server in stage.servers.values():
                server.status = 429
            await stage.until(lambda: not stage.serving())
            assert await _get(port) == ""
            assert all("/who" not in server.asked for server in stage.servers.values())

    _run(test)


def test_a_last_resort_tries_all_where_none_is_healthy(context: ssl.SSLContext) -> None:
    async def test(port: int) -> None:
        async with _stage(context, port, "no such body", last_resort=True) as stage:
            await stage.until(lambda: all(server.asked for server in stage.servers.values()))
            assert not stage.serving()
            assert {await _get(port) for _ in range(3)} == set(SERVERS)

    _run(test)


def test_a_body_that_does_not_begin_as_wanted_is_a_bad_answer(context: ssl.SSLContext) -> None:
    async def test(port: int) -> None:
        async with _stage(context, port, '"10.1.') as stage:
            await stage.until(lambda: stage.serving() == set(SERVERS))
            stage.servers[SERVERS[2]].body = '""'
            await stage.until(lambda: stage.serving() == set(SERVERS[:2]))

    _run(test)


@given(st.lists(st.booleans(), max_size=20), st.integers(1, 4), st.integers(1, 4))
def test_a_server_changes_sides_after_enough_answers_in_a_row(
    answers: list[bool], healthy: int, unhealthy: int
) -> None:
    check = Check(1, "/", 1, 1, healthy, unhealthy)
    known = Health()
    for number, good in enumerate(answers, start=1):
        before, known = known, known.after("" if good else "bad", check)
        enough = healthy if good else unhealthy
        row = answers[max(0, number - enough) : number]
        turned = good is not before.serving and len(row) == enough and set(row) == {good}
        assert known.serving is (good if turned else before.serving)
