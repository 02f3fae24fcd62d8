"""The platform itself breaks no rule: as it is deployed, as the engine judges its state, and in the other profile."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from components.plan.spec import CLOUDS, Cloud
from policies import levels
from policies.catalogue import catalogue
from policies.context import now
from policies.report.evaluate import NOTHING, Report, evaluate
from policies.report.state import load
from policies.settings import Settings
from sandbox.home import TREE
from tests.deployed import Deployed
from tests.harness import Sandbox

pytestmark = pytest.mark.engine

PACK = ("--policy-pack", str(TREE / "policies"))
DEPLOY = (*PACK, "--policy-pack-config", str(levels.file("deploy")))
_SEALED = "vpn-psk-unique-secret"
"""Judges secrets, which an export hides."""
_IDLE = {
    # Of Kubernetes, which no region has.
    "k8s-api-private",
    "k8s-secrets-encrypted",
    "pdb-present",
    "pod-security-context",
    # Of what lies in the products themselves: policies, tokens, login roles.
    "acl-no-extra-management",
    "login-role-bound",
    "token-ttl-bounded",
    "vault-policy-no-sudo",
}


def _judged(deployed: Deployed, cloud: Cloud) -> Report:
    text = json.dumps({"deployment": deployed.state(cloud)})
    return evaluate(load(text, f"the state of {cloud}"), Settings(), now(), TREE)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_rule_is_violated_by_what_is_deployed(deployed: Deployed, cloud: Cloud) -> None:
    report = _judged(deployed, cloud)
    assert not [(verdict.rule.id, verdict.urn, verdict.finding) for verdict in report.blocking]
    assert {outcome.rule.id for outcome in report.outcomes if outcome.undecided} <= {_SEALED}
    assert report.pairs > 1000


def test_only_rules_on_what_the_platform_does_not_hold_have_nothing_to_judge(deployed: Deployed) -> None:
    idle = [{o.rule.id for o in _judged(deployed, cloud).outcomes if o.status == NOTHING} for cloud in CLOUDS]
    assert set.intersection(*idle) == _IDLE


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_engine_finds_no_violation_in_the_state_with_its_secrets(deployed: Deployed, cloud: Cloud) -> None:
    stack = deployed.stack(cloud)
    command = ["pulumi", "policy", "analyze", "--stack", cloud, *DEPLOY, "--json"]
    environment = stack.sandbox.environment()
    done = subprocess.run(command, cwd=TREE, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "[mandatory]" not in done.stdout


def test_no_rule_is_violated_by_a_platform_of_the_other_profile(fresh_sandbox: Sandbox) -> None:
    """Three voters lose one and stand without reserve: that is for environments that nobody depends on."""
    stacks = {cloud: fresh_sandbox.stack(cloud) for cloud in CLOUDS}
    for stack in stacks.values():
        stack.configure(profile="small", environment="dev")
    primary, *others = (stacks[cloud] for cloud in CLOUDS)
    assert primary.up(*DEPLOY).changed
    for stack in others:
        assert stack.preview(*DEPLOY).changed


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"deletion": "open"}, "delete-guarded"),
        ({"seal": "shamir"}, "seal-key-present"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_edit_of_the_stack_file_that_breaks_a_rule_is_blocked_with_what_to_do(
    deployed: Deployed, tmp_path: Path, settings: dict[str, object], rule: str
) -> None:
    with deployed.copy(tmp_path / "sandbox") as sandbox:
        stack = sandbox.stack("aws")
        stack.configure(**settings)
        result = stack.preview(*DEPLOY, fails=True)
    said = [v.message for v in result.violations if v.level == "mandatory"]
    assert result.code == 1
    assert any(f"{rule}: " in each and catalogue()[rule].remediation in each for each in said), said
