"""The harness reports what the engine did: other tests rest on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.harness import Sandbox

pytestmark = pytest.mark.engine

PETS = """
import pulumi, pulumi_random as random
config = pulumi.Config()
for number in range(config.require_int("pets")):
    random.RandomPet(f"pet-{number}", opts=pulumi.ResourceOptions(protect=number == 0 and config.get_bool("keep")))
pulumi.export("pets", config.require_int("pets"))
pulumi.export("word", pulumi.Output.secret("hush hush"))
"""


def test_operations_report_counts_outputs_and_what_they_touched(sandbox: Sandbox) -> None:
    stack = sandbox.stack("dev", sandbox.program(PETS, "counts"))
    stack.configure(pets=2)

    assert stack.preview().changes == {"create": 3}
    created = stack.up()
    assert created.changes == {"create": 3}
    assert created.resources == 3
    assert created.outputs == {"pets": 2, "word": "[secret]"}

    again = stack.up()
    assert not again.changed
    assert again.touched() == set()
    assert not stack.refresh().changed

    stack.configure(pets=1)
    fewer = stack.up()
    assert fewer.changes == {"same": 2, "delete": 1}
    assert fewer.resources == 2
    assert {urn.rpartition("::")[2] for urn in fewer.touched("delete")} == {"pet-1"}

    assert stack.outputs()["word"] == "hush hush"
    assert "hush" not in str(stack.export())
    stack.destroy()
    assert not stack.export().get("resources")


def test_a_failing_program_is_a_failure_with_its_message(sandbox: Sandbox) -> None:
    stack = sandbox.stack("dev", sandbox.program("raise ValueError('no such shape')", "broken"))
    assert "no such shape" in stack.up(fails=True).errors[0].message
    with pytest.raises(AssertionError, match="no such shape"):
        stack.up()
    stack.project.joinpath("__main__.py").write_text("")
    with pytest.raises(AssertionError):
        stack.up(fails=True)


def test_a_fault_strikes_once_and_the_next_up_finishes_without_duplicates(fresh_sandbox: Sandbox) -> None:
    stack = fresh_sandbox.stack("dev", fresh_sandbox.program(PETS, "faulty"))
    stack.configure(pets=3)
    with fresh_sandbox.faults({"on": "create", "nth": 2, "effect": "fail"}):
        struck = stack.up("--parallel", "1", fails=True)
    assert [step.operation for step in struck.steps if step.failed] == ["create"]
    assert len(fresh_sandbox.existing()) == 1

    assert stack.up().changes == {"same": 2, "create": 2}
    assert len(fresh_sandbox.existing()) == 3


def test_destroy_keeps_what_is_protected_when_told_so(sandbox: Sandbox) -> None:
    stack = sandbox.stack("dev", sandbox.program(PETS, "kept"))
    stack.configure(pets=2, keep=True)
    stack.up()
    stack.destroy("--exclude-protected")
    left = [resource["urn"].rpartition("::")[2] for resource in stack.export()["resources"] if resource["custom"]]
    assert "pet-0" in left
    assert "pet-1" not in left
    stack.destroy(fails=True)
    stack.configure(keep=None)
    stack.up()
    stack.destroy()
