"""Workflows run what people run, with nothing else's word taken on trust."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from sandbox.home import TREE
from sandbox.stacks import order
from sandbox.toolchain.node_packages import node
from sandbox.toolchain.table import PULUMI

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GITHUB = TREE / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
EVERY = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.stem)
PINNED = re.compile(r"^ *(?:- )?uses: (?P<action>[\w./-]+)@(?P<digest>[0-9a-f]{40}) # (?P<version>v\d+\.\d+\.\d+)$")
FAKE_GITHUB = Path(__file__).with_name("github.cjs")
OURS = {"login": "github-actions[bot]"}
MARKER = "<!-- preview of the stack aws -->"


def read(workflow: Path) -> dict[Any, Any]:
    return yaml.safe_load(workflow.read_text(encoding="utf-8"))


def job(name: str) -> dict[str, Any]:
    (only,) = read(GITHUB / "workflows" / f"{name}.yml")["jobs"].values()
    return only


def steps(workflow: Path) -> Iterator[dict[str, Any]]:
    for each in read(workflow)["jobs"].values():
        yield from each["steps"]


def step(**wanted: str) -> dict[str, Any]:
    """The step of preview.yml that has these values."""
    (found,) = (each for each in job("preview")["steps"] if wanted.items() <= each.items())
    return found


def using(workflow: Path, action: str) -> dict[str, Any]:
    """What a workflow gives to an action."""
    (found,) = (each for each in steps(workflow) if each.get("uses", "").startswith(f"{action}@"))
    return found["with"]


def recipe(target: str) -> list[str]:
    """The words of a target's only command."""
    text = (TREE / "Makefile").read_text(encoding="utf-8")
    found = re.search(rf"^{target}:.*\n\t@?(.+)\n(?!\t)", text, re.MULTILINE)
    assert found, target
    return found[1].replace("$(BIN)", str(TREE / ".venv" / "bin")).split()


def findings(folder: Path) -> set[str]:
    """What `make lint-workflows` finds in a folder that holds a .github."""
    command = [*recipe("lint-workflows"), "--format", "json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found = {finding["ident"] for finding in json.loads(done.stdout)}
    assert bool(done.returncode) == bool(found), done.stderr
    return found


def test_every_action_is_pinned_by_one_digest_with_its_version() -> None:
    pins: dict[str, set[tuple[str, str]]] = {}
    for workflow in WORKFLOWS:
        for line in workflow.read_text(encoding="utf-8").splitlines():
            if "uses:" in line:
                found = PINNED.match(line)
                assert found, f"{workflow.name}: {line.strip()}"
                pins.setdefault(found["action"], set()).add((found["digest"], found["version"]))
    assert pins
    assert {action: known for action, known in pins.items() if len(known) > 1} == {}


@EVERY
def test_permissions_are_given_to_jobs_one_by_one_and_no_secret_is_held(workflow: Path) -> None:
    text, document = workflow.read_text(encoding="utf-8"), read(workflow)
    assert document["permissions"] == {}
    assert all(isinstance(each["permissions"], dict) for each in document["jobs"].values())
    assert "secrets." not in text
    assert "pull_request_target" not in text


@EVERY
def test_no_expression_is_pasted_into_a_command_or_a_script(workflow: Path) -> None:
    for each in steps(workflow):
        assert "${{" not in each.get("run", "")
        assert "${{" not in each.get("with", {}).get("script", "")


@EVERY
def test_every_job_ends_in_time_and_leaves_no_token_in_the_clone(workflow: Path) -> None:
    assert all(0 < each["timeout-minutes"] <= 90 for each in read(workflow)["jobs"].values())
    assert using(workflow, "actions/checkout")["persist-credentials"] is False


@EVERY
def test_python_is_the_oldest_that_the_project_takes(workflow: Path) -> None:
    project = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f">={using(workflow, 'actions/setup-python')['python-version']}" == project["requires-python"]


def test_the_engine_is_the_one_that_the_sandbox_builds() -> None:
    assert using(GITHUB / "workflows" / "preview.yml", "pulumi/actions") == {"pulumi-version": PULUMI.version}


def test_each_stack_of_the_project_has_a_job_of_its_own() -> None:
    preview = job("preview")
    assert preview["strategy"]["matrix"]["stack"] == [stack.name for stack in order.stacks(TREE)]
    assert preview["strategy"]["fail-fast"] is False
    assert preview["env"]["STACK"] == "${{ matrix.stack }}"


def test_a_job_signs_in_to_the_cloud_of_its_stack() -> None:
    actions = {
        "aws": "aws-actions/configure-aws-credentials",
        "azure": "azure/login",
        "gcp": "google-github-actions/auth",
    }
    conditions = {each.get("uses", "").partition("@")[0]: each.get("if") for each in job("preview")["steps"]}
    for stack in order.stacks(TREE):
        assert conditions[actions[stack.cloud]] == f"contains(env.CLOUDS, '{stack.name}')"
    assert job("preview")["env"]["CLOUDS"].startswith("${{ matrix.stack }} ")


def test_a_forks_code_gets_no_identity() -> None:
    assert job("preview")["if"] == "github.event.pull_request.head.repo.full_name == github.repository"


def test_a_preview_runs_make_targets_on_the_repositorys_own_clouds() -> None:
    makefile = (TREE / "Makefile").read_text(encoding="utf-8")
    ran = [each["run"] for each in job("preview")["steps"] if "run" in each]
    targets = [re.findall(r"^make (?:-s )?([a-z]+)\b", command, re.MULTILINE) for command in ran]
    assert targets == [["venv"], ["preview"], ["gate"], ["compliance"]]
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for (target,) in targets)
    assert job("preview")["env"]["BACKEND"] == "own"


