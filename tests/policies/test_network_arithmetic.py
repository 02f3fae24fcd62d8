"""Arithmetic on ranges and numbers of the mesh, against sets of single addresses."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.concepts.prefixes import inside, meet, network, overlaps, shared, surrounding
from policies.concepts.tunnels import AWS_RESERVED, AZURE_INSIDE, LINK_LOCAL, is_private_asn
from policies.rules.network.network_cidr_no_overlap import RULE as CIDRS
from policies.rules.network.vpn_addressing_unique import RULE as ADDRESSING
from tests.policies.case import Case, Held, StackCase, world

_PAIR = "hashicorp:mesh:VpnPair"
_NETWORK = "hashicorp:clouds:Network"
_MESH = IPv4Network("10.0.0.0/14")


@st.composite
def _ranges(draw: st.DrawFn, within: IPv4Network = _MESH, longest: int = 24, shortest: int = 0) -> str:
    """A range of a block, likely to meet another one."""
    prefix = draw(st.integers(max(within.prefixlen, shortest), longest))
    number = draw(st.integers(0, 2 ** (prefix - within.prefixlen) - 1))
    return str(IPv4Network((int(within.network_address) + (number << (32 - prefix)), prefix)))


_SOME = st.lists(_ranges(), max_size=6)
_INSIDE = st.lists(_ranges(IPv4Network("169.254.21.0/24"), 30, 30), max_size=8)
_EDGES = tuple(f"169.254.{third}.{last}/30" for third in (0, 5, 6, 20, 21, 22, 23, 169) for last in (0, 4, 252))


def _span(text: str) -> range:
    """The numbers of a range's addresses."""
    made = IPv4Network(text)
    return range(int(made.network_address), int(made.broadcast_address) + 1)


def _meet(one: str, other: str) -> bool:
    first, second = _span(one), _span(other)
    return first.start < second.stop and second.start < first.stop


@given(_ranges(), _ranges())
def test_two_ranges_meet_if_they_share_an_address(one: str, other: str) -> None:
    assert meet(one, other) is meet(other, one) is _meet(one, other)


@given(_SOME)
def test_all_overlaps_are_found_and_no_other(ranges: list[str]) -> None:
    named = [(str(index), text) for index, text in enumerate(ranges)]
    assert list(overlaps(named)) == [pair for pair in combinations(named, 2) if _meet(pair[0][1], pair[1][1])]


@given(_SOME, _SOME)
def test_shared_ranges_are_those_that_meet(ones: list[str], others: list[str]) -> None:
    assert list(shared(ones, others)) == [pair for pair in product(ones, others) if _meet(*pair)]


@given(_ranges(), _SOME)
def test_inside_is_the_relation_of_sets(text: str, blocks: list[str]) -> None:
    own = _span(text)
    assert inside(text, blocks) is any(
        (block := _span(each)).start <= own.start and own.stop <= block.stop for each in blocks
    )


@given(_ranges(longest=30), st.integers(0, 2**18 - 1))
def test_an_interface_lies_in_its_range(text: str, offset: int) -> None:
    made = IPv4Network(text)
    address = made[offset % made.num_addresses]
    assert surrounding(f"{address}/{made.prefixlen}") == made


@pytest.mark.parametrize("text", ["10.1.0.1/16", "10.1.0.0/33", "x", "", None, 5.5, "fd00::/8", "10.1.0.0/16 "])
def test_what_is_no_range_meets_nothing_and_lies_nowhere(text: object) -> None:
    assert network(text) is None
    assert not meet(text, "0.0.0.0/0")
    assert not meet("0.0.0.0/0", text)
    assert not inside(text, ("0.0.0.0/0",))
    assert not inside("10.1.0.0/16", (str(text),))


@pytest.mark.parametrize("text", ["10.1.0.1/33", "x", "", None, 5, "fd00::1/64"])
def test_what_is_no_interface_lies_in_no_range(text: object) -> None:
    assert surrounding(text) is None


@given(st.integers(0, 2**32 - 1) | st.sampled_from([64511, 64512, 65534, 65535, 4199999999, 4200000000, 4294967294]))
def test_private_numbers(number: int) -> None:
    private = 64512 <= number <= 65534 or 4200000000 <= number <= 4294967294
    assert is_private_asn(number) is is_private_asn(str(number)) is is_private_asn(float(number)) is private


@pytest.mark.parametrize("value", [None, "", "x", True, 64512.5, [64512]])
def test_what_is_no_number_is_no_private_one(value: object) -> None:
    assert not is_private_asn(value)


def _violations(found: Sequence[Any]) -> list[str]:
    return [finding.path for finding in found if finding.kind == "violation"]


@given(_SOME)
def test_a_network_passes_if_its_subnets_are_disjoint(ranges: list[str]) -> None:
    case = Case(_NETWORK, {"cidr": str(_MESH), "subnets": [{"cidr": text} for text in ranges]})
    disjoint = not any(_meet(*pair) for pair in combinations(ranges, 2))
    assert (not _violations(CIDRS.judge(case.resource(), case.context))) is disjoint


@given(_ranges(), st.lists(_ranges(), min_size=2, max_size=2))
def test_a_stack_passes_if_all_networks_are_disjoint(own: str, peers: list[str]) -> None:
    said = {cloud: {"networks": [{"cidr": text}]} for cloud, text in zip(("azure", "gcp"), peers, strict=True)}
    stack = (
        Held(_NETWORK, "network", {"spec": {"cidr": own}}),
        Held("pulumi:pulumi:Stack", "root", {"complianceFacts": {"peers": said}}),
    )
    disjoint = not any(_meet(*pair) for pair in combinations((own, *peers), 2))
    assert (not _violations(CIDRS.judge_stack(world(stack), StackCase((), stack).context))) is disjoint


@given(_INSIDE)
def test_a_pair_passes_if_its_inside_ranges_are_disjoint(ranges: list[str]) -> None:
    spec = {
        "a": {"cloud": "aws", "asn": 64610},
        "b": {"cloud": "azure", "asn": 64620},
        "tunnels": [{"insideCidr": text} for text in ranges],
    }
    case = Case(_PAIR, spec)
    found = _violations(ADDRESSING.judge(case.resource(), case.context))
    assert (not found) is (len(set(ranges)) == len(ranges))


@given(_ranges(IPv4Network("169.254.0.0/16"), 30, 29) | st.sampled_from(_EDGES))
def test_which_inside_ranges_a_pair_may_have(text: str) -> None:
    def passes(*clouds: str) -> bool:
        (a, b) = ({"cloud": cloud, "asn": 64610 + index} for index, cloud in enumerate(clouds))
        case = Case(_PAIR, {"a": a, "b": b, "tunnels": [{"insideCidr": text}]})
        return not _violations(ADDRESSING.judge(case.resource(), case.context))

    third = int(text.split(".")[2])
    fits = text.endswith("/30") and not (text.endswith(".0/30") and third < 6) and text != "169.254.169.252/30"
    assert passes("aws", "gcp") is fits
    assert passes("aws", "azure") is passes("azure", "gcp") is (fits and third in (21, 22))


def test_what_azure_takes_aws_does_not_keep_for_itself() -> None:
    assert all(inside(text, (LINK_LOCAL,)) for text in (*AWS_RESERVED, *AZURE_INSIDE))
    assert not list(shared(AWS_RESERVED, AZURE_INSIDE))
