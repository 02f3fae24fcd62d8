"""The rules notice: each of them, for each cloud's way of getting something wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from components.plan.spec import CLOUDS
from tests.contract.readers import READERS
from tests.contract.rules import RULES
from tests.contract.state import State
from tests.contract.worse import MUTATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.plan.spec import Cloud, Stack
    from tests.contract.worse.mutation import Mutation

pytestmark = pytest.mark.engine

ONE_CLOUD = {"callers_of_balancers_as_planned": "only AWS's balancers have a firewall"}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_a_worse_region_breaks_its_rule(
    mutation: Mutation, states: Mapping[Cloud, State], plans: Mapping[Cloud, Stack]
) -> None:
    plan = plans[mutation.cloud]
    worse = State(mutation.apply(states[mutation.cloud].document))
    assert list(mutation.rule(READERS[mutation.cloud](worse, plan), plan))


def test_every_rule_is_broken_once_in_every_cloud() -> None:
    broken = {(mutation.rule, mutation.cloud) for mutation in MUTATIONS}
    whole = {(rule, cloud) for rule in RULES for cloud in CLOUDS if rule.__name__ not in ONE_CLOUD or cloud == "aws"}
    assert broken == whole
