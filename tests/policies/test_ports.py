"""Ports: every one of the flow table is guarded, and spans are read as the clouds mean them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.plan import flows
from policies.concepts.ports import (
    ADMIN_PORTS,
    DATABASE_PORTS,
    EVERY,
    GOSSIP_PORTS,
    PRODUCT_PORTS,
    PROXY_PORTS,
    Span,
    Spans,
    shared,
    words,
)
from policies.concepts.spans import numbered, together, worded
from policies.resource import Node
from policies.values import ABSENT, UNKNOWN

_TRANSPORT = st.sampled_from(("tcp", "udp"))


@st.composite
def _spans(draw: st.DrawFn) -> Span:
    first = draw(st.integers(0, 40))
    return Span(first, draw(st.integers(first, 40)), draw(_TRANSPORT))


_SOME = st.lists(_spans(), max_size=5)


def _each(spans: Any) -> set[tuple[str, int]]:  # noqa: ANN401
    return {(span.transport, port) for span in spans for port in range(span.first, span.last + 1)}


@given(_SOME, _SOME)
def test_shared_ports_are_those_in_both(some: list[Span], others: list[Span]) -> None:
    assert _each(shared(some, others)) == _each(some) & _each(others)


@given(_SOME)
def test_words_name_each_port_once(spans: list[Span]) -> None:
    named = [
        port
        for part in words(spans).split(", ")
        if part
        for first, _, last in (part.partition("-"),)
        for port in range(int(first), int(last or first) + 1)
    ]
    assert named == sorted({port for _, port in _each(spans)})


def test_every_port_of_the_flow_table_is_guarded() -> None:
    guarded = _each(PRODUCT_PORTS)
    for flow in flows.FLOWS:
        for protocol in flow.protocols:
            if protocol != "icmp":
                assert {(protocol, port) for port in range(flow.port.first, flow.port.last + 1)} <= guarded, flow.name
    for balanced in flows.BALANCERS.values():
        for listener in balanced.listeners:
            assert ("tcp", listener.front.first) in guarded


def test_what_the_catalogue_names_is_guarded() -> None:
    tcp = [8300, 8301, 8302, *range(8500, 8504), 8600, 8200, 8201, 4646, 4647, 4648, *range(9200, 9204), 9300, 5432]
    udp = [8301, 8302, 8600, 4648]
    assert {("tcp", port) for port in tcp} | {("udp", port) for port in udp} <= _each(PRODUCT_PORTS)
    gossip = {("tcp", port) for port in (8300, 8301, 8302, 8201, 4647, 4648, 9201)}
    assert _each(GOSSIP_PORTS) == gossip | {("udp", port) for port in (8301, 8302, 4648)}
    admin = (22, 3389, 5985, 5986, 6443, 10250, 2379, 2380)
    assert _each(ADMIN_PORTS) == {(transport, port) for port in admin for transport in ("tcp", "udp")}
    assert _each(DATABASE_PORTS) == {("tcp", 5432)}


def test_ports_that_others_use_are_not_guarded() -> None:
    for port in (80, 443, 8080):
        assert not shared((Span(port, port, "tcp"),), (*PRODUCT_PORTS, *ADMIN_PORTS))


def test_the_proxy_is_a_span_of_its_own() -> None:
    """It is left out by name where users may reach it."""
    assert [span for span in PRODUCT_PORTS if shared((span,), PROXY_PORTS)] == list(PROXY_PORTS)


_TCP, _BOTH = ("tcp",), ("tcp", "udp")


def _of(transports: tuple[Any, ...], *spans: tuple[int, int]) -> Spans:
    return tuple(Span(first, last, transport) for first, last in spans for transport in transports)


@pytest.mark.parametrize(
    ("protocol", "first", "last", "expected"),
    [
        ("tcp", 22, 23, _of(_TCP, (22, 23))), ("TCP", 22.0, "23", _of(_TCP, (22, 23))), ("6", 0, 0, _of(_TCP, (0, 0))),
        (6, 22, 22, _of(_TCP, (22, 22))), (6.0, 22, 22, _of(_TCP, (22, 22))), ("17", 53, 53, _of(("udp",), (53, 53))),
        ("udp", 53, 53, _of(("udp",), (53, 53))), ("-1", 0, 0, EVERY), (-1, 0, 0, EVERY), ("all", 1, 1, EVERY),
        ("47", 1, 1, EVERY), (ABSENT, 1, 1, EVERY), ("tcp", ABSENT, ABSENT, _of(_TCP, (0, 65535))),
        ("tcp", -1, -1, _of(_TCP, (0, 65535))), ("tcp", "any", 5.5, _of(_TCP, (0, 65535))), ("icmp", 8, 0, ()),
        ("tcp", 0, 0, _of(_TCP, (0, 0))), ("ICMPv6", -1, -1, ()), ("1", 8, 0, ()), ("58", -1, -1, ()), ("esp", 0, 0, ()),
        ("50", 0, 0, ()), ("ah", 0, 0, ()), ("51", 0, 0, ()), ("sctp", 0, 0, ()), ("132", 0, 0, ()), ("ipip", 0, 0, ()),
        ("94", 0, 0, ()), ("icmp", UNKNOWN, 0, ()), ("-1", UNKNOWN, UNKNOWN, EVERY),
    ],
)  # fmt: skip
def test_ports_by_number(protocol: Any, first: Any, last: Any, expected: Spans) -> None:  # noqa: ANN401
    node = Node("", {"fromPort": first, "toPort": last})
    assert numbered(node, Node("protocol", protocol)) == (expected, "")


@pytest.mark.parametrize(
    ("protocol", "first", "last", "path"),
    [
        (UNKNOWN, 1, 1, "protocol"), ("tcp", UNKNOWN, 1, "fromPort"), ("tcp", 1, UNKNOWN, "toPort"),
    ],
)  # fmt: skip
def test_unknown_ports_by_number(protocol: Any, first: Any, last: Any, path: str) -> None:  # noqa: ANN401
    node = Node("", {"fromPort": first, "toPort": last})
    assert numbered(node, Node("protocol", protocol)) == ((), path)


@pytest.mark.parametrize(
    ("protocol", "texts", "expected"),
    [
        ("Tcp", ["22"], _of(_TCP, (22, 22))), ("tcp", ["22-23", "80"], _of(_TCP, (22, 23), (80, 80))),
        ("tcp", [], _of(_TCP, (0, 65535))), ("*", ["22"], _of(_BOTH, (22, 22))), ("tcp", ["*"], _of(_TCP, (0, 65535))),
        ("tcp", [" 22 - 23 ,80"], _of(_TCP, (22, 23), (80, 80))), ("tcp", ["ssh"], _of(_TCP, (0, 65535))),
        ("tcp", [22.0, 23], _of(_TCP, (22, 22), (23, 23))), ("icmp", [], ()), ("icmp", [UNKNOWN], ()),
        ("tcp", ["022-"], _of(_TCP, (0, 65535))),
    ],
)  # fmt: skip
def test_ports_by_text(protocol: Any, texts: list[Any], expected: Spans) -> None:  # noqa: ANN401
    nodes = [Node(f"ports[{index}]", text) for index, text in enumerate(texts)]
    assert worded(Node("protocol", protocol), nodes) == (expected, "")


def test_unknown_ports_by_text() -> None:
    ports = [Node("ports[0]", "22"), Node("ports[1]", UNKNOWN), Node("ports[2]", UNKNOWN)]
    assert worded(Node("protocol", "tcp"), ports) == (_of(_TCP, (22, 22)), "ports[1]")
    assert worded(Node("protocol", UNKNOWN), ports) == ((), "protocol")


def test_a_missing_protocol_is_the_usual_one() -> None:
    assert worded(Node("protocol", ABSENT), [Node("p", 22)], "TCP") == (_of(_TCP, (22, 22)), "")
    assert worded(Node("protocol", ABSENT), [Node("p", 22)]) == (_of(_BOTH, (22, 22)), "")
    assert worded(Node("protocol", "UDP"), [Node("p", 22)], "TCP") == (_of(("udp",), (22, 22)), "")


def test_parts_together() -> None:
    one, other = _of(_TCP, (22, 22)), _of(_TCP, (80, 80))
    assert together([(one, ""), (other, "b"), ((), "c")]) == ((*one, *other), "b")
    assert together([]) == (EVERY, "")
    assert together([((), "")]) == ((), "")
