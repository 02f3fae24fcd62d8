"""Three regions from empty: complete, the same in state and cloud, and at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from components.plan.spec import CLOUDS, ROLES
from sandbox.stacks.operation import UNCHANGED
from tests.deployed import region_stacks
from tests.engine.inventory import assert_agreement

if TYPE_CHECKING:
    from pathlib import Path

    from components.plan.spec import Cloud
    from tests.deployed import Deployed

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_region_comes_up_from_empty_whole(cloud: Cloud, deployed: Deployed) -> None:
    assert_agreement(deployed.stack(cloud))
    document = deployed.state(cloud)
    assert not document.get("pending_operations")
    assert not [found["urn"] for found in document["resources"] if found.get("initErrors")]
    assert set(deployed.stack(cloud).outputs()["manifest"]["identities"]) == set(ROLES)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_nothing_was_warned_of(cloud: Cloud, deployed: Deployed) -> None:
    assert [line for line in deployed.said(cloud).splitlines() if line.lstrip().startswith("warning:")] == []


@pytest.mark.parametrize("cloud", CLOUDS)
def test_another_up_and_a_refresh_change_nothing(cloud: Cloud, deployed: Deployed, tmp_path: Path) -> None:
    with deployed.copy(tmp_path / "copy") as sandbox:
        stack = region_stacks(sandbox)[cloud]
        again = stack.up()
        assert (again.changed, again.touched()) == (False, set())
        # A reference shows what the peer has said since: nothing of this region.
        drifted = [step.urn for step in stack.refresh().steps if step.operation not in UNCHANGED]
        assert [urn for urn in drifted if "::pulumi:pulumi:StackReference::" not in urn] == []
