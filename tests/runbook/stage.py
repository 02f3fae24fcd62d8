"""A whole platform's answers, served on the loopback: every machine at its own address, every port open."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from components.plan.flows import NODE_EXPORTER
from components.plan.spec import Product
from runbook.health.machines import METRICS
from runbook.health.questions import QUESTIONS
from runbook.health.replies import Answered, Question
from tests.runbook.regions import World
from tests.runbook.strangers import credentials

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]
BASE = f"127.{217 + os.getpid() % 38}"
"""Away from the addresses of rendered clusters, and another one for each run."""


def world(folder: Path, at: object) -> World:
    """A healthy platform that can be served; its manifests carry the authority of `folder`."""
    made = World(base=BASE, at=at)  # pyright: ignore[reportArgumentType] - a time
    servers = [server for region in made.regions.values() for cluster in region.clusters for server in cluster.servers]
    authority = credentials(folder, ("server",), tuple(server.address for server in servers))
    for cloud, region in made.regions.items():
        clusters = tuple(cluster.model_copy(update={"health": None, "endpoint": None}) for cluster in region.clusters)
        made.change(cloud, ca_certificate=authority, clusters=clusters)
    return made


@contextmanager
def serving(made: World, folder: Path) -> Iterator[None]:
    """Serve until the block ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    ending = asyncio.Event()

    def work() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(_served(made, context, ready, ending))

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(60), "the stage did not open"
    try:
        yield
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join()


async def _served(made: World, context: ssl.SSLContext, ready: threading.Event, ending: asyncio.Event) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for region in made.regions.values():
            for cluster in region.clusters:
                for server in cluster.servers:
                    listens = {port.first for name, port in made.dials if name == server.name} | {NODE_EXPORTER.first}
                    for number in sorted(listens):
                        asked = _asked(cluster.product, number)
                        tls = context if any(question.tls for question in asked.values()) else None
                        talk = _talk(made, server.name, asked)
                        listening = await asyncio.start_server(talk, server.address, number, ssl=tls)
                        stack.push_async_callback(listening.wait_closed)
                        stack.callback(listening.close)
        ready.set()
        await ending.wait()


def _asked(product: Product, port: int) -> Mapping[str, Question]:
    return {one.path: one for one in (*QUESTIONS[product], METRICS) if one.port.first == port}


def _talk(made: World, server: str, asked: Mapping[str, Question]) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ")[1].decode()
                status, body = 404, ""
                reply = made.replies[server, asked[path].name] if path in asked else None
                if isinstance(reply, Answered):
                    status, body = reply.status, reply.text
                lines = f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}"
                writer.write(lines.encode())
                await writer.drain()
        writer.close()

    return talk
