"""Change control, where one resource's case does not say it: exemptions that cannot be used, times, and tags to come."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from policies.context import Context
from policies.exemptions import Exemptions, Problem, parse
from policies.groups import ADVICE, STACK, groups
from policies.resource import Provider
from policies.rules import AREAS
from policies.rules.change import change_recorded, change_window, exemption_used, exemption_valid, tag_project
from policies.settings import Settings
from policies.values import UNKNOWN
from tests.policies.case import NOON, PROJECT, Case, Props
from tests.policies.cases.change.change_window import CASES as WINDOWS
from tests.policies.cases.change.exemption_valid import ENTRY

_FACTS = "hashicorp:compliance:Facts"


def test_an_entry_that_cannot_be_used_is_named_by_its_place_and_field() -> None:
    broken = [{**ENTRY, "ticket": "none"}]
    case = Case(_FACTS, {"exemptions": broken}, exemptions=parse(broken, NOON.date()))
    (found,) = exemption_valid.RULE.judge(case.resource(), case.context)
    assert (found.kind, found.path) == ("violation", "exemptions[0]")
    assert "ticket must look like CHG-1042" in found.problem


def test_a_file_that_cannot_be_read_is_one_violation_and_not_two() -> None:
    case = Case(_FACTS, {"exemptions": [ENTRY]}, exemptions=Exemptions(problems=(Problem(None, "is no list"),)))
    (found,) = exemption_valid.RULE.judge(case.resource(), case.context)
    assert (found.kind, found.path, found.problem) == ("violation", "exemptions", "is no list")


def test_exemptions_that_end_soon_stand_first() -> None:
    ends = ("2026-12-21", "2026-12-05", "2026-12-06", "2026-11-20")
    case = Case(_FACTS, {"exemptions": [{**ENTRY, "expires": end} for end in ends]})
    found = exemption_used.RULE.judge(case.resource(), case.context)
    assert [finding.path for finding in found] == ["exemptions[1]", "exemptions[0]", "exemptions[2]"]
    assert "14 days from now" in found[0].problem


def test_a_change_is_judged_as_of_the_instant_at_which_it_ran() -> None:
    case = WINDOWS[0]
    later = case.at + timedelta(days=40)
    assert change_window.RULE.judge(case.resource(), Context(Settings(), later, Exemptions()))
    assert not change_window.RULE.judge(case.resource(), Context(Settings(), later, Exemptions(), applied=case.at))


def test_a_window_waits_for_nothing_that_says_no_time() -> None:
    case = WINDOWS[0]
    facts = {**case.good, "change": {**case.good["change"], "impact": UNKNOWN}}
    assert not change_window.RULE.judge(case.resource(facts), case.context)
    assert change_recorded.RULE.judge(case.resource(facts), case.context)


def test_a_field_that_does_not_fit_is_complained_of_once() -> None:
    case = WINDOWS[0]
    facts = {**case.good, "change": {**case.good["change"], "approvedAt": "2026-11-14"}}
    found = change_recorded.RULE.judge(case.resource(facts), case.context)
    assert [finding.path for finding in found] == ["change.approvedAt"]


def test_the_value_of_a_tag_may_come_later_and_its_key_may_not() -> None:
    tags = dict.fromkeys(("Project", "Cluster", "Product", "Environment", "Owner"), UNKNOWN)
    case = Case("aws:ec2/vpc:Vpc", {"tags": tags})
    assert not tag_project.RULE.judge(case.resource(), case.context)
    short = replace(case, good={"tags": {key: value for key, value in tags.items() if key != "Owner"}})
    assert tag_project.RULE.judge(short.resource(), short.context)


def test_tags_of_a_provider_that_come_later_are_waited_for_there() -> None:
    provider = Provider("pulumi:providers:aws", {"defaultTags": UNKNOWN})
    case = Case("aws:ec2/vpc:Vpc", {"cidrBlock": "10.1.0.0/16"}, provider=provider)
    (found,) = tag_project.RULE.judge(case.resource(), case.context)
    assert (found.kind, found.path) == ("deferred", "provider.defaultTags.tags")


@pytest.mark.parametrize(
    ("token", "props"),
    [
        ("kubernetes:core/v1:Namespace", {"metadata": {"labels": {"app.kubernetes.io/part-of": PROJECT}}}),
        ("kubernetes:helm.sh/v3:Release", {"chart": "consul"}),
        ("kubernetes:yaml/v2:ConfigGroup", {"files": ["all.yaml"]}),
        ("kubernetes:kustomize/v2:Directory", {"directory": "base"}),
    ],
)
def test_what_has_its_label_or_takes_none_is_told_nothing(token: str, props: Props) -> None:
    case = Case(token, props)
    assert not tag_project.RULE.judge(case.resource(), case.context)


def test_unused_exemptions_are_asked_for_after_every_rule() -> None:
    """The last policy of the stack is the one that asks for them, and whatever judges a stack stands before it."""
    names = [name for group in groups() if group.name != ADVICE for name in group.names]
    assert names[-1] == f"{list(AREAS)[-1]}{STACK}"
