"""Tunnels where something else is different: without IPsec, on one router, with a silent peer, after a killed owner."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from sandbox.lab.links.ends import links
from sandbox.lab.links.needs import missing
from sandbox.lab.links.tunnels import Tunnels
from sandbox.lab.machines import footprint
from tests.lab.links.rig import ALL, FIRST, HOLD, PATIENCE, all_up, down, ends, gateway_of, rig

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]


def test_a_silent_peer_ends_a_tunnel_when_its_end_says_however_long_bgp_would_wait(tmp_path: Path) -> None:
    declared = [replace(end, dead_after=5) for end in ALL[:2]]
    with rig(tmp_path, "aws", "azure", hold=dict.fromkeys(HOLD, 600)) as lab:
        lab.settle(declared, all_up)
        (link,) = links(declared)
        lab.tunnels.cut(link)
        lab.settle(declared, lambda found: "IPsec is down" in found[0].why and "BGP is" in found[0].why)
        lab.tunnels.mend(link)
        lab.settle(declared, lambda found: all_up(found) and lab.reaches("aws", "azure"))


def test_without_ipsec_a_link_still_stays_down_where_ike_would_fail(tmp_path: Path) -> None:
    declared = [replace(end, key="another") if end == FIRST else end for end in ALL]
    with rig(tmp_path, "aws", "azure", plain=True) as lab:
        found = lab.settle(declared, down(FIRST, "the pre-shared keys differ"))
        assert "another" not in " ".join(status.why for status in found)
        lab.settle(declared, lambda _: lab.reaches("aws", "azure"))
        assert not lab.process(gateway_of(FIRST), "charon")
        lab.settle(ALL, all_up)
        assert lab.tunnels.apply(ALL) == ()


def test_one_router_for_both_regions_sends_through_tunnels_what_goes_from_one_to_the_other(tmp_path: Path) -> None:
    short, through = 1, 4
    with rig(tmp_path, "aws", "azure", shared=True, plain=True) as lab:
        assert lab.hops("aws", "azure") == short
        lab.settle(ALL, lambda _: lab.hops("aws", "azure") == lab.hops("azure", "aws") == through)
        # What the router itself holds for a region is in that region: the last router does not count.
        both = permutations(("aws", "azure"), 2)
        lab.settle(ALL, lambda _, pairs=tuple(both): all(lab.hops(*pair, front=True) == through - 1 for pair in pairs))
        assert lab.tunnels.apply(ALL) == ()
        for link in links(ALL):
            lab.tunnels.cut(link)
        lab.settle(ALL, lambda found: not any(status.up for status in found))
        assert not lab.reaches("aws", "azure"), "it takes the short way when no tunnel is up"
        lab.tunnels.remove()
        assert lab.hops("aws", "azure") == short, "the router is not as it was before"


def test_what_passes_on_through_a_region_behind_one_router_takes_its_tunnels_too(tmp_path: Path) -> None:
    """Azure's gateways tell one peer what they learned from another; two regions without a tunnel meet there."""
    declared = [*ALL, *ends("azure", "gcp")]
    with rig(tmp_path, "aws", "azure", "gcp", shared=True, plain=True) as lab:
        through_two_pairs = 5
        lab.settle(declared, lambda _: lab.hops("aws", "gcp") >= through_two_pairs <= lab.hops("gcp", "aws"))
        for link in links(declared):
            if any(end.cloud == "gcp" for end in link.ends):
                lab.tunnels.cut(link)
        lab.settle(declared, lambda _: not lab.reaches("aws", "gcp") and lab.reaches("aws", "azure"))


OWNER = """
import sys, time
from pathlib import Path
from sandbox.lab.links.layout import Region
from sandbox.lab.links.tunnels import Tunnels
from sandbox.lab.machines.lab import Lab
from tests.lab.links.rig import ends
name, folder, *regions = sys.argv[1:]
tunnels = Tunnels(Lab(name, Path(folder)), [Region(*region.split()) for region in regions])
print("begins", flush=True)
tunnels.apply(ends("aws", "azure"))
print("applied", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("line", ["begins", "applied"])
def test_whatever_a_killed_owner_left_is_removed_or_taken_up(tmp_path: Path, line: str) -> None:
    with rig(tmp_path, "aws", "azure") as lab:
        regions = [f"{region.cloud} {region.prefix} {region.router}" for region in lab.regions]
        command = [sys.executable, "-c", OWNER, lab.lab.name, str(lab.lab.folder), *regions]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
            assert owner.stdout
            while owner.stdout.readline().strip() != line:
                assert owner.poll() is None
            if line == "begins":
                # Somewhere in the middle, wherever that is today.
                end = time.monotonic() + PATIENCE
                while not any(name.startswith("gateway-198-18-0-3") for name in lab.spaces.standing()):
                    assert time.monotonic() < end
                    time.sleep(0.01)
            owner.kill()
        before = lab.processes()
        again = Tunnels(lab.lab, lab.regions, hold=lab.hold)
        if line == "applied":
            again.apply(ALL)
            assert before <= lab.processes(), "what ran well was started anew"
        again.remove()
        left = [name for name in lab.spaces.standing() if not name.startswith("machine-")]
        assert sorted(left) == sorted(region.router for region in lab.regions)
        assert not lab.processes()
        lab.spaces.remove()
        shutil.rmtree(lab.lab.folder, ignore_errors=True)
        assert footprint.of(lab.lab) == []
