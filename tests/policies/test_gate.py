"""The gate opens for what may be deployed, and stays shut for what would be lost, unjudged or unrecorded.

Events are the real engine's, of a preview of the real platform; tests change single operations in them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from policies import levels
from policies.context import Context, now
from policies.errors import InputError
from policies.exemptions import Exemptions
from policies.gate.command import app
from policies.gate.judgement import judge
from policies.gate.preview import load, read
from policies.settings import Settings
from sandbox.home import TREE
from sandbox.stacks import operation
from tests.deployed import Deployed
from tests.policies.cases.change.change_recorded import NORMAL

pytestmark = pytest.mark.engine

Events = list[dict[str, Any]]
Change = Callable[[dict[str, Any]], None]

FACTS, KEY, MACHINE = "hashicorp:compliance:Facts", "aws:kms/key:Key", "aws:ec2/instance:Instance"


@pytest.fixture(scope="module")
def recorded(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A preview of the primary in which nothing changes, judged by the pack."""
    folder = tmp_path_factory.mktemp("gate")
    with deployed.copy(folder / "sandbox") as sandbox:
        stack = sandbox.stack("aws")
        flags = ("--config-file", str(stack.file), "--policy-pack", str(TREE / "policies"))
        flags = (*flags, "--policy-pack-config", str(levels.file("deploy")))
        file = folder / "preview.json"
        operation.record("aws", file, project=TREE, environment=sandbox.environment(), flags=flags)
    return file


@pytest.fixture
def events(recorded: Path) -> Events:
    return [json.loads(line) for line in recorded.read_text(encoding="utf-8").splitlines() if line]


def _steps(events: Events) -> Iterator[dict[str, Any]]:
    return (event["resourcePreEvent"]["metadata"] for event in events if "resourcePreEvent" in event)


def _voters(events: Events, product: str) -> list[dict[str, Any]]:
    below = f"hashicorp:products:{product}Cluster$"
    found = [step for step in _steps(events) if step["type"] == MACHINE and below in step["urn"]]
    assert len(found) > 2
    return found


def _said(events: Events, *, pull_request: bool = False, destroying: bool = False) -> list[str]:
    preview = load("\n".join(map(json.dumps, events)), "the preview")
    context = Context(Settings(), now(), Exemptions())
    found = judge(preview, context, pull_request=pull_request, destroying=destroying)
    return [f"{problem.urn} {problem.what}" for problem in found if problem.blocks]


def _recording(**changes: object) -> Change:
    def change(step: dict[str, Any]) -> None:
        inputs = step["new"]["inputs"]
        inputs["change"] = {**inputs["change"], **changes}

    return change


def _facts(events: Events, change: Change) -> None:
    (found,) = [step for step in _steps(events) if step["type"] == FACTS]
    change(found)


def test_what_changes_nothing_and_is_recorded_may_be_deployed(recorded: Path) -> None:
    done = CliRunner().invoke(app, [str(recorded)])
    assert done.exit_code == 0, done.output
    assert "open" in done.output
    preview = read(recorded)
    assert (preview.stack, preview.succeeded) == ("aws", True)
    assert preview.judged > 500


@pytest.mark.parametrize("operation_", ["delete", "replace", "create-replacement", "delete-replaced"])
def test_what_cannot_be_made_again_is_not_lost(events: Events, operation_: str) -> None:
    key = next(step for step in _steps(events) if step["type"] == KEY)
    key["op"] = operation_
    (said,) = _said(events)
    assert key["urn"] in said
    assert "cannot be made again" in said
    _facts(events, _recording(category="major"))
    assert not any(key["urn"] in each for each in _said(events))


def test_whatever_is_protected_counts_as_what_cannot_be_made_again(events: Events) -> None:
    kept = next(step for step in _steps(events) if step["type"].startswith("random:"))
    assert kept["old"]["protect"]
    kept["op"] = "delete"
    assert len(_said(events)) == 1


@pytest.mark.parametrize("operation_", ["replace", "update", "delete"])
def test_one_voter_of_a_cluster_may_be_touched_and_two_may_not(events: Events, operation_: str) -> None:
    one, two, *_ = _voters(events, "Vault")
    one["op"] = operation_
    assert not _said(events)
    _voters(events, "Consul")[0]["op"] = operation_
    assert not _said(events), "a voter of another cluster is no second one"
    two["op"] = operation_
    (said,) = _said(events)
    assert "2 voters of VaultCluster" in said
    assert one["urn"].rpartition("::")[2] in said
    _facts(events, _recording(category="major"))
    assert any("2 voters" in each for each in _said(events)), "no change may touch two"


