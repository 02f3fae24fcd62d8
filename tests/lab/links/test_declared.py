"""The tunnels of all three regions come up as their stacks declared them, none of it written for this."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from sandbox.lab.links.ends import End
from sandbox.lab.links.needs import missing
from tests.lab.links.rig import PLATFORM, all_up, rig

pytestmark = [pytest.mark.engine, pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]


def test_all_twelve_tunnels_come_up_and_every_region_reaches_every_other(
    declared: tuple[End, ...], tmp_path: Path
) -> None:
    with rig(tmp_path, *PLATFORM.clouds) as lab:
        found = lab.settle(declared, all_up)
        assert len(found) == 12
        pairs = tuple(permutations(PLATFORM.clouds, 2))
        direct = 4
        lab.settle(declared, lambda _: all(lab.hops(*pair) == direct for pair in pairs))
        assert lab.tunnels.apply(declared) == ()
