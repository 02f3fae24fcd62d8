"""Which stacks need an update before they can be destroyed, on the real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.stacks.guards import guarded

if TYPE_CHECKING:
    from tests.harness import Sandbox

pytestmark = pytest.mark.engine

SOURCE = """
import pulumi, pulumi_gcp as gcp
config = pulumi.Config()
gcp.secretmanager.Secret(
    "entry",
    secret_id="entry",
    project="platform-sandbox",
    replication={"auto": {}},
    deletion_protection=config.require("guard") == "yes",
    opts=pulumi.ResourceOptions(protect=config.require("protect") == "yes"),
)
"""


@pytest.mark.parametrize(
    ("guard", "protect", "expected"),
    [("yes", "no", True), ("no", "no", False), ("yes", "yes", False)],
    ids=["guarded", "lifted", "of the lineage, which stays"],
)
def test_a_guard_outside_the_lineage_must_be_lifted(
    fresh_sandbox: Sandbox, guard: str, protect: str, *, expected: bool
) -> None:
    stack = fresh_sandbox.stack("dev", fresh_sandbox.program(SOURCE, "guards"))
    stack.configure(guard=guard, protect=protect)
    stack.up()
    environment = stack.sandbox.environment()
    assert guarded(stack.name, project=stack.project, environment=environment) is expected


def test_an_empty_stack_has_nothing_to_lift(fresh_sandbox: Sandbox) -> None:
    stack = fresh_sandbox.stack("dev", fresh_sandbox.program(SOURCE, "guards"))
    assert not guarded(stack.name, project=stack.project, environment=stack.sandbox.environment())
