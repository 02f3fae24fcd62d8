"""What is said of the rules that together reach one group: of which group, by which rules, and how many wait."""

from __future__ import annotations

from typing import Any

import pytest

from policies.rule import Finding
from policies.rules.exposure.ingress_effective_exposure import RULE
from policies.values import UNKNOWN
from tests.policies.case import Held, StackCase, urn, world
from tests.policies.cases.exposure.ingress_effective_exposure import CASES
from tests.policies.watching import Watch

_GROUP = "aws:ec2/securityGroup:SecurityGroup"
_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_FIREWALL = "gcp:compute/firewall:Firewall"


def _judged(*stack: Held) -> list[Finding]:
    case = StackCase((), stack)
    return RULE.judge_stack(world(case.good), case.context)


def _rule(name: str, **source: Any) -> Held:  # noqa: ANN401
    props = {"ipProtocol": "tcp", "fromPort": 8200, "toPort": 8200, "securityGroupId": UNKNOWN, **source}
    return Held(_RULE, name, props, {"securityGroupId": ["servers"]})


def _firewall(name: str, source: Any, tag: Any) -> Held:  # noqa: ANN401
    allows = [{"protocol": "tcp", "ports": ["8200"]}]
    return Held(_FIREWALL, name, {"network": "n", "sourceRanges": [source], "targetTags": [tag], "allows": allows})


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ({"cidrIpv4": "0.0.0.0/0"}, "violation"),
        ({"cidrIpv4": UNKNOWN}, "deferred"),
        ({"prefixListId": "pl-9"}, "advice"),
    ],
)
def test_a_finding_is_about_the_group(source: dict[str, Any], kind: str) -> None:
    (found,) = _judged(Held(_GROUP, "servers", {"ingress": []}), _rule("more", **source))
    assert (found.kind, found.urn) == (kind, urn(_GROUP, "servers"))


@pytest.mark.parametrize(("rules", "told"), [(1, ""), (8, ""), (9, " and 1 more"), (10, " and 2 more")])
def test_a_message_names_eight_rules_and_counts_the_others(rules: int, told: str) -> None:
    names = [f"rule-{number}" for number in range(rules)]
    (found,) = _judged(Held(_GROUP, "servers", {}), *(_rule(name, cidrIpv4="0.0.0.0/1") for name in names))
    listed = ", ".join(urn(_RULE, name) for name in names[:8])
    assert found.problem == f"lets the internet reach port 8200 by {listed}{told}"


def test_a_rule_that_waits_is_counted_once() -> None:
    found = _judged(
        _firewall("known", "10.0.0.0/8", "vault"),
        _firewall("source", UNKNOWN, "vault"),
        _firewall("target", "0.0.0.0/1", UNKNOWN),
        _firewall("target-too", "128.0.0.0/1", UNKNOWN),
        _firewall("both", UNKNOWN, UNKNOWN),
    )
    assert [(each.kind, each.problem) for each in found] == [
        ("deferred", "has 4 rules that cannot be decided before up")
    ]


def test_what_is_open_for_certain_does_not_wait_for_targets() -> None:
    found = _judged(_firewall("open", "0.0.0.0/0", "vault"), _firewall("target", "0.0.0.0/0", UNKNOWN))
    assert [each.kind for each in found] == ["violation"]


def test_a_resource_counts_as_evaluated_where_it_is_looked_at() -> None:
    watch = Watch()
    for case in CASES:
        # Entries of prefix lists are looked for only where a rule names a list.
        for change in (list, *case.breaks.values()):
            RULE.judge_stack(watch.world(world(change(case.good))), case.context)
    (check,) = RULE.on_stacks
    assert watch.asked == set(check.types)
