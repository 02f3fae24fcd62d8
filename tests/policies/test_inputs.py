"""Bad input ends commands with 2, says what, why and how, and shows no value of it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from policies.context import now
from policies.errors import InputError
from policies.inputs import check
from policies.report.command import app
from tests.policies.case import PROJECT
from tests.policies.cases.change.change_recorded import NORMAL
from tests.policies.cases.change.exemption_valid import ENTRY

SECRET = "hvs.CAESIJlVx4Yq8canary0canary0canary0"


def _entry(**changes: object) -> dict[str, Any]:
    return {**ENTRY, "expires": now().date() + timedelta(days=30), **changes}


def _project(folder: Path, exemptions: object) -> None:
    (folder / "Pulumi.yaml").write_text(f"name: {PROJECT}\n", encoding="utf-8")
    text = yaml.safe_dump({"config": {f"{PROJECT}:exemptions": exemptions}})
    (folder / "Pulumi.aws.yaml").write_text(text, encoding="utf-8")


def _refused(folder: Path, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(InputError) as refused:
        check("aws", folder, environment or {}, now())
    assert SECRET not in refused.value.what + refused.value.fix
    assert refused.value.fix
    return refused.value.what


def test_what_can_be_used_passes(tmp_path: Path) -> None:
    _project(tmp_path, [_entry()])
    record = tmp_path / "change.yaml"
    record.write_text(yaml.safe_dump(NORMAL), encoding="utf-8")
    check("aws", tmp_path, {"HMC_CHANGE": str(record)}, now())
    check("other", tmp_path, {}, now())


@pytest.mark.parametrize(
    ("exemptions", "said"),
    [
        ([_entry(rule="no-such-rule")], "rule is unknown"),
        ([_entry(expires="2026-01-01")], "ended on 2026-01-01"),
        ([_entry(ticket=SECRET)], "exemptions[0] ticket"),
        ([_entry(reason=SECRET[:20])], "exemptions[0] reason"),
        ([_entry(secret=SECRET)], "unknown key"),
        ([SECRET], "exemptions[0]"),
        ({"secure": SECRET}, "is encrypted"),
        (SECRET, "is no list"),
    ],
)
def test_exemptions_that_cannot_be_used_are_refused(tmp_path: Path, exemptions: object, said: str) -> None:
    _project(tmp_path, exemptions)
    assert said in _refused(tmp_path)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    _project(tmp_path, [_entry(rule="no-such-rule"), _entry(expires="2026-01-01", ticket="none")])
    said = _refused(tmp_path)
    assert all(word in said for word in ("exemptions[0] rule", "exemptions[1] ticket", "exemptions[1] expires"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"a: [{SECRET}", "no YAML"),
        (SECRET, "no map"),
        ("", "no map"),
        (yaml.safe_dump({**NORMAL, SECRET: 1}), "unknown"),
        (yaml.safe_dump({**NORMAL, "approvedAt": SECRET}), "approvedAt is no instant"),
        (yaml.safe_dump({**NORMAL, "windowEnd": "2026-11-21"}), "windowEnd is no instant"),
        (yaml.safe_dump({**NORMAL, "category": SECRET}), "category must be one of"),
    ],
)
def test_a_record_that_is_malformed_is_refused(tmp_path: Path, text: str, said: str) -> None:
    record = tmp_path / "change.yaml"
    record.write_text(text, encoding="utf-8")
    assert said in _refused(tmp_path, {"HMC_CHANGE": str(record)})


def test_a_record_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in _refused(tmp_path, {"HMC_CHANGE": str(tmp_path / "nowhere")})


def test_the_report_ends_with_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _project(tmp_path, [_entry(rule="no-such-rule")])
    state = tmp_path / "state.json"
    urn = f"urn:pulumi:aws::{PROJECT}::pulumi:pulumi:Stack::aws"
    held = [{"urn": urn, "type": "pulumi:pulumi:Stack"}]
    state.write_text(json.dumps({"deployment": {"resources": held}}), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["--file", str(state)])
    assert done.exit_code == 2
    assert "rule is unknown" in done.output
    assert "Traceback" not in done.output
