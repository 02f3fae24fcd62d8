"""Whoever answers strangely gets no token, holds nothing up, and is called what it is."""

from __future__ import annotations

import asyncio
import http.server
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.plan.flows import Port
from runbook.connections import trust
from runbook.health import asking
from runbook.health.asking import Asked, Target
from runbook.health.replies import Answered, Question, Unanswered
from tests.runbook.strangers import ADDRESS, answering, credentials, silent, text

TOKEN = "s.token-of-this-test"
LONG = 20.0
"""A deadline that only a hanging program reaches."""


def ask(
    authority: str,
    *questions: Question,
    host: str = ADDRESS,
    ports: tuple[int, ...] = (),
    seconds: float = LONG,
    resolver: asking.Resolver = asking.resolved,
) -> Asked:
    target = Target("it", "aws", host, questions, {"vault": ("X-Vault-Token", TOKEN)}, tuple(map(Port.of, ports)))
    return asyncio.run(asking.ask([target], {"aws": trust("aws", authority)}, seconds, resolver))


def question(port: int, *, tls: bool = True, led: bool = False, name: str = "q") -> Question:
    return Question(name, Port.of(port), "/v1/x", led=led, credential="vault", tls=tls)


@pytest.fixture
def authority(tmp_path: Path) -> str:
    return credentials(tmp_path / "own")


def test_a_trusted_server_is_asked_with_the_token_and_its_certificate_is_read(tmp_path: Path, authority: str) -> None:
    with answering(text("[1]"), tmp_path / "own") as server:
        asked = ask(authority, question(server.port), ports=(server.port,))
    reply = asked.replies["it", "q"]
    assert isinstance(reply, Answered)
    assert (reply.status, reply.read(list[int])) == (200, [1])
    assert [headers["X-Vault-Token"] for headers in server.requests] == [TOKEN]
    assert reply.certificate
    life = reply.certificate.until - reply.certificate.since
    assert life.total_seconds() == 65 * 60
    assert asked.dials["it", Port.of(server.port)] == "open"


def test_an_impostor_never_sees_a_token(tmp_path: Path, authority: str) -> None:
    credentials(tmp_path / "other")
    with answering(text("{}"), tmp_path / "other") as server:
        reply = ask(authority, question(server.port)).replies["it", "q"]
    assert isinstance(reply, Unanswered)
    assert (reply.silence, server.requests) == ("untrusted", [])
    assert reply.why


def test_a_server_of_the_platform_at_another_address_is_an_impostor(tmp_path: Path) -> None:
    authority = credentials(tmp_path / "own", addresses=("10.1.1.10",))
    with answering(text("{}"), tmp_path / "own") as server:
        reply = ask(authority, question(server.port)).replies["it", "q"]
    assert isinstance(reply, Unanswered)
    assert (reply.silence, server.requests) == ("untrusted", [])


def test_a_name_is_resolved_and_must_stand_in_the_certificate(tmp_path: Path) -> None:
    authority = credentials(tmp_path / "own", names=("vault.example.com",), addresses=("10.1.1.10",))

    async def here(_: str) -> str:
        return ADDRESS

    with answering(text("{}"), tmp_path / "own") as server:
        good = ask(authority, question(server.port), host="vault.example.com", resolver=here).replies["it", "q"]
        bad = ask(authority, question(server.port), host="nomad.example.com", resolver=here).replies["it", "q"]
    assert isinstance(good, Answered)
    assert server.requests[0]["Host"] == f"vault.example.com:{server.port}"
    assert isinstance(bad, Unanswered)
    assert bad.silence == "untrusted"


def test_a_redirect_is_an_answer_and_the_token_does_not_follow_it(tmp_path: Path, authority: str) -> None:
    with answering(text("{}")) as far:
        away = text("", 307, Location=f"http://{ADDRESS}:{far.port}/v1/x")
        with answering(away, tmp_path / "own") as server:
            reply = ask(authority, question(server.port)).replies["it", "q"]
    assert isinstance(reply, Answered)
    assert (reply.status, far.requests) == (307, [])


