"""What a rule means as text: order kept, overlaps joined, nothing left out, the same world the same bytes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.plan.spec import CLOUDS, Cloud
from sandbox.lab.machines.firewall import digest_of, ruleset
from sandbox.lab.machines.lab import DESK, METADATA, number, port
from sandbox.lab.world import Balancer, Check, Listener, Machine, Network, Rule, World
from tests.lab.machines.rig import machine

A, B, C = machine("a", b"", host=10), machine("b", b"", host=11), machine("c", b"", cloud="gcp", host=10)


def chain(text: str, name: str) -> list[str]:
    found = re.search(rf"chain {re.escape(name)} \{{\n(.*?)\n  \}}", text, re.DOTALL)
    assert found, name
    return [line.strip() for line in found[1].splitlines()]


def inward(*rules: Rule) -> list[str]:
    return chain(ruleset(World((A,), rules), ()), f"in-{port('a')}")


def rule(**changes: object) -> Rule:
    return replace(Rule("a", "in", allows=True, protocol="tcp", peers=("10.1.0.0/16",), ports=(8300, 8302)), **changes)


def test_a_machine_without_rules_sends_and_receives_nothing() -> None:
    text = ruleset(World((A,), ()), ())
    assert chain(text, f"in-{port('a')}") == ["drop"]
    assert chain(text, f"out-{port('a')}") == ["drop"]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "ip saddr { 10.1.0.0/16 } tcp dport 8300-8302 accept"),
        ({"allows": False}, "ip saddr { 10.1.0.0/16 } tcp dport 8300-8302 drop"),
        ({"ports": (8200, 8200), "protocol": "udp"}, "ip saddr { 10.1.0.0/16 } udp dport 8200 accept"),
        ({"ports": None}, "ip saddr { 10.1.0.0/16 } ip protocol tcp accept"),
        ({"ports": None, "protocol": "any"}, "ip saddr { 10.1.0.0/16 } accept"),
        ({"protocol": "any"}, "ip saddr { 10.1.0.0/16 } ip protocol { tcp, udp } th dport 8300-8302 accept"),
        ({"protocol": "icmp", "ports": None}, "ip saddr { 10.1.0.0/16 } ip protocol icmp accept"),
        ({"peers": ("0.0.0.0/0", "10.1.0.0/16")}, "tcp dport 8300-8302 accept"),
        ({"peers": ("10.1.0.0/17", "10.1.128.0/17"), "ports": (1, 1)}, "ip saddr { 10.1.0.0/16 } tcp dport 1 accept"),
        ({"peers": ("10.1.0.0/16", "10.1.1.7/32"), "ports": (1, 1)}, "ip saddr { 10.1.0.0/16 } tcp dport 1 accept"),
    ],
)  # fmt: skip
def test_a_rule_is_one_line(changes: dict[str, object], line: str) -> None:
    assert inward(rule(**changes)) == [line, "drop"]


@pytest.mark.parametrize("peers", [(), ("::/0",)])
def test_a_rule_for_nobody_lets_nobody_in(peers: tuple[str, ...]) -> None:
    assert inward(rule(peers=peers)) == ["drop"]


def test_a_range_that_cannot_be_written_is_an_error() -> None:
    with pytest.raises(ValueError, match="not-a-range"):
        inward(rule(peers=("not-a-range",)))


def test_what_may_be_sent_has_yet_to_be_received() -> None:
    text = ruleset(World((A, B), (Rule("a", "out", allows=True, protocol="any", peers=("0.0.0.0/0",)),)), ())
    assert chain(text, f"out-{port('a')}") == ["return", "drop"]
    assert chain(text, f"in-{port('b')}") == ["drop"]


@given(st.permutations([rule(ports=(n, n), allows=n % 2 == 0) for n in range(1, 6)]))
def test_rules_decide_in_the_order_in_which_they_are_given(rules: list[Rule]) -> None:
    ports = [int(found[1]) for line in inward(*rules) if (found := re.search(r"dport (\d+)", line))]
    assert ports == [rule.ports[0] for rule in rules if rule.ports]


@given(st.permutations([A, B, C]))
def test_the_same_world_gives_the_same_text_in_whatever_order_machines_come(order: list[Machine]) -> None:
    assert ruleset(World(tuple(order), (rule(),)), ()) == ruleset(World((A, B, C), (rule(),)), ())


NETWORKS = (Network("aws", "10.1.0.0/16"), Network("azure", "10.2.0.0/16"), Network("gcp", "10.3.0.0/16"))


def test_what_passes_stays_in_its_region_whatever_it_has_begun_before() -> None:
    first = chain(ruleset(World((A, B, C), networks=NETWORKS), ()), "between")[2]
    assert first == "iifgroup . oifgroup != { 101 . 101, 102 . 102, 103 . 103 } drop"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_gateway_leads_to_other_regions_and_brings_what_they_send(cloud: Cloud) -> None:
    text = ruleset(World(networks=NETWORKS), ())
    others = ", ".join(network.prefix for network in NETWORKS if network.cloud != cloud)
    group = number(cloud)
    assert f'oifname "g-*" oifgroup {group} ip daddr {{ {others} }} accept' in chain(text, "between")
    assert f'iifname "g-*" iifgroup {group} ip saddr != {{ {others}, 100.64.0.0/10 }} drop' in chain(text, "entering")
    assert f"iifgroup {group} ip daddr {{ {others} }} drop" in chain(text, "served")


def test_a_region_alone_sends_nothing_to_a_gateway_and_takes_nothing_from_one() -> None:
    text = ruleset(World((A,), networks=NETWORKS[:1]), ())
    assert not [line for line in chain(text, "between") if "oifgroup 101 ip" in line]
    assert 'iifname "g-*" iifgroup 101 ip saddr != { 100.64.0.0/10 } drop' in chain(text, "entering")


def test_the_desk_is_judged_like_a_machine() -> None:
    place = machine(DESK, b"", host=5)
    text = ruleset(World((A,), (Rule(DESK, "out", allows=True, protocol="any", peers=("0.0.0.0/0",)),), desk=place), ())
    assert f'"{port(DESK)}" . {place.address}' in text
    assert chain(text, f"in-{port(DESK)}") == ["drop"]


def test_a_front_is_judged_where_it_listens_and_two_may_share_an_address() -> None:
    check = Check(1, "/", 1, 1, 1, 1)
    one, other = (
        Balancer(f"id-{front}", "b", "gcp", ("10.3.1.60",), (Listener(front, (), 1, check),), last_resort=False)
        for front in (8500, 8501)
    )
    rules = (rule(machine=one.id, ports=(8500, 8500)),)
    text = ruleset(World((), rules, (one, other)), ())
    (listens,) = (line for line in chain(text, "served") if "vmap" in line)
    names = dict(re.findall(r"10\.3\.1\.60 \. (\d+) : jump (\S+?)[, ]", listens))
    assert chain(text, names["8500"]) == ["ip saddr { 10.1.0.0/16 } tcp dport 8500 accept", "drop"]
    assert chain(text, names["8501"]) == ["drop"]


def test_a_filter_takes_away_no_table_but_its_own() -> None:
    text = ruleset(World(), ())
    assert "flush" not in text
    assert re.findall(r"^delete table (.*)$", text, re.MULTILINE) == ["inet lab", "arp lab"]


def test_a_filter_tells_what_it_was_made_of() -> None:
    one, other = ruleset(World((A,), ()), (METADATA,)), ruleset(World((A,), (rule(),)), (METADATA,))
    assert len(digest_of(one)) == 64
    assert digest_of(one) != digest_of(other) != ""
    assert digest_of("table inet other {\n}") == ""
