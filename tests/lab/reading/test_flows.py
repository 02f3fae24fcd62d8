"""What the regions registered lets through exactly what the flow table says, packet by packet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.plan import addressing
from components.plan.flows import BALANCERS, EGRESS, FLOWS, Flow
from components.plan.spec import CLOUDS, SERVER_ROLE, Cloud, Product, Role, product_of
from sandbox.lab.reading import world
from sandbox.lab.reading.ranges import both
from sandbox.lab.world import Machine, Protocol, Rule, World
from tests.deployed import Deployed, plan

_PROBES: dict[str, tuple[str, ...]] = {"azure": ("168.63.129.16",), "gcp": ("130.211.0.1", "35.191.0.1")}
"""Where the clouds' probes come from, as their documents say; in AWS the balancer's own addresses ask."""


@dataclass(frozen=True)
class Packet:
    """The first packet of a connection."""

    protocol: Protocol
    peer: str
    port: int


def passes(rules: Sequence[Rule], packet: Packet) -> bool:
    """Whether a list of one machine and one direction lets a packet through."""
    for rule in rules:
        if (
            rule.protocol in ("any", packet.protocol)
            and any(_within(packet.peer, peer) for peer in rule.peers)
            and (rule.ports is None or rule.ports[0] <= packet.port <= rule.ports[1])
        ):
            return rule.allows
    return False


@cache
def _within(address: str, network: str) -> bool:
    return IPv4Address(address) in IPv4Network(network)


@pytest.fixture(scope="module")
def whole(deployed: Deployed) -> World:
    return world(resource for cloud in CLOUDS for resource in deployed.state(cloud)["resources"])


_plan = cache(plan)


def _role(machine: Machine) -> Role:
    platform = _plan(machine.cloud).platform
    planned = {server.address: server for server in addressing.all_servers(platform, machine.cloud)}
    if machine.address in planned:
        return SERVER_ROLE[planned[machine.address].product]
    assert machine.subnet in {addressing.client_subnet(platform.regions[machine.cloud], zone) for zone in range(3)}
    return "nomad-client"


def _lists(whole: World, towards: str) -> dict[str, list[Rule]]:
    """Rules of each machine."""
    machines = {machine.name for machine in whole.machines}
    found = (rule for rule in whole.rules if rule.towards == towards and rule.machine in machines)
    listed = sorted(found, key=lambda rule: rule.machine)
    return {machine: list(rules) for machine, rules in groupby(listed, key=lambda rule: rule.machine)}


def _told(flow: Flow, source: Role | None, source_cloud: Cloud | None, target: Role, cloud: Cloud) -> bool:
    """Whether a flow of the table is about a sender; None is somebody on the internet."""
    if target not in flow.targets or source_cloud is None:
        return False
    near = source_cloud == cloud
    return (near and source in flow.roles) or "mesh" in flow.sources or (not near and "peers" in flow.sources)


def _ports() -> Iterator[tuple[Protocol, int]]:
    edges = {port for flow in FLOWS for port in (flow.port.first, flow.port.last)}
    for port in sorted({port + step for port in edges for step in (-1, 0, 1) if port + step > 0} | {22, 80, 443, 5432}):
        yield "tcp", port
        yield "udp", port
    yield "icmp", 0


@pytest.mark.engine
def test_a_machine_takes_in_what_the_flow_table_says_and_nothing_else(whole: World) -> None:
    roles: dict[str, Role] = {machine.id: _role(machine) for machine in whole.machines}
    inward = _lists(whole, "in")
    # One machine of each role and region is enough as a sender: rules know roles, groups and ranges.
    senders: dict[tuple[Cloud, Role], Machine] = {(m.cloud, roles[m.id]): m for m in whole.machines}
    tried = 0
    for target in whole.machines:
        for (cloud, role), sender in senders.items():
            if sender.id == target.id:
                continue
            for protocol, port in _ports():
                wanted = any(
                    protocol in flow.protocols
                    and (protocol == "icmp" or flow.port.first <= port <= flow.port.last)
                    and _told(flow, role, cloud, roles[target.id], target.cloud)
                    for flow in FLOWS
                )
                found = passes(inward[target.name], Packet(protocol, sender.address, port))
                # A balancer that keeps its address hands on to ports that the table names for it alone.
                alias = target.cloud == "azure" and roles[target.id] == "consul-server" and port == 8500
                assert found is (wanted or (alias and protocol == "tcp")), (sender.name, target.name, protocol, port)
                tried += 1
    assert tried > 10_000


@pytest.mark.engine
def test_nobody_on_the_internet_reaches_a_machine(whole: World) -> None:
    for rules in _lists(whole, "in").values():
        assert not any(passes(rules, Packet(protocol, "203.0.113.9", port)) for protocol, port in _ports())


@pytest.mark.engine
def test_probes_of_balancers_reach_what_they_check(whole: World) -> None:
    inward = _lists(whole, "in")
    checked: dict[Role, int] = {flow.targets[0]: flow.port.first for flow in FLOWS if "probes" in flow.sources}
    for machine in whole.machines:
        for role, port in checked.items():
            fronts = addressing.front_ends(_plan(machine.cloud).platform.regions[machine.cloud], product_of(role))
            for probe in _PROBES.get(machine.cloud, fronts):
                reached = passes(inward[machine.name], Packet("tcp", probe, port))
                # A balancer's own address is one of the mesh's, which reaches more than what it checks.
                assert reached is (_role(machine) == role) or (reached and probe in fronts)


@pytest.mark.engine
def test_balancers_stand_where_the_plan_says_and_ask_what_the_table_says(whole: World) -> None:
    for cloud in CLOUDS:
        platform = _plan(cloud).platform
        for product, balanced in BALANCERS.items():
            fronts = addressing.front_ends(platform.regions[cloud], product)
            servers = sorted(server.address for server in addressing.servers(platform, cloud, product))
            found = [each for each in whole.balancers if each.cloud == cloud and set(each.addresses) <= set(fronts)]
            assert found
            listeners = {listener.front: listener for each in found for listener in each.listeners}
            assert set(listeners) == {each.front.first for each in balanced.listeners}
            for listener in listeners.values():
                assert sorted(listener.targets) == servers
                check, wanted = listener.check, balanced.check
                assert (check.port, check.path, check.interval) == (wanted.port.first, wanted.path, wanted.interval)
                assert bool(check.body) is (wanted.body_is_address and cloud == "gcp")


@pytest.mark.engine
def test_a_front_admits_whoever_its_servers_flow_names_at_its_own_ports(whole: World) -> None:
    senders = {(machine.cloud, _role(machine)): machine for machine in whole.machines}
    for balancer in whole.balancers:
        rules = [rule for rule in whole.rules if rule.machine == balancer.id]
        assert {rule.towards for rule in rules} == {"in"}
        for listener in balancer.listeners:
            named: list[Product] = [each for each in BALANCERS if each in balancer.name]
            (product,) = named
            flow = next(
                flow
                for flow in FLOWS
                if SERVER_ROLE[product] in flow.targets and flow.port == BALANCERS[product].listeners[0].back
            )
            assert "mesh" in flow.sources
            for sender in senders.values():
                assert passes(rules, Packet("tcp", sender.address, listener.front)), (balancer.id, sender.name)
            # A proxy of Google's stands before its network's firewall; its address leads nowhere from the internet.
            proxy = balancer.cloud == "gcp" and not balancer.last_resort
            assert passes(rules, Packet("tcp", "203.0.113.9", listener.front)) is proxy


@pytest.mark.engine
def test_every_regions_range_is_the_plans(whole: World) -> None:
    found = {network.cloud: network.prefix for network in whole.networks}
    assert found == {cloud: _plan(cloud).platform.regions[cloud].cidr for cloud in CLOUDS}


@pytest.mark.engine
def test_a_machine_sends_what_the_table_lets_out_and_nothing_else(whole: World) -> None:
    assert {flow.destination for flow in EGRESS} == {"anywhere", "mesh"}
    for machine, rules in _lists(whole, "out").items():
        assert passes(rules, Packet("tcp", "203.0.113.9", 443)), machine
        assert not passes(rules, Packet("tcp", "203.0.113.9", 80)), machine
        assert not passes(rules, Packet("udp", "203.0.113.9", 443)), machine
        assert all(passes(rules, Packet("udp", peer, 8301)) for peer in ("10.1.1.10", "10.2.1.10", "10.3.1.10"))


@pytest.mark.engine
def test_every_planned_machine_is_there_with_its_disks_identity_and_user_data(whole: World) -> None:
    for cloud in CLOUDS:
        platform = _plan(cloud).platform
        planned = {server.address for server in addressing.all_servers(platform, cloud)}
        found = [machine for machine in whole.machines if machine.cloud == cloud]
        assert planned < {machine.address for machine in found}
        assert len(found) == len(planned) + platform.clients.minimum
        for machine in found:
            assert machine.identity
            assert machine.user_data
            raft = _role(machine).endswith("-server")
            assert len(machine.disks) == (2 if _role(machine) == "vault-server" else int(raft))
    names = [machine.name for machine in whole.machines]
    assert len(set(names)) == len(names)


_RANGES = st.sampled_from(["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "10.1.1.7/32", "10.2.0.0/16"])
_SPANS = st.none() | st.tuples(st.integers(0, 4), st.integers(4, 9))
_RULES = st.lists(
    st.builds(
        Rule,
        st.just("m"),
        st.just("in"),
        st.booleans(),
        st.sampled_from(["tcp", "udp", "icmp", "any"]),
        st.lists(_RANGES, min_size=1, max_size=2).map(tuple),
        _SPANS,
    ),
    max_size=4,
)
_PACKETS = st.builds(
    Packet,
    st.sampled_from(["tcp", "udp", "icmp"]),
    st.sampled_from(["10.1.1.7", "10.1.1.8", "10.1.2.1", "10.2.0.1", "10.9.9.9", "203.0.113.1"]),
    st.integers(0, 10),
)


@given(_RULES, _RULES, _PACKETS)
def test_two_lists_together_let_through_what_each_of_them_does(
    first: list[Rule], second: list[Rule], packet: Packet
) -> None:
    assert passes(list(both(first, second)), packet) is (passes(first, packet) and passes(second, packet))
