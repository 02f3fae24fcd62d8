"""Only change control has a level to choose, and what is mistyped in it is found before an engine starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policies import levels
from policies.catalogue import RAISED
from policies.groups import ADVICE, STACK, groups
from policies.rules import AREAS
from sandbox.errors import SandboxError
from sandbox.home import TREE
from sandbox.stacks import pack

OCCASIONS = ("pull-request", "deploy")


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_both_files_fit_the_pack(occasion: levels.Occasion) -> None:
    assert not levels.problems(levels.file(occasion).read_text(encoding="utf-8"))


def test_a_missing_record_blocks_a_deployment_and_advises_on_a_pull_request() -> None:
    said = {name: json.loads(levels.file(name).read_text(encoding="utf-8")) for name in OCCASIONS}
    default = {group.name: group.level for group in groups()}
    assert {**default, **said["pull-request"]}["change-recorded"] == "advisory"
    assert {**default, **said["deploy"]}["change-recorded"] == "mandatory"
    assert {**default, **said["deploy"]}["change-window"] == "mandatory"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"change-windows": "mandatory"}, "names change-windows"),
        ({"encryption": "advisory"}, "keeps the catalogue's level"),
        ({f"encryption{STACK}": {"enforcementLevel": "advisory"}}, "keeps the catalogue's level"),
        ({"change-window": "blocking"}, "must be one of advisory, mandatory"),
        ({"change-window": 5}, "must be a level or an object"),
        ({"exposure": {"meshCidr": []}}, "there is no setting meshCidr"),
        ({"exposure": {"meshCidrs": 5}}, "do not fit"),
        ([], "must be a JSON object"),
    ],
)
def test_what_does_not_fit_is_named(document: object, said: str) -> None:
    (problem,) = levels.problems(json.dumps(document))
    assert said in problem


def test_what_is_no_json_is_named() -> None:
    assert levels.problems("change-window: mandatory") == ["is no JSON"]


def test_thresholds_may_be_set_and_a_level_beside_them() -> None:
    document = {"exposure": {"adminCidrs": ["198.51.100.0/24"]}, "change-window": {"enforcementLevel": "mandatory"}}
    assert not levels.problems(json.dumps(document))


def test_every_rule_is_reported_by_exactly_one_group_at_its_level() -> None:
    made = groups()
    own = {group.name for group in made} & RAISED
    assert own == RAISED
    assert [group.name for group in made if group.name not in RAISED] == [*AREAS, ADVICE]
    listed = [rule.id for group in made if group.name != ADVICE for rule in group.rules]
    assert sorted(listed) == sorted(rule.id for rules in AREAS.values() for rule in rules)


def test_an_operation_is_refused_while_its_levels_do_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = TREE / "policies" / "levels" / "deploy.json"
    assert pack.flags(TREE, "deploy")[-1] == str(broken)
    mistyped = tmp_path / "deploy.json"
    mistyped.write_text('{"change-windows": "mandatory"}', encoding="utf-8")
    monkeypatch.setattr(levels, "file", lambda _: mistyped)
    with pytest.raises(SandboxError, match="change-windows"):
        pack.flags(tmp_path, "deploy")
    mistyped.unlink()
    with pytest.raises(SandboxError, match="cannot be read"):
        pack.flags(tmp_path, "deploy")
