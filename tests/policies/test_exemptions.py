"""An exemption silences exactly what it names, for as long as it says, and a bad one silences nothing."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policies.exemptions import LONGEST, Exemptions, parse, read

TODAY = date(2026, 11, 21)
GOOD: dict[str, Any] = {
    "rule": "server-class-fit",
    "urn": "*::boundary-worker-*",
    "reason": "Workers stay burstable until the load test has given their size.",
    "ticket": "CHG-1042",
    "owner": "platform-engineering",
    "approvedBy": "security-lead",
    "expires": TODAY + timedelta(days=30),
}
URN = "urn:pulumi:aws::hashicorp-multicloud::aws:ec2/instance:Instance::boundary-worker-aws-1"


def _one(**changed: object) -> Exemptions:
    return parse([{key: value for key, value in {**GOOD, **changed}.items() if value is not ...}], TODAY)


def test_a_good_entry_silences_its_rule_for_its_resources_alone() -> None:
    made = _one()
    assert not made.problems
    assert made.covering("server-class-fit", URN)
    assert not made.covering("server-class-fit", URN.replace("boundary-worker", "vault"))
    assert not made.covering("disk-encrypted", URN)
    assert made.entries[0].days_left == 30


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rule": "no-such-rule"}, "unknown"),
        ({"rule": "backup-immutable"}, "takes no exemption"),
        ({"urn": "*"}, "8 characters"),
        ({"urn": "*abcdefg*"}, "8 characters"),
        ({"reason": "because"}, "30 characters"),
        ({"reason": " " * 40}, "30 characters"),
        ({"ticket": "1042"}, "CHG-1042"),
        ({"owner": " "}, "owner is empty"),
        ({"approvedBy": ""}, "approvedBy is empty"),
        ({"approvedBy": "platform-engineering"}, "must not be the owner"),
        ({"expires": TODAY - timedelta(days=1)}, "ended on 2026-11-20"),
        ({"expires": TODAY + LONGEST + timedelta(days=1)}, "within 90 days"),
        ({"expires": "soon"}, "expires does not fit"),
        ({"reason": ...}, "reason is missing"),
        ({"because": "hvs.SECRETsecretSECRETsecret00"}, "unknown key"),
    ],
)
def test_a_bad_entry_is_said_to_be_bad_and_silences_nothing(changed: dict[str, Any], said: str) -> None:
    made = _one(**changed)
    assert any(said in str(problem) for problem in made.problems), made.problems
    assert not made.covering(changed.get("rule", GOOD["rule"]), URN)
    assert not any("SECRET" in str(problem) for problem in made.problems)


@pytest.mark.parametrize("limit", [TODAY, TODAY + LONGEST])
def test_the_last_and_the_longest_day_still_count(limit: date) -> None:
    assert _one(expires=limit).covering("server-class-fit", URN)


@pytest.mark.parametrize("raw", ["text", {"secure": "v1:abc"}, {"rule": "x"}, 5])
def test_what_is_no_list_is_one_problem_and_silences_nothing(raw: object) -> None:
    made = parse(raw, TODAY)
    assert len(made.problems) == 1
    assert not made.entries


def test_all_that_is_wrong_is_said_at_once() -> None:
    made = parse([{**GOOD, "ticket": "x", "owner": "", "reason": ""}, "text", {}], TODAY)
    assert {problem.index for problem in made.problems} == {0, 1, 2}
    assert len([problem for problem in made.problems if problem.index == 0]) >= 3


@given(
    st.recursive(
        st.none() | st.text() | st.integers() | st.dates(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_nothing_that_a_file_may_hold_breaks_the_reading(raw: object) -> None:
    made = parse(raw, TODAY)
    assert not any(each.in_force for each in made.entries)


def _project(folder: Path, stack_file: str) -> Path:
    (folder / "Pulumi.yaml").write_text("name: p\n", encoding="utf-8")
    (folder / "Pulumi.aws.yaml").write_text(stack_file, encoding="utf-8")
    below = folder / "policies"
    below.mkdir()
    return below


def test_the_stacks_file_is_found_above_the_packs_folder(tmp_path: Path) -> None:
    text = yaml.safe_dump({"config": {"p:exemptions": [GOOD], "other:exemptions": ["x"]}})
    assert read("aws", _project(tmp_path, text), TODAY) == parse([GOOD], TODAY)


def test_a_stack_without_file_or_key_has_none(tmp_path: Path) -> None:
    below = _project(tmp_path, "config: {}\n")
    assert read("aws", below, TODAY) == read("azure", below, TODAY) == Exemptions()


@pytest.mark.parametrize("text", ["config: [", "- list\n", "config: text\n"])
def test_a_file_that_cannot_be_read_silences_nothing_and_is_a_problem(tmp_path: Path, text: str) -> None:
    made = read("aws", _project(tmp_path, text), TODAY)
    assert made.problems
    assert not made.entries
