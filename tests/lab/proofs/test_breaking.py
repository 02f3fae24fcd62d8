"""Clusters lose machines in every way that clouds take them, and heal; no write that they acknowledged is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.lab.breaking.choosing import Choice
from tests.lab.proofs.breakable import WISH, Region, Writer, writing
from tests.lab.proofs.whole import Whole, lacking
from tests.lab.proofs.writer import KEPT, Kept

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.engine, pytest.mark.lab, pytest.mark.skipif(bool(lacking(WISH)), reason=lacking(WISH))]

MARK = "/var/lib/mark-of-the-test"
"""On the root, and nowhere else."""
IDENTITY: dict[Kept, list[str]] = {
    "consul": ["cat", "/opt/consul/data/node-id"],
    "nomad": ["cat", "/opt/nomad/data/server/node-id"],
    # It is told its name, and keeps none; this is its store, and not another one that the cluster filled again.
    "vault": ["stat", "--format=%i", "/opt/vault/data/vault.db"],
}
"""What tells on a data disk whose it is."""


@pytest.fixture(scope="module")
def whole_region(made: Whole) -> Iterator[tuple[Region, Writer]]:
    """A region, and somebody who writes to it as long as it is there."""
    assert made.made.healthy, made.made.health
    region = Region(made)
    with writing(region) as writer:
        writer.goes_on()
        yield region, writer


@pytest.fixture
def region(whole_region: tuple[Region, Writer]) -> Iterator[Region]:
    """The region, well before and after, with every write in it that was ever acknowledged."""
    found, writer = whole_region
    found.heals()
    yield found
    found.heals()
    writer.goes_on()
    assert writer.lost() == []


@pytest.fixture
def writer(whole_region: tuple[Region, Writer]) -> Writer:
    return whole_region[1]


def server_of(region: Region, product: Kept, number: int) -> str:
    return region.names(f"-{product}-aws-")[number - 1]


def test_every_machine_may_lose_its_power_and_comes_back_with_its_place_in_its_cluster(
    region: Region, writer: Writer
) -> None:
    servers = {name for product in KEPT for name in region.names(f"-{product}-aws-")}
    for name in region.names():
        others = region.pids(name)
        region.breaker.kill(Choice((name,)), "KILL")
        assert set(region.ailing()) == {name}
        if name in servers:
            assert region.unwell(), f"{name} is dead and nobody notices"
        writer.goes_on()
        region.starts(name)
        assert region.pids(name) == others


@pytest.mark.parametrize("product", KEPT)
def test_a_server_made_anew_is_the_same_member_on_its_old_data_disk(
    region: Region, writer: Writer, product: Kept
) -> None:
    name = server_of(region, product, 2)
    before = region.fleet.instance(name).status()
    region.lab.run(name, "touch", MARK)
    identity = region.lab.run(name, *IDENTITY[product])
    region.replace(name)
    region.heals()
    after = region.fleet.instance(name).status()
    assert (after.id, after.address) == (before.id, before.address)
    region.lab.run(name, "test", "!", "-e", MARK)
    assert region.lab.run(name, *IDENTITY[product]) == identity
    writer.goes_on()


def test_clusters_that_each_lose_a_server_at_once_go_on_serving(region: Region, writer: Writer) -> None:
    # A zone's servers at a time, so that after all of them every leader was lost once.
    for number in (1, 2, 3):
        names = sorted(server_of(region, product, number) for product in KEPT)
        region.breaker.kill(Choice(tuple(names)), "KILL")
        assert set(region.ailing()) == set(names)
        writer.goes_on()
        assert region.unwell()
        region.starts(*names)
