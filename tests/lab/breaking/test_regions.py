"""Tunnels and keys, as the three regions declared them: found by a person's words, cut and disabled, and nothing beside."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from sandbox.errors import SandboxError
from sandbox.home import CLOUD
from sandbox.lab.breaking import cloud
from sandbox.lab.breaking.breaker import Breaker
from sandbox.lab.breaking.mending import restore
from sandbox.lab.links.needs import missing
from sandbox.lab.links.reading import ends
from sandbox.lab.place import Place
from sandbox.lab.services.feed import feed
from sandbox.stores.declared import ground
from tests.lab.links.rig import PLATFORM, Rig, all_up, rig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.lab.breaking.cloud import Pair
    from sandbox.lab.links.ends import End
    from sandbox.lab.links.tunnels import Status
    from tests.deployed import Deployed

pytestmark = [pytest.mark.engine, pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]


@dataclass
class Regions:
    """The platform's regions with their tunnels, and who cuts them."""

    rig: Rig
    breaker: Breaker
    ends: tuple[End, ...]

    def settles(self, *down: Pair) -> None:
        """Waits until exactly the tunnels of these pairs are down."""

        def holds(found: list[Status]) -> bool:
            return {status for status in found if not status.up} == {
                status for status in found if _pair(status) in down
            }

        found = self.rig.settle(self.ends, holds)
        assert sum(not status.up for status in found) == 4 * len(down)
        assert all("cut in the lab" in status.why for status in found if not status.up)


def _pair(status: Status) -> Pair:
    one, other = status.link.ends
    return cloud.pair(one.cloud, other.cloud)


@pytest.fixture(scope="module")
def regions(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Regions]:
    folder = tmp_path_factory.mktemp("regions")
    with rig(folder / "links", *PLATFORM.clouds, plain=True) as made:
        place = Place(made.lab.name, folder / "labs")
        place.lab.mkdir(parents=True)
        shutil.copytree(deployed.platform / CLOUD, place.cloud, ignore=shutil.ignore_patterns("port", "lock"))
        found = Regions(made, Breaker(place), ends(cloud.records(place.cloud)))
        made.settle(found.ends, all_up)
        yield found


def test_all_tunnels_of_a_pair_are_cut_and_mended_and_no_others(regions: Regions) -> None:
    assert regions.breaker.cut([("aws", "azure")]) == ["4 tunnels cut: aws to azure"]
    regions.settles(("aws", "azure"))
    assert restore(regions.breaker) == ["4 tunnels mended: aws to azure"]
    regions.settles()


def test_a_region_is_cut_off_from_every_other(regions: Regions) -> None:
    assert regions.breaker.cut_region("gcp") == ["8 tunnels cut: aws to gcp, azure to gcp"]
    regions.settles(("aws", "gcp"), ("azure", "gcp"))
    assert regions.rig.reaches("aws", "azure")
    assert not regions.rig.reaches("aws", "gcp")
    restore(regions.breaker)
    regions.settles()


def words(regions: Regions) -> dict[str, str]:
    """A word for each key that the stacks made, by its id."""
    return cloud.names(ground(cloud.records(regions.breaker.place.cloud)).keys)


def told(regions: Regions) -> list[str]:
    """What the follower reads."""
    return json.loads(regions.breaker.place.disabled_keys.read_text(encoding="utf-8"))


def test_every_key_has_a_word_that_disables_it_with_its_copies_and_nothing_else(regions: Regions) -> None:
    records, known = cloud.records(regions.breaker.place.cloud), words(regions)
    assert {word.partition("/")[0] for word in known.values()} == set(PLATFORM.clouds)
    assert sum(word == "aws/hashicorp-vault-seal" for word in known.values()) == 2, "the copy is another key"
    for word in sorted(set(known.values())):
        regions.breaker.key(word, disabled=True)
        off = {key.id for key in feed(records, (), told(regions)).ground.keys if not key.enabled}
        assert off == set(told(regions)) == {id_ for id_, other in known.items() if other == word}
        assert regions.breaker.key(word, disabled=False)
        assert told(regions) == []


def test_an_id_means_one_key_alone(regions: Regions) -> None:
    for id_ in words(regions):
        where = words(regions)[id_].partition("/")[0]
        assert regions.breaker.key(f"{where}/{id_}", disabled=True) == [f"{id_} disabled"]
    assert sorted(told(regions)) == sorted(words(regions))
    assert len(restore(regions.breaker)) == len(words(regions))
    assert told(regions) == []


def test_a_word_that_two_keys_have_is_refused(regions: Regions) -> None:
    with pytest.raises(SandboxError, match=r"names several keys: .*us-central1.*us-west1"):
        regions.breaker.key("gcp/hashicorp-secrets", disabled=True)


def test_a_key_that_does_not_exist_is_refused_with_those_that_do(regions: Regions) -> None:
    with pytest.raises(SandboxError, match="names no key of aws") as refused:
        regions.breaker.key("aws/nothing", disabled=True)
    assert "aws/" in refused.value.fix
    assert not regions.breaker.broken().keys