def test_a_proxy_of_the_shell_sees_nothing(tmp_path: Path, authority: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(text("{}")) as proxy, answering(text("{}"), tmp_path / "own") as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://{ADDRESS}:{proxy.port}")
        reply = ask(authority, question(server.port)).replies["it", "q"]
    assert isinstance(reply, Answered)
    assert (len(server.requests), proxy.requests) == (1, [])


def test_no_token_goes_over_plain_http(authority: str) -> None:
    with answering(text("{}")) as server:
        reply = ask(authority, question(server.port, tls=False)).replies["it", "q"]
    assert isinstance(reply, Answered)
    assert "X-Vault-Token" not in server.requests[0]


def test_a_hanging_server_is_given_up_at_the_deadline_and_the_others_are_heard(tmp_path: Path, authority: str) -> None:
    began = time.monotonic()
    with silent() as hanging, answering(text("{}"), tmp_path / "own") as server:
        asked = ask(
            authority,
            question(hanging, name="hangs"),
            question(server.port, name="answers"),
            ports=(hanging,),
            seconds=5,
        )
    assert time.monotonic() - began < LONG / 2
    assert asked.replies["it", "hangs"] == Unanswered("timed out")
    assert isinstance(asked.replies["it", "answers"], Answered)
    assert asked.dials["it", Port.of(hanging)] == "open"


def test_questions_for_the_leader_do_not_hold_up_what_a_server_knows_itself(tmp_path: Path, authority: str) -> None:
    arrived = threading.Event()

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        if handler.path.endswith("own"):
            arrived.set()
        text("{}", 200 if arrived.wait(LONG / 2) else 500)(handler)

    with answering(answer, tmp_path / "own") as server:
        own = Question("own", Port.of(server.port), "/own")
        led = Question("led", Port.of(server.port), "/led", led=True)
        asked = ask(authority, led, own)
    for reply in asked.replies.values():
        assert isinstance(reply, Answered)
        assert reply.status == 200


def test_an_answer_without_end_is_cut_off(tmp_path: Path, authority: str) -> None:
    def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        block = b"x" * 1024 * 1024
        for _ in itertools.repeat(None):
            handler.wfile.write(block)

    with answering(endless, tmp_path / "own") as server:
        reply = ask(authority, question(server.port)).replies["it", "q"]
    assert isinstance(reply, Answered)
    assert reply.text == ""


def test_a_resolver_that_never_answers_holds_nothing_up(authority: str, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def stuck(*_: object, **__: object) -> Iterator[object]:
        release.wait(LONG)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    began = time.monotonic()
    try:
        reply = ask(authority, question(1), host="vault.example.com", seconds=1).replies["it", "q"]
    finally:
        took = time.monotonic() - began
        release.set()
    assert reply == Unanswered("timed out")
    assert took < LONG / 2


def test_what_failed_is_called_by_its_name(authority: str) -> None:
    async def nowhere(_: str) -> str:
        raise socket.gaierror

    with socket.create_server((ADDRESS, 0)) as taken:
        free = taken.getsockname()[1]
    with answering(text("{}")) as plain:
        asked = ask(authority, question(free, name="free"), question(plain.port, name="plain"), ports=(free,))
    unresolved = ask(authority, question(1), host="vault.example.com", resolver=nowhere).replies["it", "q"]
    assert asked.replies["it", "free"] == Unanswered("refused")
    assert asked.dials["it", Port.of(free)] == "refused"
    garbled = asked.replies["it", "plain"]
    assert isinstance(garbled, Unanswered)
    assert garbled.silence == "garbled"
    assert unresolved == Unanswered("unresolved")


def test_nothing_that_is_printed_of_a_target_or_an_answer_holds_a_secret() -> None:
    target = Target("it", "aws", ADDRESS, (), {"vault": ("X-Vault-Token", TOKEN)})
    assert TOKEN not in repr((target, Answered(200, f'{{"SecretID": "{TOKEN}"}}')))
