"""A region that is destroyed leaves its lineage, and comes back on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from components.plan.manifest import Manifest
from components.plan.spec import CLOUDS, PRIMARY
from sandbox.stacks.operation import UNCHANGED
from tests.deployed import plan, region_stacks
from tests.engine.inventory import assert_agreement, believed, existing, protected

if TYPE_CHECKING:
    from pathlib import Path

    from components.plan.spec import Cloud
    from tests.deployed import Deployed

pytestmark = pytest.mark.engine

PAIR = "hashicorp:mesh:VpnPair"
"""What a rebuilt peer's new gateway moves, beside the record of what was last heard of it."""
MACHINES = {
    "aws": "aws:ec2/instance:Instance",
    "azure": "azure-native:compute:VirtualMachine",
    "gcp": "gcp:compute/instance:Instance",
}


@pytest.mark.lab
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_destroyed_region_comes_back_on_its_lineage(cloud: Cloud, deployed: Deployed, tmp_path: Path) -> None:
    with deployed.copy(tmp_path / "copy") as sandbox:
        stacks = region_stacks(sandbox)
        stack = stacks[cloud]
        before, guarded = stack.outputs(), protected(stack)

        stack.configure(deletion="open")
        assert not stack.up().touched("create", "replace", "delete")
        # The mesh's gateways are guarded like machines: they are no lineage.
        lineage = protected(stack)
        stack.destroy("--exclude-protected")
        assert_agreement(stack)
        assert lineage.items() <= believed(stack).items()
        assert not [record for record in existing(sandbox, cloud).values() if record["type"] == MACHINES[cloud]]

        stack.configure(deletion=None)
        stack.up()
        assert_agreement(stack)
        after, earlier = (
            Manifest.model_validate(stack.outputs()["manifest"]),
            Manifest.model_validate(before["manifest"]),
        )
        assert protected(stack).keys() == guarded.keys()
        assert lineage.items() <= protected(stack).items()
        assert stack.outputs().get("lineage") == before.get("lineage")
        assert (after.ca_certificate, after.keys, after.secrets) == (
            earlier.ca_certificate,
            earlier.keys,
            earlier.secrets,
        )
        if cloud == PRIMARY:
            for peer in plan(PRIMARY).platform.peers(PRIMARY):
                moved = [step.urn for step in stacks[peer.cloud].preview().steps if step.operation not in UNCHANGED]
                assert all(PAIR in urn or "record-manifest" in urn for urn in moved), moved


def test_a_plain_destroy_is_refused_and_leaves_the_lineage(deployed: Deployed, tmp_path: Path) -> None:
    with deployed.copy(tmp_path / "copy") as sandbox:
        stack = region_stacks(sandbox)[PRIMARY]
        lineage = protected(stack)
        result = stack.destroy(fails=True)
        assert "protect" in " ".join(item.message for item in result.errors)
        assert_agreement(stack)
        assert protected(stack) == lineage
