"""Arithmetic on address ranges, against sets of single addresses."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.concepts.addresses import (
    GOOGLE_PROBES,
    PRIVATE,
    Network,
    admitted,
    collapse,
    is_member,
    is_world,
    networks,
    parsed,
    public,
    refused,
    subtract,
    too_many,
    within,
)

_MESH = networks(("10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"))


@st.composite
def _small(draw: st.DrawFn) -> Network:
    """A range of a few addresses near others like it, of either version."""
    bits = draw(st.integers(0, 6))
    start = draw(st.integers(0, 63)) >> bits << bits
    if draw(st.booleans()):
        return IPv4Network((0x0B000000 + start, 32 - bits))
    return IPv6Network(((0x2001 << 112) + start, 128 - bits))


@st.composite
def _any(draw: st.DrawFn) -> Network:
    """Any range."""
    if draw(st.booleans()):
        prefix = draw(st.integers(0, 32))
        return IPv4Network((draw(st.integers(0, 2**32 - 1)) >> (32 - prefix) << (32 - prefix), prefix))
    prefix = draw(st.integers(0, 128))
    return IPv6Network((draw(st.integers(0, 2**128 - 1)) >> (128 - prefix) << (128 - prefix), prefix))


_SOME = st.lists(_small(), max_size=6)


def _each(ranges: Iterable[Network]) -> set[object]:
    return {address for network in ranges for address in network}


@given(_SOME)
def test_collapsed_ranges_hold_the_same_addresses_once(ranges: list[Network]) -> None:
    found = collapse(ranges)
    assert _each(found) == _each(ranges)
    assert sum(network.num_addresses for network in found) == len(_each(ranges))


@given(_SOME, _SOME)
def test_subtraction_is_that_of_sets(ranges: list[Network], others: list[Network]) -> None:
    assert _each(subtract(ranges, others)) == _each(ranges) - _each(others)


@given(_small(), _SOME)
def test_within_is_the_relation_of_sets(network: Network, others: list[Network]) -> None:
    assert within(network, others) is (_each((network,)) <= _each(others))


@given(_any())
def test_the_halves_of_a_range_are_as_public_as_the_range(network: Network) -> None:
    if network.prefixlen < network.max_prefixlen:
        assert public(network.subnets()) == public((network,))


@given(_any(), _any())
def test_the_public_part_shares_nothing_with_what_is_taken_away(network: Network, trusted: Network) -> None:
    left = public((network,), (trusted,))
    assert all(within(part, (network,)) for part in left)
    assert not any(part.overlaps(other) for part in left for other in (*PRIVATE, trusted) if _like(part, other))


def _like(one: Network, other: Network) -> bool:
    return one.version == other.version


@given(_any(), _any())
def test_a_wider_range_is_the_world_where_a_narrower_one_is(network: Network, other: Network) -> None:
    if _like(network, other) and within(network, (other,)) and is_world(str(network)):
        assert is_world(str(other))


@given(_any())
def test_nothing_is_the_world_to_those_who_trust_it(network: Network) -> None:
    assert not is_world(str(network), (network,))
    assert not is_world(str(network), ip_network("0.0.0.0/0" if network.version == 4 else "::/0").subnets())


@given(_any())
def test_the_world_is_wide_and_in_part_public(network: Network) -> None:
    wide = network.prefixlen < {4: 24, 6: 48}[network.version]
    assert is_world(str(network)) is (wide and bool(public((network,))))


@pytest.mark.parametrize(
    "text",
    [
        *("0.0.0.0/0", "::/0", "*", "Internet", "internet", "Any", "AzureCloud", "Storage.westus2", "no range"),
        *("8.8.8.0/23", "2001:db8::/47", "10.0.0.0/7", "172.0.0.0/8", "100.64.0.0/9", "fc00::/6", "127.0.0.1/0"),
        *("192.168.0.0/15", "169.254.0.0/15", "fe80::/9", None, 5),
    ],
)
def test_the_world(text: object) -> None:
    assert is_world(text)


@pytest.mark.parametrize(
    "text",
    [
        *("8.8.8.0/24", "8.8.8.8", "2001:db8::/48", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
        *("127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10", "fd12::/16", "10.1.2.3/16", "VirtualNetwork"),
        "AzureLoadBalancer",
    ],
)
def test_what_is_not_the_world(text: str) -> None:
    assert not is_world(text)


def test_trusted_ranges_do_not_count() -> None:
    assert is_world("35.191.0.0/16")
    assert not is_world("35.191.0.0/16", GOOGLE_PROBES)
    assert is_world("35.190.0.0/15", GOOGLE_PROBES)
    assert not is_world("198.51.100.0/22", networks(("198.51.100.0/23", "198.51.102.0/23")))


@pytest.mark.parametrize(
    ("text", "member"),
    [
        ("10.1.0.0/16", True), ("10.2.3.4", True), ("10.2.0.0/15", True), ("AzureLoadBalancer", True),
        ("10.0.0.0/16", False), ("10.0.0.0/14", False), ("VirtualNetwork", False), ("*", False), ("::/0", False),
        (None, False),
    ],
)  # fmt: skip
def test_members_of_the_mesh(text: object, member: bool) -> None:  # noqa: FBT001
    assert is_member(text, _MESH) is member


def test_what_cannot_be_read_admits_everyone_and_refuses_nobody() -> None:
    everywhere = networks(("0.0.0.0/0", "::/0"))
    assert admitted("Storage") == admitted("*") == refused("*") == refused("Internet") == everywhere
    assert refused("Storage") == refused("VirtualNetwork") == admitted("VirtualNetwork") == ()
    assert admitted("8.8.8.0/24") == refused("8.8.8.0/24") == networks(("8.8.8.0/24",))
    assert parsed("Storage") is None


@pytest.mark.parametrize(
    ("texts", "many"),
    [
        (["8.0.0.0/20"], False), (["8.0.0.0/20", "9.0.0.0/32"], True), (["8.0.0.0/20", "8.0.0.0/21"], False),
        (["2001::/44"], False), (["2001::/44", "2002::/128"], True), (["8.0.0.0/20", "2001::/44"], False), ([], False),
    ],
)  # fmt: skip
def test_too_many_addresses(texts: list[str], many: bool) -> None:  # noqa: FBT001
    assert too_many(networks(texts)) is many


def test_a_configured_text_that_is_no_range_is_refused() -> None:
    with pytest.raises(ValueError, match="office"):
        networks(("office",))
