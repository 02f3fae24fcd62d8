"""The flow table: closed by default, nothing from anywhere, and between regions only what must cross."""

from __future__ import annotations

from itertools import combinations

import pytest

from components.plan.flows import (
    BALANCERS,
    BOUNDARY_OPS,
    CONSUL_DNS,
    CONSUL_HTTP,
    CONSUL_HTTPS_ALIAS,
    EGRESS,
    FLOWS,
    Flow,
    Port,
)
from components.plan.spec import ROLES, SERVER_ROLE, Role

ACROSS = {"peers", "mesh"}
CROSSING: dict[tuple[Role, str], bool] = {
    ("consul-server", "8300"): True,
    ("consul-server", "8301"): False,
    ("consul-server", "8302"): True,
    ("consul-server", "8501"): True,
    ("consul-server", "8503"): False,
    ("vault-server", "8200"): True,
    ("vault-server", "8201"): False,
    ("vault-server", "8301"): False,
    ("nomad-server", "4646"): True,
    ("nomad-server", "4647"): True,
    ("nomad-server", "4648"): True,
    ("nomad-server", "8301"): False,
    ("nomad-client", "4646"): True,
    ("nomad-client", "8301"): False,
    ("nomad-client", "20000-32000"): False,
    ("boundary-worker", "8301"): False,
    ("boundary-worker", "9202"): True,
    ("boundary-worker", "9203"): True,
    **{(role, "9100"): True for role in ROLES},
    **{(role, "0"): True for role in ROLES},
}
"""Every open port by role, and whether another region may use it (cloud-reference, "Ports and flows")."""


def rows() -> list[tuple[Role, Flow]]:
    return [(role, flow) for flow in FLOWS for role in flow.targets]


def test_open_ports_and_those_that_cross_regions_are_exactly_the_references() -> None:
    assert {(role, str(flow.port)): bool(ACROSS & set(flow.sources)) for role, flow in rows()} == CROSSING


def test_every_flow_names_who_may_send_and_why() -> None:
    for flow in FLOWS:
        assert flow.roles or flow.sources
        assert flow.targets
        assert flow.why
        assert {"anywhere", "0.0.0.0/0"}.isdisjoint(flow.sources)


def test_no_role_and_port_stands_twice() -> None:
    for (role, one), (other, two) in combinations(rows(), 2):
        if role == other and set(one.protocols) & set(two.protocols):
            assert one.port.last < two.port.first or two.port.last < one.port.first, f"{one.name}, {two.name}: {role}"


def test_names_are_unique() -> None:
    assert len({flow.name for flow in FLOWS}) == len(FLOWS)


@pytest.mark.parametrize("port", [Port.of(22), CONSUL_DNS, CONSUL_HTTP, CONSUL_HTTPS_ALIAS])
def test_no_machine_listens_to_others_on(port: Port) -> None:
    assert not [flow.name for flow in FLOWS if flow.port.first <= port.first <= flow.port.last]


@pytest.mark.parametrize("product", list(BALANCERS))
def test_what_a_balancer_sends_and_asks_is_open_to_it(product: str) -> None:
    balanced = next(balanced for name, balanced in BALANCERS.items() if name == product)
    role = next(role for name, role in SERVER_ROLE.items() if name == product)
    probed = {flow.port for target, flow in rows() if target == role and "probes" in flow.sources}
    assert {listener.back for listener in balanced.listeners} == probed
    assert balanced.check.port in probed
    fronts = [listener.front for listener in balanced.listeners]
    assert len(set(fronts)) == len(fronts)


def test_probes_reach_only_what_is_balanced() -> None:
    balanced = {SERVER_ROLE[product] for product in BALANCERS}
    assert {role for role, flow in rows() if "probes" in flow.sources} == balanced


def test_gossip_uses_both_protocols_and_everything_else_but_workloads_tcp() -> None:
    both = {flow.name for flow in FLOWS if flow.protocols == ("tcp", "udp")}
    assert both == {"consul-lan", "consul-wan", "nomad-serf", "nomad-dynamic"}


def test_the_secret_store_and_archives_are_reachable_and_little_else() -> None:
    outside = [row for row in EGRESS if row.destination == "anywhere"]
    assert [str(row.port) for row in outside] == ["443"]


def test_a_check_fails_before_its_next_round() -> None:
    for balanced in BALANCERS.values():
        assert balanced.check.timeout < balanced.check.interval
        assert balanced.check.path.startswith("/v1/")


def test_a_port_reads_as_one_number_or_a_range() -> None:
    assert str(BOUNDARY_OPS) == "9203"
    assert str(Port(1, 2)) == "1-2"
