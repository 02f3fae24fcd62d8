"""Every rule holds in every region, read from what an update registered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from components.plan.spec import CLOUDS
from tests.contract.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.plan.spec import Cloud, Stack
    from tests.contract.posture import Posture
    from tests.contract.rules import Rule

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_region_keeps(
    cloud: Cloud, rule: Rule, postures: Mapping[Cloud, Posture], plans: Mapping[Cloud, Stack]
) -> None:
    assert list(rule(postures[cloud], plans[cloud])) == []
