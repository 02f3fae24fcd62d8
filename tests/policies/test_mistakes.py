"""Mistakes that were made elsewhere are stopped here, on the real engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies.catalogue import catalogue
from sandbox.stacks.operation import Result
from tests.harness import Sandbox
from tests.policies.test_engine import PACK, PROGRAM, SETTINGS

pytestmark = pytest.mark.engine

MISTAKES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "mistakes.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def blocked(sandbox: Sandbox) -> Result:
    """One preview of all mistakes; each resource's name says which it is."""
    project = sandbox.program(PROGRAM.read_text(encoding="utf-8"), "mistakes")
    (project / "Pulumi.mistakes.yaml").write_text(yaml.safe_dump({"config": SETTINGS}), encoding="utf-8")
    entries = [
        {"above": [], "protect": False, "ignoreChanges": [], "depends": {}, **resource, "name": _name(number, resource)}
        for number, mistake in enumerate(MISTAKES)
        for resource in mistake["resources"]
    ]
    file = project / "resources.json"
    file.write_text(json.dumps(entries), encoding="utf-8")
    stack = sandbox.stack("mistakes", project)
    return stack.preview("--policy-pack", str(PACK), env={"HMC_RESOURCES": str(file)}, fails=True)


def _name(number: int, resource: dict[str, Any]) -> str:
    return f"m{number}-{resource['name']}"


@pytest.mark.parametrize("number", [pytest.param(n, id=each["mistake"]) for n, each in enumerate(MISTAKES)])
def test_a_known_mistake_is_blocked_with_what_to_do(blocked: Result, number: int) -> None:
    names = {_name(number, resource) for resource in MISTAKES[number]["resources"]}
    told = {
        text.split(":")[0]: text
        for violation in blocked.violations
        if violation.level == "mandatory" and violation.urn.rpartition("::")[2] in names
        for text in [violation.message.split("\n", 1)[-1]]
    }
    assert set(MISTAKES[number]["rules"]) <= set(told), f"{told} {blocked.diagnostics}"
    for rule in MISTAKES[number]["rules"]:
        assert catalogue()[rule].remediation in told[rule]


def test_no_message_repeats_a_key_that_a_mistake_gave_away(blocked: Result) -> None:
    said = "\n".join([*(v.message for v in blocked.violations), *(d.message for d in blocked.diagnostics)])
    assert "AKIA" not in said
    assert "wJalr" not in said
