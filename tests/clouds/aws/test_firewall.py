"""Security group rules open what the flow table says, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network

import pytest

from components.clouds.aws.firewall import BALANCER_GROUP, MACHINES, Rule, rules
from components.plan.flows import BALANCERS, EGRESS, FLOWS
from components.plan.spec import ROLES, SERVER_ROLE, Role
from tests.clouds.aws.region import STACK
from tests.clouds.region import PLATFORM

OWN = PLATFORM.regions["aws"].cidr
PEERS = tuple(PLATFORM.regions[cloud].cidr for cloud in ("azure", "gcp"))
TABLE = rules(STACK)
Opening = tuple[str, str, int, int]
"""Sender, protocol, first port, last port."""


def _openings(group: str) -> set[Opening]:
    """What a group lets in; a group of machines as its roles, this region's range as all roles and everything else."""
    return {
        (sender, rule.protocol, rule.port.first, rule.port.last)
        for rule in TABLE
        if rule.direction == "in" and rule.group == group and rule.port
        for sender in _members(rule.peer)
    }


def _members(peer: str) -> Iterator[str]:
    if peer == MACHINES:
        yield from ROLES
    elif peer == OWN:
        yield from (*ROLES, OWN)
    else:
        yield peer


def _planned(role: Role) -> set[Opening]:
    found: set[Opening] = set()
    for flow in FLOWS:
        if role not in flow.targets:
            continue
        senders: set[str] = set(flow.roles)
        if "mesh" in flow.sources:
            senders |= {*ROLES, OWN, *PEERS}
        if "region" in flow.sources:
            senders |= {*ROLES, OWN}
        if "peers" in flow.sources:
            senders |= set(PEERS)
        if "probes" in flow.sources:
            senders.add(BALANCER_GROUP)
        found |= {
            (sender, protocol, flow.port.first, flow.port.last) for sender in senders for protocol in flow.protocols
        }
    return found


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_open_exactly_as_the_flow_table_says(role: Role) -> None:
    assert _openings(role) | _openings(MACHINES) == _planned(role)


def test_balancers_take_in_at_their_front_what_their_servers_would_and_reach_only_those() -> None:
    for product, balanced in BALANCERS.items():
        role = SERVER_ROLE[product]
        for listener in balanced.listeners:
            served = {s for s, _, first, _ in _planned(role) if first == listener.back.first} - {BALANCER_GROUP}
            front = {s for s, _, first, _ in _openings(BALANCER_GROUP) if first == listener.front.first}
            assert front == served
    out = {
        (rule.peer, rule.port and rule.port.first)
        for rule in TABLE
        if (rule.group, rule.direction) == ("balancers", "out")
    }
    assert out == {
        (SERVER_ROLE[product], listener.back.first)
        for product, balanced in BALANCERS.items()
        for listener in balanced.listeners
    }


def test_machines_may_leave_for_the_mesh_and_https_only() -> None:
    out = {
        (rule.peer, rule.protocol, rule.range) for rule in TABLE if (rule.group, rule.direction) == (MACHINES, "out")
    }
    assert out == {("0.0.0.0/0", "tcp", (443, 443)), *((cidr, "-1", (None, None)) for cidr in (OWN, *PEERS))}
    assert {egress.destination for egress in EGRESS} == {"anywhere", "mesh"}, (
        "a destination that this test does not know"
    )


def test_nothing_from_outside_the_mesh_comes_in() -> None:
    cidrs = [IPv4Network(rule.peer) for rule in TABLE if rule.direction == "in" and "/" in rule.peer]
    assert cidrs
    mesh = [IPv4Network(cidr) for cidr in (OWN, *PEERS)]
    assert all(any(cidr.subnet_of(own) for own in mesh) for cidr in cidrs)


def test_no_rule_stands_twice_or_within_another() -> None:
    def opening(rule: Rule) -> tuple[object, ...]:
        return rule.direction, rule.group, rule.peer, rule.protocol, rule.range

    assert len({rule.key for rule in TABLE}) == len(TABLE)
    assert len({opening(rule) for rule in TABLE}) == len(TABLE)
    wide = {(rule.group, rule.protocol, rule.range) for rule in TABLE if rule.peer == OWN and rule.direction == "in"}
    for rule in TABLE:
        if rule.direction == "in" and rule.peer in (*ROLES, MACHINES):
            assert (rule.group, rule.protocol, rule.range) not in wide, f"{rule.key} opens nothing new"


def test_descriptions_are_such_as_amazon_takes() -> None:
    assert all(
        re.fullmatch(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}", f"{rule.name}: {rule.why}") for rule in TABLE
    )


def test_echo_is_a_request_and_nothing_else_of_icmp() -> None:
    assert {rule.range for rule in TABLE if rule.protocol == "icmp"} == {(8, 0)}