def test_labels_of_all_voters_may_change_at_once(events: Events) -> None:
    for step in _voters(events, "Nomad"):
        step["op"], step["detailedDiff"] = "update", {"tags.Owner": {"kind": "update"}, "tagsAll.Owner": {}}
    assert not _said(events)
    _voters(events, "Nomad")[0]["detailedDiff"]["instanceType"] = {"kind": "update"}
    assert not _said(events)
    _voters(events, "Nomad")[1]["detailedDiff"] = {}
    assert len(_said(events)) == 1, "a change of which nobody knows what it is counts"


def test_a_whole_cluster_goes_with_a_major_change_alone(events: Events) -> None:
    for step in _voters(events, "Vault"):
        step["op"] = "delete"
    (said,) = _said(events)
    assert "All voters of VaultCluster" in said
    _facts(events, _recording(category="major"))
    assert not any("voters" in each for each in _said(events))


def test_a_preview_that_no_pack_judged_is_refused_unless_it_is_of_a_destroy(events: Events) -> None:
    unjudged = [event for event in events if not any(key.startswith("policy") for key in event)]
    (said,) = _said(unjudged)
    assert "did not judge" in said
    assert not _said(unjudged, destroying=True)
    foreign = [event for event in events if "policyAnalyzeSummaryEvent" in event]
    for event in foreign:
        event["policyAnalyzeSummaryEvent"]["policyPackName"] = "another"
    assert "did not judge" in _said(events)[0]


def test_a_mandatory_violation_keeps_it_shut_with_its_own_words(events: Events) -> None:
    told = next(event["policyEvent"] for event in events if "policyEvent" in event)
    assert not _said(events)
    told["enforcementLevel"] = "mandatory"
    (said,) = _said(events)
    assert told["message"].strip().splitlines()[-1] in said


@pytest.mark.parametrize("change", [{"id": "CHG-7"}, {"approvers": ["one"]}, {"closes": "2026-01-01T00:00:00Z"}])
def test_a_record_that_lacks_something_shuts_the_gate_and_only_warns_on_a_pull_request(
    events: Events, change: Mapping[str, object]
) -> None:
    _facts(events, _recording(**change))
    assert any(f"change.{next(iter(change))}" in each for each in _said(events))
    assert not _said(events, pull_request=True)


def test_a_normal_change_waits_for_its_window(events: Events) -> None:
    _facts(events, lambda step: step["new"]["inputs"].update(change=NORMAL))
    assert any("change-window" in each for each in _said(events))


def test_a_stack_that_says_nothing_of_itself_is_refused(events: Events) -> None:
    silent = [event for event in events if event.get("resourcePreEvent", {}).get("metadata", {}).get("type") != FACTS]
    assert any("says nothing of itself" in each for each in _said(silent))


def test_a_preview_that_failed_is_no_preview(events: Events) -> None:
    cut = [event for event in events if "summaryEvent" not in event]
    assert any("did not succeed" in each for each in _said(cut))
    summary = next(event["summaryEvent"] for event in events if "summaryEvent" in event)
    summary["result"] = "failed"
    assert any("did not succeed" in each for each in _said(events))


@pytest.mark.parametrize("flags", [(), ("--exclude-protected",)])
def test_a_destroy_of_the_region_needs_a_major_change(
    deployed: Deployed, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    """With the protected lineage in it the engine itself refuses; without it, it is the voters."""
    with deployed.copy(tmp_path / "sandbox") as sandbox:
        file, environment = tmp_path / "destroy.json", sandbox.environment()
        operation.record("aws", file, project=TREE, environment=environment, flags=flags, verb="destroy")
    done = CliRunner().invoke(app, ["--destroy", "--json", str(file)])
    assert done.exit_code == 1, done.output
    said = [problem["what"] for problem in json.loads(done.output)["problems"]]
    wanted = "All voters of VaultCluster" if flags else "did not succeed"
    assert any(wanted in each for each in said), said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "no json",
        '{"sequence": 1}',
        '{"steps": []}',
        '{"sequence": 0, "preludeEvent": {}}\n{"sequence": 1',
    ],
)
def test_what_is_no_preview_ends_with_2_and_says_how_to_make_one(text: str, tmp_path: Path) -> None:
    file = tmp_path / "preview.json"
    file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, [str(file)])
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert "pulumi preview --json" in done.output


def test_a_file_that_cannot_be_read_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    for file in (tmp_path / "nowhere", tmp_path, tmp_path / "bytes"):
        assert CliRunner().invoke(app, [str(file)]).exit_code == 2
        with pytest.raises(InputError):
            read(file)


def test_no_value_of_an_input_is_repeated(events: Events) -> None:
    for step in _steps(events):
        step["op"] = "delete"
        for side in ("old", "new"):
            if step.get(side) and step["type"] != FACTS:
                step[side]["inputs"] = {"password": "sw0rdfish-canary", "tags": {"a": "sw0rdfish-canary"}}
    said = _said(events)
    assert len(said) > 20
    assert not any("canary" in each for each in said)
