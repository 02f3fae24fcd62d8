"""What an operation says about a stack, on the real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.stacks.operation import announced

if TYPE_CHECKING:
    from tests.harness import Sandbox, Stack

pytestmark = pytest.mark.engine

SOURCE = """
import pulumi, pulumi_random as random
config = pulumi.Config()
random.RandomPet("pet", length=config.require_int("length"))
pulumi.export("word", pulumi.Output.secret(config.require("word")))
pulumi.export("deep", {"in": [pulumi.Output.secret(1), {"plain": 2}]})
"""


def seen_by_others(stack: Stack) -> str:
    return announced(stack.name, project=stack.project, environment=stack.sandbox.environment())


def test_others_see_news_when_a_secret_output_changes_and_none_when_only_resources_do(sandbox: Sandbox) -> None:
    stack = sandbox.stack("dev", sandbox.program(SOURCE, "announced"))
    stack.configure(length=2, word="one")
    stack.up()
    first = seen_by_others(stack)
    assert "one" not in first

    stack.configure(length=3)
    assert stack.up().changed
    assert seen_by_others(stack) == first

    stack.configure(word="two")
    stack.up()
    assert seen_by_others(stack) != first


def test_secrets_are_masked_however_deep_they_lie(sandbox: Sandbox) -> None:
    stack = sandbox.stack("dev", sandbox.program(SOURCE, "masked"))
    stack.configure(length=2, word="hush")
    assert stack.up().outputs == {"word": "[secret]", "deep": {"in": ["[secret]", {"plain": 2}]}}
