"""The three regions as registered, and as read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from components.plan.spec import CLOUDS
from tests.contract.readers import READERS
from tests.contract.state import State
from tests.deployed import plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.plan.spec import Cloud, Stack
    from tests.contract.posture import Posture
    from tests.deployed import Deployed


@pytest.fixture(scope="session")
def plans() -> Mapping[Cloud, Stack]:
    """What was to be built."""
    return {cloud: plan(cloud) for cloud in CLOUDS}


@pytest.fixture(scope="session")
def states(deployed: Deployed) -> Mapping[Cloud, State]:
    """What was registered, secrets in clear: readers compare a tunnel's key with the entries of the store."""
    return {cloud: State(deployed.stack(cloud).export(secrets=True)) for cloud in CLOUDS}


@pytest.fixture(scope="session")
def postures(states: Mapping[Cloud, State], plans: Mapping[Cloud, Stack]) -> Mapping[Cloud, Posture]:
    """What that means."""
    return {cloud: READERS[cloud](states[cloud], plans[cloud]) for cloud in CLOUDS}
