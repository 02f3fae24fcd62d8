"""The planned mesh on real BGP: every session comes up, and nothing that can fail alone takes a route away.

Timers are as short as BGP allows, so that every failure can be tried; their real length is `make bench`'s to measure.
"""

from __future__ import annotations

import time
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from components.plan.mesh import HOLD_SECONDS, TUNNELS, pairs
from docs.picture import platform
from sandbox.mesh.layout import TRANSIT, Failure, apart, failures, layout
from sandbox.mesh.network import MeshNetwork, missing
from sandbox.mesh.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from components.plan.mesh import Pair, Tunnel
    from components.plan.spec import Cloud

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())

PLATFORM = platform()
SHORTEST_HOLD = 3
START = 30.0
SLACK = 5.0
"""Beyond its timers, for a busy machine."""


@pytest.fixture(scope="module")
def network() -> Iterator[MeshNetwork]:
    with MeshNetwork(PLATFORM, dict.fromkeys(HOLD_SECONDS, SHORTEST_HOLD)) as network:
        network.await_established(START)
        yield network


@pytest.fixture(scope="module")
def traffic(network: MeshNetwork) -> Iterator[Traffic]:
    with Traffic(network) as traffic:
        assert traffic.await_flowing(START)
        yield traffic


def whole(network: MeshNetwork, names: frozenset[str]) -> bool:
    """Whether these pairs' routes are in the kernel, which follows the sessions a moment later."""
    return all(
        len(network.direct_tunnels(cloud, pair.peer(cloud))) == TUNNELS
        for pair in pairs(PLATFORM)
        if pair.name in names
        for cloud in (pair.a, pair.b)
    )


def test_every_tunnel_is_established_at_both_ends(network: MeshNetwork) -> None:
    up = network.established()
    assert len(network.plan.tunnels) == TUNNELS * len(pairs(PLATFORM)) == 12
    assert all(up[tunnel] == 2 for tunnel in network.plan.tunnels)


@pytest.mark.parametrize(("one", "other"), list(permutations(PLATFORM.clouds, 2)))
def test_a_region_reaches_another_directly_by_all_four_tunnels(
    network: MeshNetwork, traffic: Traffic, one: Cloud, other: Cloud
) -> None:
    assert network.direct_tunnels(one, other) == set(range(TUNNELS))
    direct = {
        tunnel.far(one).address for tunnel in network.plan.tunnels if {end.cloud for end in tunnel.ends} == {one, other}
    }
    assert set[str]().union(*network.next_hops(one, other).values()) == direct, "a detour is used beside the direct way"


@pytest.mark.parametrize("failure", apart(failures(layout(PLATFORM))), ids=lambda failure: failure.name)
def test_losing_one_tunnel_address_or_instance_loses_no_route(
    network: MeshNetwork, traffic: Traffic, failure: Failure, record_property: Callable[[str, object], None]
) -> None:
    network.await_established(START, failure.pairs)
    while not whole(network, failure.pairs):
        time.sleep(0.02)
    assert traffic.await_flowing(START)
    began = time.monotonic()
    network.cut(failure)
    try:
        while any(network.established()[tunnel] for tunnel in failure.tunnels):
            assert time.monotonic() - began < SHORTEST_HOLD + SLACK, "a session outlives its tunnel"
            time.sleep(0.05)
        assert traffic.await_flowing(SLACK), "some machine does not reach another region any more"
        outage = traffic.outage(began)
        for pair in (pair for pair in pairs(PLATFORM) if pair.name in failure.pairs):
            left = set(range(TUNNELS)) - {tunnel.index for tunnel in failure.tunnels if tunnel.pair == pair.name}
            assert len(left) >= 2
            assert network.direct_tunnels(pair.a, pair.b) == network.direct_tunnels(pair.b, pair.a) == left
    finally:
        network.mend(failure)
    assert outage.lost, "nothing passed what was cut, so nothing is proven"
    assert outage.seconds < SHORTEST_HOLD + SLACK
    record_property("measured", f"{failure.name}: traffic flows again after {outage.seconds:.1f} s")


@pytest.mark.parametrize("pair", pairs(PLATFORM), ids=lambda pair: pair.name)
def test_a_pair_without_tunnels_goes_over_the_third_region_only_if_that_one_hands_routes_on(
    network: MeshNetwork, traffic: Traffic, pair: Pair
) -> None:
    network.await_established(START)
    (third,) = set(PLATFORM.clouds) - {pair.a, pair.b}
    sides: list[tuple[Tunnel, Cloud]] = [(tunnel, end.cloud) for tunnel in pair.tunnels for end in tunnel.ends]
    began = time.monotonic()
    try:
        for side in sides:
            network.interface(*side, up=False)
        if TRANSIT[third]:
            assert traffic.await_flowing(START), f"{third} does not carry what {pair.name} cannot"
        else:
            time.sleep(1)
            assert traffic.outage(began, (pair.a, pair.b)).seconds > 0.5
        assert not network.direct_tunnels(pair.a, pair.b)
        for cloud in (pair.a, pair.b):
            assert all(bool(hops) == TRANSIT[third] for hops in network.next_hops(cloud, pair.peer(cloud)).values())
        for peer in (pair.a, pair.b):
            assert len(network.direct_tunnels(peer, third)) == TUNNELS
    finally:
        for side in sides:
            network.interface(*side, up=True)
    network.await_established(START)
    assert traffic.await_flowing(START), "the pair does not come back"
