"""The report counts what rules really looked at, and says in every form what is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from policies.context import now
from policies.report.command import app
from policies.report.evaluate import NOTHING, VIOLATED, Report, evaluate
from policies.report.state import load
from policies.settings import Settings
from tests.policies.case import PROJECT, StackCase, urn
from tests.policies.cases import cases
from tests.policies.test_exemptions import GOOD

KEY, VOLUME, STACK = "aws:kms/key:Key", "aws:ebs/volume:Volume", "pulumi:pulumi:Stack"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}
TAGS = dict.fromkeys(("Cluster", "Product", "Environment", "Owner"), "example") | {"Project": PROJECT}
GOOD_KEY = {"enableKeyRotation": True, "deletionWindowInDays": 30}


def _held(type_: str, name: str, inputs: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401
    inputs = {**inputs, "tags": TAGS}
    made = {"urn": urn(type_, name), "type": type_, "inputs": inputs, "outputs": inputs, "protect": True}
    return {**made, "sourcePosition": "project:///components/clouds/aws/seal.py#42", **more}


def _export(*resources: dict[str, Any], exemptions: Sequence[Mapping[str, Any]] = ()) -> str:
    """A stack that says of itself what every stack must, and holds the resources besides."""
    case = cases()["dr-outputs-complete"][0]
    assert isinstance(case, StackCase)
    root, facts, *_ = case.good
    props = {
        **facts.props["spec"],
        "environment": "dev",
        "approvedRegions": Settings().approved_regions,
        "exemptions": exemptions,
    }
    said = {"urn": urn(facts.type, "facts"), "type": facts.type, "inputs": props, "outputs": facts.props}
    held = [{"urn": urn(STACK, "aws"), "type": STACK, "outputs": root.props}, said, *resources]
    return json.dumps({"deployment": {"manifest": {"time": "2026-11-21T12:00:00Z"}, "resources": held}})


def _report(
    *resources: dict[str, Any], folder: Path = Path("/"), exemptions: Sequence[Mapping[str, Any]] = ()
) -> Report:
    return evaluate(
        load(_export(*resources, exemptions=exemptions), "the export"), Settings(organisation_trail=True), now(), folder
    )


def _outcome(report: Report, rule: str) -> Any:  # noqa: ANN401
    return next(each for each in report.outcomes if each.rule.id == rule)


def test_a_rule_without_anything_to_look_at_is_not_called_compliant() -> None:
    report = _report(_held(KEY, "seal", GOOD_KEY))
    assert _outcome(report, "key-rotation").status == "compliant"
    assert len(_outcome(report, "key-rotation").evaluated) == 1
    assert _outcome(report, "database-ha-pitr").status == NOTHING
    assert not _outcome(report, "database-ha-pitr").evidence


def test_a_violation_lowers_the_rate_by_its_pair() -> None:
    good, bad = _held(KEY, "seal", GOOD_KEY), _held(KEY, "other", {**GOOD_KEY, "deletionWindowInDays": 7})
    whole, broken = _report(good, good), _report(good, bad)
    assert whole.rate == 1
    assert _outcome(broken, "key-deletion-guarded").status == VIOLATED
    assert [verdict.urn for verdict in broken.blocking] == [bad["urn"]]
    assert broken.rate == 1 - 1 / broken.pairs


def test_a_secret_that_an_export_hides_is_undecided_and_leaves_the_denominator() -> None:
    report = _report(_held(KEY, "seal", {**GOOD_KEY, "deletionWindowInDays": SECRET}))
    # A literal is demanded there, so what nobody can see is a violation.
    assert _outcome(report, "key-deletion-guarded").status == VIOLATED
    hidden = _report(_held(VOLUME, "disk", {"encrypted": SECRET, "kmsKeyId": "k", "type": "gp3", "size": 100}))
    assert _outcome(hidden, "disk-encrypted").status == "undecided"
    assert hidden.pairs == _report(_held(VOLUME, "disk", {"encrypted": True, "kmsKeyId": "k", "type": "gp3"})).pairs - 1


def _exempted(folder: Path) -> Report:
    (folder / "Pulumi.yaml").write_text(f"name: {PROJECT}\n", encoding="utf-8")
    entry = {
        **GOOD,
        "rule": "key-rotation",
        "urn": "*::seal-without-rotation",
        "expires": now().date() + timedelta(days=9),
    }
    text = yaml.safe_dump({"config": {f"{PROJECT}:exemptions": [entry]}})
    (folder / "Pulumi.aws.yaml").write_text(text, encoding="utf-8")
    said = {**entry, "expires": entry["expires"].isoformat()}
    return _report(_held(KEY, "seal-without-rotation", {"deletionWindowInDays": 30}), folder=folder, exemptions=[said])


def test_an_exempted_pair_blocks_nothing_and_counts_as_violated(tmp_path: Path) -> None:
    report = _exempted(tmp_path)
    assert _outcome(report, "key-rotation").status == "exempted"
    assert not report.blocking
    assert report.violated == 1
    assert [each.entry.ticket for each in report.exemptions] == ["CHG-1042"]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    file = tmp_path / "state.json"
    file.write_text(_export(_held(KEY, "seal", {**GOOD_KEY, "deletionWindowInDays": 7})), encoding="utf-8")
    return file


def _run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*words])
    return done.exit_code, done.output


@pytest.mark.parametrize("form", ["text", "json", "sarif", "html"])
def test_every_form_names_the_rule_the_resource_and_the_remedy(broken: Path, form: str) -> None:
    code, said = _run("--file", str(broken), "--format", form)
    assert code == 1
    for word in ("key-deletion-guarded", "seal", "Use a 30-day deletion window"):
        assert word in said


def test_sarif_points_at_the_line_that_registers_the_resource(broken: Path) -> None:
    run = json.loads(_run("--file", str(broken), "--format", "sarif")[1])["runs"][0]
    (result,) = [each for each in run["results"] if each["ruleId"] == "key-deletion-guarded"]
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "components/clouds/aws/seal.py"}, "region": {"startLine": 42}}
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "key-deletion-guarded"
    assert result["level"] == "error"


def test_what_complies_ends_with_0(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text(
        _export(_held(VOLUME, "disk", {"encrypted": True, "kmsKeyId": "k", "type": "gp3"})), encoding="utf-8"
    )
    settings = tmp_path / "settings.json"
    settings.write_text('{"organisationTrail": true}', encoding="utf-8")
    code, said = _run("--file", str(file), "--settings", str(settings), "--format", "json")
    document = json.loads(said)
    assert (code, document["blocking"]) == (0, 0), [r for r in document["rules"] if r["violations"]]


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("no json", (), "no exported state"),
        ("{}", (), "no exported state"),
        ('{"deployment": {}}', (), "holds no resource"),
        (_export(), ("--stack", "azure"), "not of azure"),
        (_export(), ("--settings", "/nonexistent.json"), "holds no settings"),
    ],
)
def test_input_that_cannot_be_used_ends_with_2_and_says_why(
    tmp_path: Path, text: str, words: tuple[str, ...], said: str
) -> None:
    file = tmp_path / "state.json"
    file.write_text(text, encoding="utf-8")
    code, output = _run("--file", str(file), *words)
    assert code == 2
    assert said in output
    assert "Traceback" not in output


def test_nothing_given_ends_with_2() -> None:
    assert _run()[0] == 2
