"""An update that is cut off is finished by the next one, whatever was half made, and nothing is there twice."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import pytest

from components.plan.spec import PRIMARY
from tests.deployed import region_stacks
from tests.engine.inventory import assert_agreement, believed, existing, listed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from components.plan.spec import Cloud
    from tests.deployed import Deployed
    from tests.harness import Sandbox

pytestmark = [pytest.mark.engine, pytest.mark.lab]

Effect = Literal["fail", "partial"]
"""Before creation; or after it, with the engine told that it is only half done."""


@contextmanager
def _before(cloud: Cloud, deployed: Deployed, fresh: Sandbox, folder: Path) -> Iterator[Sandbox]:
    """The world in which the region's first update runs."""
    if cloud == PRIMARY:
        yield fresh
        return
    with deployed.copy(folder, "primary") as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("cloud", "effects"),
    [
        ("aws", ("fail", "fail", "fail")),
        ("aws", ("partial", "partial", "partial")),
        ("azure", ("partial", "fail", "partial")),
        ("gcp", ("fail", "partial", "fail")),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_an_up_cut_off_at_the_first_a_middle_and_the_last_resource_is_finished_by_the_next(
    cloud: Cloud,
    effects: tuple[Effect, Effect, Effect],
    deployed: Deployed,
    fresh_sandbox: Sandbox,
    tmp_path: Path,
) -> None:
    whole = (
        believed(deployed.stack(PRIMARY, "primary"))
        if cloud == PRIMARY
        else listed(deployed.state(cloud, after="first"))
    ).keys()
    with _before(cloud, deployed, fresh_sandbox, tmp_path / "copy") as sandbox:
        stack = region_stacks(sandbox)[cloud]
        for effect, place in zip(effects, (1, len(whole) // 2, len(whole)), strict=True):
            made = len(existing(sandbox, cloud))
            with sandbox.faults({"on": "create", "stack": cloud, "nth": place - made, "effect": effect}):
                stack.up(fails=True)
            assert made <= len(existing(sandbox, cloud)) <= len(whole)
        stack.up()
        assert existing(sandbox, cloud).keys() == whole
        assert_agreement(stack)
        assert not [found["urn"] for found in stack.export()["resources"] if found.get("initErrors")]