def test_ci_runs_what_ci_runs_anywhere() -> None:
    assert [each["run"] for each in steps(GITHUB / "workflows" / "ci.yml") if "run" in each] == [
        'sudo env "PATH=$PATH" bash .ci/run'
    ]


def test_the_linter_finds_nothing() -> None:
    assert findings(TREE) == set()


@pytest.mark.parametrize(
    ("good", "bad", "finding"),
    [
        (r"(actions/setup-python)@[0-9a-f]{40} # \S+", r"\1@v6", "unpinned-uses"),
        (r"\n +with:\n +persist-credentials: false", "", "artipacked"),
        ("permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("on: pull_request", "on: pull_request_target", "dangerous-triggers"),
        (r'STACK="\$STACK" 2>&1', "STACK=${{ github.head_ref }} 2>&1", "template-injection"),
    ],
)
def test_the_linter_finds_what_is_made_worse(good: str, bad: str, finding: str, tmp_path: Path) -> None:
    shutil.copytree(GITHUB, tmp_path / ".github")
    preview = tmp_path / ".github" / "workflows" / "preview.yml"
    worse, changed = re.subn(good, bad, preview.read_text(encoding="utf-8"))
    assert changed
    preview.write_text(worse, encoding="utf-8")
    assert finding in findings(tmp_path)


def act(wanted: Mapping[str, Any], folder: Path, make: str) -> int:
    """Runs a step's command as a runner does, with a `make` that is this script; returns its exit code."""
    program = folder / "bin" / "make"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{make}\n", encoding="utf-8")
    program.chmod(0o755)
    script = folder / "step.sh"
    script.write_text(wanted["run"], encoding="utf-8")
    shell = {"bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"], None: ["bash", "-e"]}[wanted.get("shell")]
    environment = {"PATH": f"{program.parent}:/usr/bin:/bin", "STACK": "aws"}
    return subprocess.run([*shell, script], cwd=folder, env=environment, capture_output=True, check=False).returncode


@pytest.mark.parametrize("name", ["preview", "gate"])
@pytest.mark.parametrize("code", [0, 2])
def test_a_step_ends_as_make_does_and_keeps_both_of_its_streams(name: str, code: int, tmp_path: Path) -> None:
    tried = step(id=name)
    assert bool(act(tried, tmp_path, f'echo "$@"; echo blocked >&2; exit {code}')) == bool(code)
    assert "continue-on-error" not in tried
    assert (tmp_path / f"{name}.txt").read_text(encoding="utf-8") == f"{name} STACK=aws\nblocked\n"


