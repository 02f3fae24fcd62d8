"""Rules as data: what the flow table says and nothing else, whatever the platform's shape."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import pulumi
import pytest

from components.clouds.azure.rules import Rule, guard, inbound, outbound, rendered
from components.plan import addressing
from components.plan.flows import BALANCERS, CONSUL_HTTPS, CONSUL_HTTPS_ALIAS, EGRESS, FLOWS, Flow
from components.plan.spec import CLOUDS, ROLES, Cloud, Stack
from tests.deployed import plan


def _alone(cloud: Cloud = "azure") -> Stack:
    """The stack of a platform that has no other region."""
    stack = plan("azure")
    regions = {cloud: stack.platform.regions[cloud]}
    return replace(stack, platform=replace(stack.platform, regions=regions))


def _of(rules: list[Rule], flow: Flow, protocol: str) -> list[Rule]:
    return [rule for rule in rules if rule.name.startswith(f"{flow.name}-{protocol}-")]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_each_flow_is_allowed_from_all_its_sources_to_all_its_targets(flow: Flow) -> None:
    stack = plan("azure")
    for protocol in flow.protocols:
        rules = _of(list(inbound(stack)), flow, protocol)
        assert all(rule.targets == flow.targets for rule in rules)
        assert {role for rule in rules for role in rule.roles} == set(flow.roles)
        prefixes = {prefix for rule in rules for prefix in rule.prefixes}
        assert ("AzureLoadBalancer" in prefixes) is ("probes" in flow.sources)
        for peer in stack.platform.peers("azure"):
            assert (peer.cidr in prefixes) is bool({"peers", "mesh"} & set(flow.sources))
        assert (stack.region.cidr in prefixes) is bool({"region", "mesh"} & set(flow.sources))
        ports = {"*"} if protocol == "icmp" else {str(flow.port)}
        assert all(ports <= set(rule.ports) for rule in rules)


def test_no_rule_lets_in_more_than_a_role_a_region_or_the_platforms_own_service() -> None:
    stack = plan("azure")
    bastion = addressing.edge_subnets(stack.region)["bastion"]
    known = {*(stack.platform.regions[cloud].cidr for cloud in CLOUDS), "AzureLoadBalancer", bastion}
    for rule in inbound(stack):
        assert set(rule.prefixes) <= known, rule
        assert bool(rule.roles) != bool(rule.prefixes), f"{rule.name}: Azure takes groups or prefixes, not both"
        assert rule.targets, f"{rule.name} would hold for every machine"


def test_ssh_comes_from_the_bastions_subnet_alone() -> None:
    stack = plan("azure")
    ssh = [rule for rule in inbound(stack) if "22" in rule.ports]
    assert [rule.prefixes for rule in ssh] == [(addressing.edge_subnets(stack.region)["bastion"],)]
    assert IPv4Network(ssh[0].prefixes[0]).subnet_of(IPv4Network(stack.region.cidr))
    assert ssh[0].targets == ROLES


def test_a_port_that_the_balancer_cannot_map_is_open_to_whom_the_real_one_is() -> None:
    assert any(listener.front == CONSUL_HTTPS_ALIAS for listener in BALANCERS["consul"].listeners)
    for rule in inbound(plan("azure")):
        assert (str(CONSUL_HTTPS_ALIAS) in rule.ports) is (str(CONSUL_HTTPS) in rule.ports), rule


def test_names_are_taken_once_and_short_enough() -> None:
    names = [rule.name for rule in inbound(plan("azure"))]
    assert len(set(names)) == len(names)
    assert all(
        len(name) <= 80 and len(rule.why) <= 140 for name, rule in zip(names, inbound(plan("azure")), strict=True)
    )


def test_a_region_without_peers_has_no_rule_for_them() -> None:
    rules = list(inbound(_alone()))
    assert all(rule.roles or rule.prefixes for rule in rules)
    assert not [rule for rule in rules if rule.name.startswith("consul-wan-") and rule.prefixes]


def test_machines_reach_what_the_egress_table_says_and_nothing_else() -> None:
    stack = plan("azure")
    rules = {rule.name: rule for rule in outbound(stack)}
    assert rules.keys() == {f"{egress.name}-out" for egress in EGRESS}
    assert rules["https-out"] == Rule("https-out", "Outbound", "Tcp", ("443",), EGRESS[0].why, prefixes=("*",))
    assert rules["mesh-out"].protocol == "*"
    assert set(rules["mesh-out"].prefixes) == {stack.platform.regions[cloud].cidr for cloud in CLOUDS}


def test_a_subnet_admits_the_platform_and_probes_and_nothing_that_a_vpn_has_learned() -> None:
    stack = plan("azure")
    admitted = {prefix for rule in guard(stack) for prefix in rule.prefixes}
    assert admitted == {*(stack.platform.regions[cloud].cidr for cloud in CLOUDS), "AzureLoadBalancer"}


def test_rules_are_tried_in_their_order_and_the_rest_is_denied_in_both_directions() -> None:
    stack = plan("azure")
    rows = [*inbound(stack), *outbound(stack)]
    made: list[Any] = rendered(rows, {role: pulumi.Output.from_input(role) for role in ROLES})
    for direction in ("Inbound", "Outbound"):
        ours = [rule for rule in made if rule.direction == direction]
        priorities = [rule.priority for rule in ours]
        assert priorities == sorted(set(priorities))
        assert priorities[0] >= 100
        *allowed, last = ours
        assert [rule.name for rule in allowed] == [row.name for row in rows if row.direction == direction]
        assert {rule.access for rule in allowed} == {"Allow"}
        assert (last.access, last.priority, last.protocol) == ("Deny", 4096, "*")
        assert (last.source_address_prefix, last.destination_address_prefix, last.destination_port_range) == ("*",) * 3
    assert {rule.direction for rule in rendered(guard(stack))} == {"Inbound"}, "a guard leaves what goes out alone"
