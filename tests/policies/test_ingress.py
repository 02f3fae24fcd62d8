"""What firewalls let in: the table of types is complete, and what an exemption may not cover is so."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from policies.concepts.clusters import BOUNDARY
from policies.concepts.ingress import ACL_RULE, FIREWALLS, rules
from policies.resource import Node, Resource
from policies.rule import Finding
from policies.rules.exposure import boundary_ports_scoped, ingress_no_world_admin, ingress_no_world_product_ports
from policies.values import UNKNOWN
from tests.policies.case import Case, urn

_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_OPEN = {"securityGroupId": "sg-1", "ipProtocol": "tcp", "cidrIpv4": "0.0.0.0/0"}
_LOOKS = re.compile(
    r'"((?:aws:(?:ec2|vpc)/|azure-native:network:|gcp:compute/)[^"]*'
    r"(?i:securitygroup|securityrule|firewall|networkacl|prefixlist|adminrule)\w*)\""
)
"""A type of a network, whose name looks like a firewall."""
_OTHERS = re.compile(
    # Who uses a group or a policy, and who may change one.
    r"(Association|Attachment|Exclusive|Iam(Binding|Member|Policy))$"
    # Groups of machines, policies without rules, mirroring, what goes out.
    r"|(:ApplicationSecurityGroup|FirewallPolicy|PacketMirroringRule|SecurityGroupEgressRule)$"
    # Fences around networks, behind which the groups decide: subnets' lists, Azure's firewall and network manager.
    r"|(NetworkAcl|AzureFirewall|FirewallPolicyDraft|FirewallPolicyRule\w*|AdminRule|AdminRuleCollection)$"
    # Read with the rules that name them.
    r"|:ManagedPrefixList(Entry)?$"
)
"""What is no firewall of machines, or decides nothing."""


def _judged(rule: Any, *above: str, **props: Any) -> list[Finding]:  # noqa: ANN401
    case = Case(_RULE, {**_OPEN, **props}, above=above)
    return rule.RULE.judge(case.resource(), case.context)


def _tokens(package: str) -> set[str]:
    """Types that a package registers; read as text, since importing one takes seconds."""
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.origin is not None
    return set(_LOOKS.findall(Path(found.origin).read_text(encoding="utf-8")))


@pytest.mark.parametrize("package", ["pulumi_aws", "pulumi_azure_native", "pulumi_gcp"])
def test_every_type_that_looks_like_a_firewall_is_read_or_left_out_by_name(package: str) -> None:
    registered = _tokens(package)
    read = {*FIREWALLS, *ACL_RULE}
    assert registered & read
    assert not {token for token in registered - read if not _OTHERS.search(token)}


@pytest.mark.parametrize(
    ("first", "last", "exemptible"),
    [
        (8200, 8200, True), (8501, 8503, True), (8200, 8201, False), (8301, 8301, False), (5432, 5432, False),
        (4646, 4646, True), (9201, 9201, False), (9202, 9203, True), (UNKNOWN, 8200, False),
    ],
)  # fmt: skip
def test_no_exemption_covers_gossip_rpc_and_databases(first: Any, last: Any, exemptible: bool) -> None:  # noqa: ANN401, FBT001
    # Below Boundary's cluster too, whose workers may face users.
    for above in ((), (BOUNDARY,)):
        (found,) = _judged(ingress_no_world_product_ports, *above, fromPort=first, toPort=last)
        assert found.exemptible is exemptible


def test_ports_of_administration_may_be_exempted() -> None:
    for last in (22, UNKNOWN):
        assert [f.exemptible for f in _judged(ingress_no_world_admin, fromPort=22, toPort=last)] == [True]


def test_a_message_names_range_and_ports() -> None:
    (known,) = _judged(ingress_no_world_product_ports, fromPort=8000, toPort=8300, cidrIpv4="10.1.2.3/1")
    assert known.path == "cidrIpv4"
    assert known.problem == "lets 0.0.0.0/1 reach port 8200-8201, 8300"
    (unknown,) = _judged(ingress_no_world_product_ports, fromPort=8000, toPort=UNKNOWN)
    assert unknown.problem == "lets 0.0.0.0/0 reach ports that are not known yet"
    (word,) = _judged(ingress_no_world_product_ports, fromPort=8300, toPort=8300, cidrIpv4="secret")
    assert word.problem == "lets whoever the word stands for reach port 8300"


def _advised(**props: Any) -> list[str]:  # noqa: ANN401
    return [found.path for found in _judged(boundary_ports_scoped, **props) if found.kind == "advice"]


def test_whole_networks_are_advised_against_where_a_rule_is_about_the_workers_port_alone() -> None:
    worker = {"fromPort": 9201, "toPort": 9201}
    assert _advised(**worker, cidrIpv4="10.2.0.0/16") == _advised(**worker, cidrIpv4="10.0.0.0/8") == ["cidrIpv4"]
    assert not _advised(**worker, cidrIpv4="10.2.0.0/17")
    assert not _advised(**worker, cidrIpv4="words")
    assert not _advised(fromPort=9201, toPort=9203, cidrIpv4="10.2.0.0/16")
    assert not _advised(ipProtocol="-1", cidrIpv4="10.2.0.0/16")
    refusing = Case(
        "gcp:compute/firewall:Firewall",
        {"network": "n", "sourceRanges": ["10.2.0.0/16"], "denies": [{"protocol": "tcp", "ports": ["9201"]}]},
    )
    assert not boundary_ports_scoped.RULE.judge(refusing.resource(), refusing.context)


def test_an_unknown_source_does_not_hide_a_known_one() -> None:
    found = _judged(ingress_no_world_product_ports, fromPort=8200, toPort=8200, cidrIpv4=UNKNOWN, cidrIpv6="::/0")
    assert [(finding.path, finding.kind) for finding in found] == [("cidrIpv4", "deferred"), ("cidrIpv6", "violation")]


def _resource(token: str, **props: Any) -> Resource:  # noqa: ANN401
    return Resource(urn(token, "example"), token, "example", props)


def test_a_rule_of_which_the_direction_is_not_known_does_not_hide_the_others() -> None:
    known = {"direction": "Inbound", "access": "Allow", "protocol": "Tcp", "sourceAddressPrefix": "*"}
    group = _resource(
        "azure-native:network:NetworkSecurityGroup",
        securityRules=[{**known, "direction": UNKNOWN}, {**known, "direction": "OUTBOUND"}, known, UNKNOWN],
    )
    assert [rule and rule.node.path for rule in rules(group)] == [None, "securityRules[2]", None]


def test_a_firewall_without_a_priority_has_the_usual_one() -> None:
    (rule,) = rules(_resource("gcp:compute/firewall:Firewall", allows=[{"protocol": "all"}]))
    assert rule is not None
    assert rule.priority == 1000
    assert not rule.denies
    assert rule.sources == (Node("sourceRanges", "*"),)
    (first,) = rules(_resource("gcp:compute/firewall:Firewall", denies=[{"protocol": "all"}], priority=0))
    assert first is not None
    assert first.priority == 0
    assert first.denies


def test_empty_texts_of_outputs_are_nothing() -> None:
    (rule,) = rules(
        _resource(
            "azure-native:network:SecurityRule",
            direction="inbound",
            access="DENY",
            protocol="tcp",
            priority=100,
            sourceAddressPrefix="",
            sourceAddressPrefixes=["10.1.0.0/16"],
            destinationPortRange="",
            destinationPortRanges=["22"],
        )
    )
    assert rule is not None
    assert [source.value for source in rule.sources] == ["10.1.0.0/16"]
    assert [span.first for span in rule.spans] == [22]
    assert rule.denies
