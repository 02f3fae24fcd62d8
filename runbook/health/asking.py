"""Asking: everything at once, and nothing after the deadline.

Owns the order of questions and their deadlines. Whom a connection trusts and what its failure is called is
`runbook.connections`'s. Judges nothing.

A server is asked over two connections. What it knows itself goes over one; what it hands on to its leader goes over the
other, where a cluster without a leader keeps it waiting.

Dangerous edges:
- A token is sent only after the server has shown a certificate of the manifest's own authority. Redirects are not followed
  and no proxy is used: either would carry it elsewhere.
- The system's resolver cannot be interrupted, so it runs in a thread that nobody waits for.
- A server that never stops talking is cut off: an answer has at most `LIMIT` bytes.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import groupby

import httpx

from components.plan.flows import Port
from components.plan.spec import Cloud, Product
from runbook.connections import has, silence
from runbook.health.replies import Answered, Certificate, Dial, Question, Reply, Unanswered

LIMIT = 16 * 1024 * 1024
AGENT = "runbook-health"
_TIDY_SECONDS = 0.25
"""By so much the client's own time-outs come before the deadline, and so long closing all connections may take after it:
the client closes what it gave up itself, and leaves open what was taken from it."""

Resolver = Callable[[str], Awaitable[str]]


@dataclass(frozen=True)
class Target:
    """One server and what it is asked.

    Attributes:
        name: server or, for its balancer, cluster.
        cloud: whose authority must have signed its certificate.
        host: address, or a name that is resolved and that the certificate must carry.
    """

    name: str
    cloud: Cloud
    host: str
    questions: tuple[Question, ...]
    tokens: Mapping[Product, tuple[str, str]] = field(default_factory=dict[Product, tuple[str, str]], repr=False)
    """By product: the header and the token."""
    ports: tuple[Port, ...] = ()
    """Ports that are only connected to."""


@dataclass
class Asked:
    """What came back."""

    replies: dict[tuple[str, str], Reply] = field(default_factory=dict[tuple[str, str], Reply])
    dials: dict[tuple[str, Port], Dial] = field(default_factory=dict[tuple[str, Port], Dial])


async def resolved(host: str) -> str:
    """A name's first address, by the system's resolver."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[str] = loop.create_future()

    def settle(result: str | OSError) -> None:
        if future.done():
            return
        if isinstance(result, OSError):
            future.set_exception(result)
        else:
            future.set_result(result)

    def look_up() -> None:
        result: str | OSError
        try:
            result = str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
        except OSError as error:
            result = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result)

    threading.Thread(target=look_up, daemon=True).start()
    return await future


async def ask(
    targets: Sequence[Target],
    trusted: Mapping[Cloud, ssl.SSLContext],
    seconds: float,
    resolver: Resolver = resolved,
) -> Asked:
    """Ask every target everything; whoever has not answered after so many seconds has timed out."""
    loop = asyncio.get_running_loop()
    asked, deadline = Asked(), loop.time() + seconds
    # Closing connections takes its time too, and hanging servers take it all.
    stack = AsyncExitStack()
    try:
        clients = {
            cloud: await stack.enter_async_context(
                httpx.AsyncClient(
                    verify=context,
                    trust_env=False,
                    timeout=seconds,
                    limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
                    headers={"User-Agent": AGENT},
                )
            )
            for cloud, context in trusted.items()
        }
        async with asyncio.TaskGroup() as group:
            for target in targets:
                for lane in _lanes(target.questions):
                    group.create_task(_walk(clients[target.cloud], target, lane, (deadline, resolver, asked)))
                for port in target.ports:
                    group.create_task(_dial(target, port, deadline, asked))
    finally:
        closing = asyncio.ensure_future(stack.aclose())
        await asyncio.wait({closing}, timeout=_TIDY_SECONDS)
        closing.cancel()
    return asked


def _lanes(questions: Sequence[Question]) -> Iterator[list[Question]]:
    """Questions that share a connection, in order."""

    def key(question: Question) -> tuple[int, bool]:
        return question.port.first, question.led

    return (list(lane) for _, lane in groupby(sorted(questions, key=key), key))


async def _walk(
    client: httpx.AsyncClient, target: Target, lane: Sequence[Question], until: tuple[float, Resolver, Asked]
) -> None:
    deadline, resolver, asked = until
    for question in lane:
        asked.replies[target.name, question.name] = await _reply(client, target, question, deadline, resolver)


async def _reply(
    client: httpx.AsyncClient, target: Target, question: Question, deadline: float, resolver: Resolver
) -> Reply:
    try:
        async with asyncio.timeout_at(deadline):
            return await _answer(client, target, question, (deadline, resolver))
    except (TimeoutError, httpx.TimeoutException):
        return Unanswered("timed out")
    except socket.gaierror:
        return Unanswered("unresolved")
    except (OSError, httpx.HTTPError, httpx.InvalidURL) as error:
        return silence(error)


async def _answer(
    client: httpx.AsyncClient, target: Target, question: Question, until: tuple[float, Resolver]
) -> Answered:
    deadline, resolver = until
    host, name = target.host, target.host
    if not _is_address(host):
        host = await resolver(host)
    scheme = "https" if question.tls else "http"
    bracketed = f"[{host}]" if ":" in host else host
    headers = {"Host": f"{name}:{question.port}"}
    if question.tls and question.credential and question.credential in target.tokens:
        header, token = target.tokens[question.credential]
        headers[header] = token
    left = deadline - asyncio.get_running_loop().time()
    async with client.stream(
        "GET",
        f"{scheme}://{bracketed}:{question.port}{question.path}",
        headers=headers,
        extensions={"sni_hostname": name} if question.tls else {},
        timeout=max(left - _TIDY_SECONDS, left / 2),
    ) as response:
        certificate = _certificate(response) if question.tls else None
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > LIMIT:
                return Answered(response.status_code, "", certificate)
        return Answered(response.status_code, body.decode(errors="replace"), certificate)


def _certificate(response: httpx.Response) -> Certificate | None:
    stream = response.extensions.get("network_stream")
    peer = stream.get_extra_info("ssl_object") if stream else None
    shown = peer.getpeercert() if peer else None
    if not shown:
        return None
    since, until = (
        dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(shown[key]), dt.UTC) for key in ("notBefore", "notAfter")
    )
    return Certificate(since, until)


async def _dial(target: Target, port: Port, deadline: float, asked: Asked) -> None:
    dial: Dial = "timed out"
    try:
        async with asyncio.timeout_at(deadline):
            _, writer = await asyncio.open_connection(target.host, port.first)
        dial = "open"
        # Whoever listens may be slow to say goodbye.
        writer.transport.abort()
    except TimeoutError:
        pass
    except OSError as error:
        dial = "refused" if has(error, ConnectionRefusedError) else "timed out"
    asked.dials[target.name, port] = dial


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False
