"""Reading: every problem at once, nothing of a secret, and the engine's own form of values."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest
from pulumi.runtime import Settings, configure
from pulumi.runtime.config import set_all_config

from components.plan.spec import CLOUDS, Cloud
from config import ConfigError, load, parse
from tests.config.files import ABSENT, NAMESPACE, merged
from tests.config.test_refusals import EVERY, SECRETS


def wheres(changes: dict[str, Any], stack: str | None = None) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        parse(merged("aws", changes), stack=stack)
    return [problem.where for problem in refused.value.problems]


def test_one_mistake_at_every_key_shows_every_mistake_in_the_order_of_the_keys() -> None:
    mistakes = {
        "token": "x",
        "account": "1",
        "image": "latest",
        "rollout": ["consul-aws-9"],
        "name": "a" * 15,
        "environment": "E",
        "domain": "x",
        "owner": ",",
        "costCenter": "",
        "profile": "large",
        "edition": "pro",
        "seal": "none",
        "regions.aws.name": "us-west-9z",
        "regions.azure.zones": ["1"],
        "regions.gcp.cidr": "10.2.0.0/16",
        "servers.consul": 4,
        "clients.minimum": 0,
        "versions.consul": "1.22.0",
        "versions.vault": "latest",
        "artifacts.baseUrl": "ftp://x",
        "mesh.asns.azure": 65515,
        "mesh.asns.gcp": 64610,
        "backup.intervalMinutes.consul": 45,
        "backup.intervalMinutes.vault": 60,
        "backup.lockDays": 0,
        "backup.keepDays": 0,
        "backup.copies.aws": "aws",
        "backup.copies.gcp": ABSENT,
        "audit.keepDays": 1,
    }
    found = wheres(mistakes)
    assert list(dict.fromkeys(found)) == [key for key in mistakes if key != "rollout"]


def test_a_problem_with_one_value_does_not_hide_rules_about_its_neighbours() -> None:
    found = wheres(
        {
            "regions.aws.zones": [1],
            "regions.gcp.cidr": "10.1.0.0/16",
            "regions.azure": ABSENT,
            "mesh.asns.azure": "x",
            "mesh.asns.gcp": 64610,
            "backup.copies.azure": "x",
            "backup.copies.gcp": "gcp",
            "backup.rpoMinutes": "60",
            "backup.keepDays": 34,
            "versions.boundary": 21,
            "versions.nomad": "1.12.0",
            "servers.vault": "3",
            "servers.nomad": 4,
        }
    )
    assert found == [
        "regions.aws.zones[0]",
        "regions.gcp.cidr",
        "servers.vault",
        "servers.nomad",
        "versions.nomad",
        "versions.boundary",
        "mesh.asns.azure",
        "mesh.asns.azure",
        "mesh.asns.gcp",
        "backup.rpoMinutes",
        "backup.keepDays",
        "backup.copies.azure",
        "backup.copies.azure",
        "backup.copies.gcp",
    ]


def test_an_unreadable_value_raises_no_problem_of_its_own_making() -> None:
    assert wheres({"clients.minimum": "9", "clients.maximum": 4}) == ["clients.minimum"]
    assert wheres({"servers.consul": "9", "rollout": ["consul-aws-9"]}) == ["servers.consul"]
    assert wheres({"regions.azure": "westus2"}) == ["regions.azure"]
    assert wheres({"regions": ABSENT}) == ["regions"]
    assert wheres({"mesh": []}) == ["mesh"]
    assert wheres({"mesh.asns": {}, "regions": ABSENT}) == ["regions"]
    assert wheres({"mesh.asns.aws": "64610"}) == ["mesh.asns.aws"]
    assert wheres({"backup": ABSENT}) == ["backup"]
    assert wheres({"backup.copies": "gcp"}) == ["backup.copies"]
    assert wheres({"backup.copies.aws": "AWS"}) == ["backup.copies.aws"]
    assert wheres({"backup.intervalMinutes.vault": 1441, "backup.rpoMinutes": 60}) == ["backup.intervalMinutes.vault"]
    assert wheres({"backup.lockDays": "900", "backup.keepDays": 3}) == ["backup.lockDays"]


def test_the_error_numbers_its_problems_and_says_whose_they_are() -> None:
    with pytest.raises(ConfigError) as refused:
        parse(merged("aws", {"name": "A", "servers.vault": 2}), stack="aws")
    text = str(refused.value)
    assert text.startswith("The configuration of the stack aws has 2 problems; nothing was registered.\n\n1. name: ")
    assert "\n\n2. servers.vault: 2 is an even number of voters.\n   Why: " in text
    assert text.count("\n   Why: ") == text.count("\n   Fix: ") == 2


@pytest.mark.parametrize("wrong", SECRETS, ids=lambda wrong: wrong.title.replace(" ", "-"))
def test_nothing_of_a_secret_is_repeated(wrong: Any) -> None:  # noqa: ANN401 (a row of the table)
    with pytest.raises(ConfigError) as refused:
        parse(merged(wrong.stack, {wrong.at: wrong.value}))
    value = wrong.value if isinstance(wrong.value, str) else "hvs.CAESIJ-0123456789abcdefgh"
    assert value not in str(refused.value)
    assert value.splitlines()[-1][-8:] not in str(refused.value)


def test_an_encrypted_value_is_refused_unseen_whatever_it_is() -> None:
    with pytest.raises(ConfigError) as refused:
        parse(merged("aws", {"owner": "correct horse"}), encrypted=["owner"])
    assert [problem.where for problem in refused.value.problems] == ["owner"]
    assert "correct horse" not in str(refused.value)


@pytest.mark.parametrize(
    ("stack", "cloud"), [("azure", "aws"), ("prod-gcp", "aws"), ("AZURE", "gcp"), ("team/azure.eu", "aws")]
)
def test_a_stack_named_after_a_cloud_builds_no_other(stack: str, cloud: Cloud) -> None:
    with pytest.raises(ConfigError, match="cloud: the stack") as refused:
        parse(merged(cloud), stack=stack)
    assert [problem.where for problem in refused.value.problems] == ["cloud"]


@pytest.mark.parametrize("stack", ["aws", "prod-aws", "blue", "flaws", "aws-not-azure", None])
def test_other_names_of_stacks_are_free(stack: str | None) -> None:
    assert parse(merged("aws"), stack=stack).cloud == "aws"


def engine_form(settings: dict[str, Any]) -> dict[str, str]:
    """As the engine hands configuration to a program: text, and JSON text of lists and maps."""
    return {NAMESPACE + key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}


def set_engine(settings: dict[str, str], encrypted: list[str] | None = None, stack: str = "aws") -> None:
    configure(Settings(project=NAMESPACE.removesuffix(":"), stack=stack))
    set_all_config(settings, encrypted or [])


@pytest.mark.parametrize("cloud", CLOUDS)
def test_load_reads_what_the_engine_hands_over(cloud: Cloud) -> None:
    set_engine({**engine_form(merged(cloud)), "aws:region": "eu-west-1"}, stack=cloud)
    assert load() == parse(merged(cloud))


def test_load_sees_keys_that_nobody_asks_for() -> None:
    set_engine({**engine_form(merged("aws")), f"{NAMESPACE}Domain": "x"})
    with pytest.raises(pulumi.RunError, match=r"Domain: no such key\. Did you mean domain"):
        load()


def test_load_refuses_text_where_structure_belongs_and_what_the_engine_keeps_secret() -> None:
    changed = {"regions": "us-west-2", "servers": "", "owner": "hush"}
    set_engine(engine_form(merged("aws", changed)), encrypted=[f"{NAMESPACE}owner"])
    with pytest.raises(ConfigError) as refused:
        load()
    assert [problem.where for problem in refused.value.problems] == ["owner", "regions", "servers"]
    assert "hush" not in str(refused.value)


def test_every_refusal_is_the_same_through_the_engine() -> None:
    for wrong in EVERY:
        settings = merged(wrong.stack, wrong.changes)
        scalar = "." not in wrong.at and "/" not in wrong.at and not isinstance(wrong.value, str)
        if scalar and not isinstance(settings.get(wrong.at, ""), list | dict):
            continue  # the engine hands a single number or truth value over as text
        set_engine(engine_form(settings), stack=wrong.stack)
        with pytest.raises(ConfigError) as refused:
            load()
        assert {problem.where for problem in refused.value.problems} == {wrong.where or wrong.at}, wrong.title