@pytest.mark.parametrize(("make", "kept"), [("echo '{}'; exit 2", True), ("echo '{}'", True), ("exit 2", False)])
def test_a_report_is_uploaded_if_there_is_one_whatever_it_finds(make: str, kept: bool, tmp_path: Path) -> None:  # noqa: FBT001
    assert bool(act(step(id="compliance"), tmp_path, make)) == ("exit 2" in make)
    assert (tmp_path / "compliance.sarif").exists() == kept
    assert step(name="Upload the report")["if"] == "${{ !cancelled() && hashFiles('compliance.sarif') != '' }}"


@pytest.mark.parametrize("name", ["Gate", "Compliance", "Comment"])
def test_a_preview_that_is_blocked_is_still_explained(name: str) -> None:
    assert step(name=name)["if"] == "${{ !cancelled() && steps.preview.outcome != 'skipped' }}"


def comment(folder: Path, comments: list[dict[str, Any]], *, preview: str = "+ vault", gate: str = "open") -> list[Any]:
    """The comments of a pull request after the script has run on it."""
    (folder / "preview.txt").write_text(preview, encoding="utf-8")
    (folder / "gate.txt").write_text(gate, encoding="utf-8")
    environment = {"STACK": "aws", "PREVIEW": "failure", "GATE": "success", "COMPLIANCE": "skipped"}
    done = subprocess.run(
        [node(), FAKE_GITHUB, GITHUB / "scripts" / "comment.cjs"],
        cwd=folder,
        env=environment,
        input=json.dumps(comments),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_workflow_runs_the_script_that_is_tried_here() -> None:
    given = step(name="Comment")
    assert given["with"]["script"] == 'await require("./.github/scripts/comment.cjs")({ github, context });'
    assert given["env"] == {
        name: f"${{{{ steps.{name.lower()}.outcome }}}}" for name in ("PREVIEW", "GATE", "COMPLIANCE")
    }


def test_the_first_run_says_what_was_found(tmp_path: Path) -> None:
    (made,) = comment(tmp_path, [], preview="\x1b[32m+ vault\x1b[0m", gate="\x1b[1mshut\x1b[0m: two voters")
    body: str = made["body"]
    assert body.startswith(f"{MARKER}\n\n### aws: preview failure, gate success, compliance skipped")
    assert body.index("shut: two voters") < body.index("+ vault")
    assert "\x1b" not in body
    assert "https://github.com/platform/infrastructure/actions/runs/42" in body


def test_a_later_run_writes_its_own_comment_anew_and_no_other(tmp_path: Path) -> None:
    others = [
        {"id": 1, "user": {"login": "somebody"}, "body": f"{MARKER} is what it writes"},
        {"id": 2, "user": OURS, "body": MARKER.replace("aws", "gcp")},
        {"id": 3, "user": None, "body": "by an account that is gone"},
    ]
    before = [*others, {"id": 4, "user": OURS, "body": f"{MARKER} before"}]
    after = comment(tmp_path, before, gate="now")
    assert after[:3] == others
    assert len(after) == len(before)
    assert "now" in after[3]["body"]
    assert "before" not in after[3]["body"]


@pytest.mark.parametrize(
    ("preview", "gate"), [(200_000, 10), (10, 200_000), (200_000, 200_000), (40_000, 20_000)], ids=str
)
def test_what_is_too_long_keeps_its_ends(preview: int, gate: int, tmp_path: Path) -> None:
    (made,) = comment(tmp_path, [], preview="p" * preview + " violation", gate="g" * gate + " shut")
    body: str = made["body"]
    assert len(body) <= 65_000
    assert "p violation\n" in body
    assert "g shut\n" in body
    assert body.count("the beginning is left out") == (preview > 65_000) + (gate > 65_000)


def test_nothing_that_is_shown_ends_its_block(tmp_path: Path) -> None:
    fence = "`" * 40
    (made,) = comment(tmp_path, [], gate=f"before\n{fence}\n@everybody\n```\nafter")
    lines: list[str] = made["body"].splitlines()
    assert [line for line in lines if line.startswith("`" * 10)] == ["`" * 10 + "text", "`" * 10] * 2


def test_a_step_that_wrote_nothing_is_shown_as_nothing(tmp_path: Path) -> None:
    (made,) = comment(tmp_path, [], preview="", gate="")
    assert made["body"].count("`" * 10) == 4
