"""Tunnels come with the second pass, rest in the third, and follow a peer that was built again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from components.plan.manifest import Manifest
from components.plan.mesh import TUNNELS, pairs
from components.plan.spec import CLOUDS, PRIMARY
from tests.contract.readers import READERS
from tests.contract.state import State
from tests.deployed import plan, region_stacks

if TYPE_CHECKING:
    from pathlib import Path

    from components.plan.spec import Cloud
    from tests.deployed import Deployed
    from tests.harness import Stack

pytestmark = pytest.mark.engine

PAIR = "hashicorp:mesh:VpnPair"


def manifest(stack: Stack) -> Manifest:
    return Manifest.model_validate(stack.outputs()["manifest"])


def assert_tunnels_meet(stacks: dict[Cloud, Stack]) -> None:
    """Each side of every tunnel is led to the other side's gateway, from the address that the other side expects."""
    manifests = {cloud: manifest(stack) for cloud, stack in stacks.items()}
    made = {
        (cloud, tunnel.pair, tunnel.index): tunnel
        for cloud, stack in stacks.items()
        for tunnel in READERS[cloud](State(stack.export()), plan(cloud)).tunnels
    }
    assert len(made) == 2 * TUNNELS * len(pairs(plan(PRIMARY).platform))
    for (cloud, pair, index), own in made.items():
        peer: Cloud = next(other for other in CLOUDS if other != cloud and other in pair.split("-"))
        far = made[peer, pair, index]
        mesh = manifests[peer].mesh
        assert mesh is not None
        assert own.far_gateway == mesh.endpoints[pair][index]
        assert (own.own, own.far) == (far.far, far.own)
        assert (own.own_asn, own.far_asn) == (far.far_asn, far.own_asn)
        assert own.key == far.key


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_first_pass_makes_a_gateway_and_no_tunnel(cloud: Cloud, deployed: Deployed) -> None:
    first = State(deployed.state(cloud, after="first"))
    assert [gateway["pairs"] for gateway in first.of("hashicorp:clouds:Gateway")] == [
        [pair.name for pair in pairs(plan(cloud).platform) if cloud in (pair.a, pair.b)]
    ]
    assert first.of(PAIR) == []


def test_the_second_pass_makes_both_sides_of_all_twelve_tunnels(deployed: Deployed) -> None:
    assert_tunnels_meet({cloud: deployed.stack(cloud) for cloud in CLOUDS})


def test_the_third_pass_changes_nothing_and_says_that_every_tunnel_is_declared_on_both_sides(
    deployed: Deployed, tmp_path: Path
) -> None:
    with deployed.copy(tmp_path / "copy") as sandbox:
        for cloud, stack in region_stacks(sandbox).items():
            assert stack.up().touched() == set(), cloud
            mesh = manifest(stack).mesh
            assert mesh is not None
            assert [tunnel.status for tunnel in mesh.tunnels] == ["up"] * 2 * TUNNELS, cloud


@pytest.mark.lab
def test_a_peer_built_again_gets_its_tunnels_back_in_two_passes(deployed: Deployed, tmp_path: Path) -> None:
    with deployed.copy(tmp_path / "copy") as sandbox:
        stacks = region_stacks(sandbox)
        rebuilt = stacks["gcp"]
        before = manifest(rebuilt).mesh
        rebuilt.configure(deletion="open")
        rebuilt.up()
        rebuilt.destroy("--exclude-protected")
        rebuilt.configure(deletion="guarded")
        for name in ("gcp", "aws", "azure", "gcp"):
            stacks[name].up()
        after = manifest(rebuilt).mesh
        assert before is not None
        assert after is not None
        # One of the addresses may come back by chance, as it may in a cloud.
        assert all(before.endpoints[pair] != endpoints for pair, endpoints in after.endpoints.items())
        assert_tunnels_meet(stacks)
        assert [cloud for cloud, stack in stacks.items() if stack.up().touched()] == []


@pytest.mark.lab
def test_a_region_goes_while_its_peers_tunnels_still_lead_to_it(deployed: Deployed, tmp_path: Path) -> None:
    with deployed.copy(tmp_path / "copy") as sandbox:
        stacks = region_stacks(sandbox)
        stacks[PRIMARY].configure(deletion="open")
        stacks[PRIMARY].up()
        stacks[PRIMARY].destroy("--exclude-protected")
        # Its peers stand and can still be updated.
        assert not [step for step in stacks["gcp"].up().steps if step.failed]
