"""Every rule fires on the real engine, which then stops with 1 before anything exists."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import timedelta

import pytest
import yaml

from policies.catalogue import RAISED, Area
from policies.context import now
from policies.rules import AREAS
from policies.settings import Settings
from sandbox.home import TREE
from sandbox.stacks import operation
from tests.harness import Sandbox, Stack
from tests.policies.broken import Broken, broken
from tests.policies.cases.change.exemption_valid import ENTRY

pytestmark = pytest.mark.engine

PACK = TREE / "policies"
DEPLOY = PACK / "levels" / "deploy.json"
PROGRAM = TREE / "tests" / "policies" / "registering.py"
TAGS = dict.fromkeys(("Cluster", "Product", "Environment", "Owner"), "example") | {"Project": "hashicorp-multicloud"}
FACTS = {"environment": "dev", "region": "us-west-2", "approvedRegions": list(Settings().approved_regions)}
SETTINGS = {
    "aws:region": "us-west-2",
    "azure-native:location": "westus2",
    "azure-native:subscriptionId": "00000000-0000-4000-8000-000000000001",
    "gcp:project": "hashicorp-multicloud",
    "gcp:region": "us-west1",
    "vault:address": "https://vault.hashicorp.example.com:8200",
    "consul:address": "consul.hashicorp.example.com:8501",
    "nomad:address": "https://nomad.hashicorp.example.com:4646",
}


def _stack(sandbox: Sandbox, name: str, listed: list[Broken]) -> tuple[Stack, dict[str, str]]:
    project = sandbox.program(PROGRAM.read_text(encoding="utf-8"), name)
    (project / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump({"config": SETTINGS}), encoding="utf-8")
    stack = sandbox.stack(name, project)
    file = project / "resources.json"
    file.write_text(json.dumps([entry for each in listed for entry in each.entries]), encoding="utf-8")
    return stack, {"HMC_RESOURCES": str(file)}


@pytest.mark.parametrize("area", [area for area, rules in AREAS.items() if rules])
def test_every_rule_of_an_area_blocks_a_program_that_breaks_it(sandbox: Sandbox, area: Area) -> None:
    rules = [rule for rule in AREAS[area] if rule.id != "exemption-used"]
    listed = [each for rule in rules for each in broken(rule)]
    stack, environment = _stack(sandbox, f"broken-{area}", listed)
    flags = ("--policy-pack", str(PACK), "--policy-pack-config", str(DEPLOY))
    result = stack.preview(*flags, env=environment, fails=True)
    assert result.code == 1
    told = {violation.message.split("\n", 1)[-1].split(":")[0] for violation in result.violations}
    blocked = {
        violation.message.split("\n", 1)[-1].split(":")[0]
        for violation in result.violations
        if violation.level == "mandatory"
    }
    assert {rule.id for rule in rules} <= told, result.diagnostics
    assert {rule.id for rule in rules} - RAISED <= blocked


def test_an_update_that_the_pack_blocks_creates_nothing(fresh_sandbox: Sandbox) -> None:
    listed = [each for rules in AREAS.values() for rule in rules[:2] for each in broken(rule)]
    stack, environment = _stack(fresh_sandbox, "blocked", listed)
    command = ["up", "--yes", "--non-interactive", "--stack", stack.name, "--config-file", str(stack.file)]
    done = subprocess.run(
        [str(fresh_sandbox.home.engine.program), *command, "--policy-pack", str(PACK)],
        cwd=stack.project,
        env={**fresh_sandbox.environment(), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert not fresh_sandbox.existing()


def test_the_same_resources_pass_without_the_pack(sandbox: Sandbox) -> None:
    """What the engine refuses above, it refuses for the pack and for nothing else."""
    listed = [each for rules in AREAS.values() for rule in rules for each in broken(rule)]
    stack, environment = _stack(sandbox, "unguarded", listed)
    assert stack.preview(env=environment).resources > len(listed) // 2


def _guarded(sandbox: Sandbox, name: str, exemptions: list[dict[str, object]]) -> tuple[int, list[str]]:
    """Exit code and messages of a preview of a key without rotation, under the pack of a project with these exemptions.

    The pack reads the stack's file of the project that it lies in, so it is given one.
    """
    props = {"deletionWindowInDays": 30, "tags": TAGS}
    entries = [
        {"type": "hashicorp:compliance:Facts", "props": {**FACTS, "stack": name, "exemptions": exemptions}},
        {"type": "aws:kms/key:Key", "props": props, "protect": True},
    ]
    listed = [
        {"name": f"thing-{number}", "above": [], "protect": False, "ignoreChanges": [], "depends": {}, **entry}
        for number, entry in enumerate(entries)
    ]
    stack, environment = _stack(sandbox, name, [Broken("", tuple(listed))])
    file = stack.project / f"Pulumi.{name}.yaml"
    file.write_text(yaml.safe_dump({"config": {**SETTINGS, f"{name}:exemptions": exemptions}}), encoding="utf-8")
    pack = stack.project / "policies"
    shutil.copytree(PACK, pack, ignore=shutil.ignore_patterns(".venv", "__pycache__"))
    (pack / ".venv").symlink_to(PACK / ".venv")
    for shared in ("components", "operations"):
        (stack.project / shared).symlink_to(TREE / shared)
    result = operation.run(
        "preview",
        name,
        project=stack.project,
        environment={**sandbox.environment(), **environment},
        flags=("--config-file", str(stack.file), "--policy-pack", str(pack)),
    )
    assert not result.complaint or result.violations, result.complaint
    return result.code, [
        f"{violation.level} {violation.message.partition(chr(10))[2]}" for violation in result.violations
    ]


def _entry(**changes: object) -> dict[str, object]:
    ends = (now().date() + timedelta(days=20)).isoformat()
    return {**ENTRY, "rule": "key-rotation", "urn": "*kms/key:Key::thing-*", "expires": ends, **changes}


def test_an_exemption_in_force_lets_a_change_pass_and_says_so(sandbox: Sandbox) -> None:
    code, said = _guarded(sandbox, "blocked-key", [])
    assert code == 1
    assert any(each.startswith("mandatory key-rotation") for each in said)
    _, said = _guarded(sandbox, "exempted-key", [_entry()])
    assert not any(each.startswith("mandatory key-rotation") for each in said)
    assert not any("exemption-valid" in each for each in said)
    assert any(each.startswith("advisory exemption-used: key-rotation is suppressed here") for each in said)
    assert any("20 days" in each for each in said)


@pytest.mark.parametrize(
    ("name", "changes", "wanted"),
    [
        ("ended", {"expires": "2026-01-01"}, "ended on 2026-01-01"),
        ("unknown", {"rule": "key-rotations"}, "rule is unknown"),
        ("elsewhere", {"urn": "*kms/key:Key::nothing-*"}, "matches no resource"),
        ("needless", {"rule": "principal-no-wildcard"}, "suppresses nothing any more"),
    ],
)
def test_an_exemption_that_is_broken_or_needless_blocks(
    sandbox: Sandbox, name: str, changes: dict[str, object], wanted: str
) -> None:
    code, said = _guarded(sandbox, f"exemption-{name}", [_entry(**changes)])
    assert code == 1
    assert any(each.startswith("mandatory exemption-valid") and wanted in each for each in said), said
