"""Three regions at once: all of it green, the flow table held by packets, and a mesh that heals.

The tests stand in the order of a lab's life: what is asked of it as it was made, then what breaks it.
"""

from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import TYPE_CHECKING

import pytest

from components.plan.flows import FLOWS, POSTGRESQL
from components.plan.spec import CLOUDS, ROLES
from sandbox.lab.breaking import looking
from sandbox.lab.breaking.mending import restore
from sandbox.lab.place import Wish
from sandbox.progress import Board
from sandbox.ready import ready
from tests.contract.readers import READERS
from tests.contract.state import State
from tests.harness import Sandbox
from tests.lab.machines.rig import until
from tests.lab.proofs.reach import CONNECTED, SILENT, Probe, allowed, ask, hops, members, questions
from tests.lab.proofs.whole import lacking, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.lab.breaking.cloud import Pair
    from tests.lab.proofs.reach import Member
    from tests.lab.proofs.whole import Whole

WISH = Wish(CLOUDS, "small", "ipsec")
pytestmark = [pytest.mark.engine, pytest.mark.lab, pytest.mark.skipif(bool(lacking(WISH)), reason=lacking(WISH))]

GZIP = b"\x1f\x8b"
RELAY = 8500
"""A balancer of Azure keeps its port, so that servers of Consul listen there too, for whoever the balancer serves."""


def test_three_regions_become_green_together(made: Whole, record_property: Callable[[str, object], None]) -> None:
    for line in told(made):
        record_property("measured", line)
    view = looking.look(made.breaker)
    used = sum(row.memory for row in view.machines) / 1024**3
    record_property("measured", f"{len(view.machines)} machines of three regions: {used:.1f} GiB of their own")
    assert made.made.healthy, made.made.health
    assert not view.failed
    assert len(view.tunnels) == 12
    assert {(cloud, role) for cloud in CLOUDS for role in ROLES} == made.members().keys()


def test_every_machine_runs_the_bytes_that_the_contract_reads_in_its_stack(made: Whole) -> None:
    sandbox = Sandbox(ready(Board(), root=made.place.root))
    addresses = {status.address: status.name for status in made.statuses()}
    groups = made.members()
    for cloud in CLOUDS:
        read = READERS[cloud](State(sandbox.stack(cloud).export(secrets=True)), made.plan(cloud))
        seen = {addresses[machine.address]: machine.user_data for machine in read.machines.values() if machine.address}
        seen |= {status.name: read.clients.template.user_data for status in groups[cloud, "nomad-client"]}
        assert set(seen) == {status.name for (where, _), found in groups.items() for status in found if where == cloud}
        for name, text in seen.items():
            assert gunzipped(made.kept_user_data(name)) == text.encode(), name


def gunzipped(data: bytes) -> bytes:
    """User data as it was before a cloud's limit had it packed, where it had."""
    return gzip.decompress(data) if data.startswith(GZIP) else data


def test_the_morning_check_says_the_same_twice(made: Whole) -> None:
    first = made.verdicts()
    assert first
    assert made.verdicts() == first


def test_a_second_up_changes_nothing(made: Whole) -> None:
    made.changes_nothing()


def test_machines_reach_each_other_as_the_flow_table_says_and_no_other_way(made: Whole) -> None:
    asked, asking = members(made)
    probes = [
        Probe(source, target, protocol, port)
        for source, target, (protocol, port) in product(asking, asked, questions([POSTGRESQL.first]))
    ]
    wanted = {probe: allowed(probe) or _relayed(probe) for probe in probes}
    for flow in FLOWS:
        # Every row is tried, on every role that it names, from every kind of sender.
        tried = {probe for probe in probes if probe.port in (flow.port.first, flow.port.last) and allowed(probe)}
        assert {probe.target.role for probe in tried} >= set(flow.targets)
        near = {probe.source.role for probe in tried if probe.source.cloud == probe.target.cloud}
        assert near >= set(ROLES if "mesh" in flow.sources else flow.roles)
        if {"peers", "mesh"} & set(flow.sources):
            assert {probe.source.role for probe in tried if probe.source.cloud != probe.target.cloud} == set(ROLES)
    found = ask(made, wanted)
    assert {str(p): word for p, word in found.items() if word != (CONNECTED if wanted[p] else SILENT)} == {}


def _relayed(probe: Probe) -> bool:
    served = (probe.target.cloud, probe.target.role) == ("azure", "consul-server")
    return served and probe.protocol == "tcp" and probe.port == RELAY


class Mesh:
    """Ways between regions, seen from a machine of each."""

    def __init__(self, made: Whole) -> None:
        self._made = made
        asked, asking = members(made)
        self._asked = [each for each in asked if each.role == "consul-server"]
        self._asking = [each for each in asking if each.role == "consul-server"]

    def ways(self) -> dict[Pair, int]:
        """Routers from one region to another; 0 where there is no way."""

        def seen(source: Member) -> dict[Pair, int]:
            others = [each for each in self._asked if each.cloud != source.cloud]
            return {(source.cloud, target.cloud): way for target, way in hops(self._made, source, others).items()}

        with ThreadPoolExecutor() as pool:
            return {pair: way for found in pool.map(seen, self._asking) for pair, way in found.items()}

    def down(self) -> set[str]:
        """Tunnels that `status` calls down."""
        return {tunnel for tunnel, why in looking.look(self._made.breaker).tunnels if why}


def test_a_pair_without_tunnels_takes_the_detour_that_there_is_or_loses_each_other(made: Whole) -> None:
    mesh = Mesh(made)
    direct = mesh.ways()
    assert all(direct.values())
    assert not mesh.down()
    try:
        made.breaker.cut([("aws", "gcp")])
        until(lambda: len(mesh.down()) == 4, mesh.down)
        assert all("aws" in tunnel and "gcp" in tunnel for tunnel in mesh.down())
        assert looking.look(made.breaker).failed
        # Azure tells each of its peers what it learned from the other.
        until(lambda: _longer(direct, mesh.ways()) == {("aws", "gcp"), ("gcp", "aws")}, mesh.ways)
        # Nobody does so for Azure: without its tunnels to AWS too, AWS is alone.
        made.breaker.cut([("aws", "azure")])
        until(lambda: len(mesh.down()) == 8, mesh.down)
        until(
            lambda: {pair for pair, way in mesh.ways().items() if way} == {("azure", "gcp"), ("gcp", "azure")},
            mesh.ways,
        )
    finally:
        restore(made.breaker)
    until(lambda: not mesh.down(), mesh.down)
    until(lambda: mesh.ways() == direct, mesh.ways)
    until(lambda: made.operator.health("--json").code == 0, made.verdicts)


def _longer(before: Mapping[Pair, int], now: Mapping[Pair, int]) -> set[Pair]:
    """Pairs whose way is longer than it was, once every pair has one."""
    return {pair for pair, way in now.items() if way > before[pair]} if all(now.values()) else set()
