"""A new version reaches a voter only when the update names it, and then that one machine alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from components.plan.spec import CLOUDS
from tests.deployed import plan, region_stacks
from tests.engine.inventory import assert_agreement, existing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from components.plan.spec import Cloud
    from tests.deployed import Deployed
    from tests.harness import Sandbox

pytestmark = pytest.mark.engine

NEXT = "1.21.5"
MACHINES = {
    "aws": ("aws:ec2/instance:Instance", ("userDataBase64",)),
    "azure": ("azure-native:compute:VirtualMachine", ("osProfile", "customData")),
    "gcp": ("gcp:compute/instance:Instance", ("metadata", "user-data")),
}
"""Type of a server, and where its user data is."""
KEPT = {
    "aws": ("aws:ebs/volume:Volume",),
    "azure": ("azure-native:compute:Disk", "azure-native:network:NetworkInterface"),
    "gcp": ("gcp:compute/disk:Disk",),
}
"""What a machine leaves to its successor."""


LIFTS = {"aws": 0, "azure": 0, "gcp": 1}
"""Updates that only lift the guard of the chosen machine, before the one that replaces it."""


def _names(urns: set[str]) -> set[str]:
    return {urn.rpartition("::")[2] for urn in urns}


def _of_type(sandbox: Sandbox, cloud: Cloud, *types: str) -> dict[str, Mapping[str, Any]]:
    return {urn: found for urn, found in existing(sandbox, cloud).items() if found["type"] in types}


def _user_data(sandbox: Sandbox, cloud: Cloud) -> dict[str, str]:
    type_, path = MACHINES[cloud]
    told: dict[str, str] = {}
    for machine in _of_type(sandbox, cloud, type_).values():
        value: Any = machine["inputs"]
        for step in path:
            value = value[step]
        told[machine["name"]] = value
    return told


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_version_reaches_exactly_the_server_that_a_rollout_names(
    cloud: Cloud, deployed: Deployed, tmp_path: Path
) -> None:
    chosen = f"consul-{cloud}-2"
    with deployed.copy(tmp_path / "copy") as sandbox:
        stack = region_stacks(sandbox)[cloud]
        machines, left = _of_type(sandbox, cloud, MACHINES[cloud][0]), _of_type(sandbox, cloud, *KEPT[cloud])
        told = _user_data(sandbox, cloud)

        stack.configure(versions={**plan(cloud).platform.versions, "consul": NEXT})
        touched = stack.up().touched()
        assert touched
        assert not touched & machines.keys()
        assert _user_data(sandbox, cloud) == told

        stack.configure(rollout=[chosen])
        for _ in range(LIFTS[cloud]):
            assert _names(stack.up().touched() & machines.keys()) == {chosen}
        last = stack.up()
        assert _names(last.touched() & machines.keys()) == {chosen}
        assert _names(last.touched("create-replacement") & machines.keys()) == {chosen}

        again = _user_data(sandbox, cloud)
        assert again[chosen] != told[chosen]
        assert {name: text for name, text in again.items() if name != chosen} == {
            name: text for name, text in told.items() if name != chosen
        }
        assert _of_type(sandbox, cloud, *KEPT[cloud]) == left
        assert_agreement(stack)
