"""Values reach rules plain, whatever the policy SDK wraps them in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.resource import Node, Resource, Undecided
from policies.values import ABSENT, UNKNOWN, UNKNOWN_TEXTS, as_bool, as_int, as_list, as_seconds, thaw


class UnknownValueError(Exception):
    """Named as the SDK names it."""


class _Map(Mapping[str, Any]):
    """Behaves like the SDK's proxy of a map: raises on touching an unknown, and is no dict."""

    def __init__(self, target: Mapping[str, Any]) -> None:
        self._target = target

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401
        return _touched(self._target[key])

    def __len__(self) -> int:
        return len(self._target)

    def __iter__(self) -> Iterator[str]:
        return iter(self._target)


class _List(Sequence[Any]):
    """The same for lists; a slice lets the sentinels through, as the SDK's does."""

    def __init__(self, target: Sequence[Any]) -> None:
        self._target = target

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401
        return self._target[key] if isinstance(key, slice) else _touched(self._target[key])

    def __len__(self) -> int:
        return len(self._target)


def _touched(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str) and value in UNKNOWN_TEXTS:
        raise UnknownValueError(value)
    return _proxied(value)


def _proxied(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return _Map(value)
    return _List(value) if isinstance(value, list) else value


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text() | st.sampled_from(sorted(UNKNOWN_TEXTS)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=20,
)


def _expected(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _expected(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_expected(item) for item in value]
    return UNKNOWN if isinstance(value, str) and value in UNKNOWN_TEXTS else value


@given(st.dictionaries(st.text(min_size=1), _JSON, max_size=5))
def test_a_proxy_thaws_into_plain_values_with_unknowns_at_the_leaves(props: dict[str, Any]) -> None:
    assert thaw(_proxied(props)) == _expected(props)


@given(st.dictionaries(st.text(min_size=1), _JSON, max_size=5))
def test_what_is_thawed_holds_no_proxy(props: dict[str, Any]) -> None:
    json.dumps(thaw(_proxied(props)), default=lambda value: value.value)


def test_another_exception_is_not_taken_for_an_unknown() -> None:
    class Broken(_Map):
        def __getitem__(self, key: str) -> Any:  # noqa: ANN401
            raise KeyError(key)

    with pytest.raises(KeyError):
        thaw(Broken({"a": 1}))


@pytest.mark.parametrize(
    ("value", "expected"),
    [(5, 5), (5.0, 5), ("5", 5), ("-5", -5), (5.5, None), ("5.5", None), (True, None), (None, None), ("", None)],
)
def test_a_whole_number_is_read_however_the_sdk_spells_it(value: object, expected: int | None) -> None:
    assert as_int(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), ("true", True), ("True", True), ("1", True), ("t", True), (False, False), ("false", False),
     ("0", False), ("F", False), (1, None), ("yes", None), (None, None)],
)  # fmt: skip
def test_a_truth_value_is_read_however_the_sdk_spells_it(value: object, *, expected: bool | None) -> None:
    assert as_bool(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("7776000s", 7776000), ("2160h", 7776000), ("1h30m", 5400), (90, 90), ("90", 90), ("1h1m1s", 3661), ("0s", 0),
     ("", None), ("soon", None), ("h", None), (None, None)],
)  # fmt: skip
def test_a_duration_is_read_however_it_is_spelled(value: object, expected: int | None) -> None:
    assert as_seconds(value) == expected


def test_only_a_list_has_items() -> None:
    assert as_list([1]) == [1]
    assert as_list("ab") == as_list(ABSENT) == as_list(UNKNOWN) == []


_PROPS = {"a": {"b": [{"c": 1}, {"d": 2}, UNKNOWN]}, "e": UNKNOWN, "f": [], "g": {"h": "i"}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b[].c", [("a.b[0].c", 1), ("a.b[1].c", ABSENT), ("a.b[2].c", UNKNOWN)]),
        ("a.b[].c?", [("a.b[0].c", 1), ("a.b[2].c", UNKNOWN)]),
        ("e.anything.below", [("e.anything.below", UNKNOWN)]),
        ("e[].below", [("e.below", UNKNOWN)]),
        ("f[].x", []),
        ("missing[].x", []),
        ("missing.x", [("missing.x", ABSENT)]),
        ("missing?.x", []),
        ("g.h", [("g.h", "i")]),
        ("g.h.deeper", [("g.h.deeper", ABSENT)]),
        ("g[].h", [("g[0].h", "i")]),
    ],
)
def test_a_path_finds_each_element_and_says_what_is_absent_or_unknown(path: str, found: list[Any]) -> None:
    resource = Resource("urn:pulumi:s::p::t::n", "t", "n", _PROPS)
    assert [(node.path, node.value) for node in resource.each(path)] == found


def test_an_unknown_raises_when_it_is_needed_and_an_absent_does_not() -> None:
    node = Node("", _PROPS)
    with pytest.raises(Undecided) as raised:
        node.get("e.x")
    assert raised.value.path == "e.x"
    assert node.get("missing.x") is ABSENT


def test_texts_are_all_keys_texts_and_unknowns() -> None:
    texts = {(node.path, node.value) for node in Node("", {"a": ["b", UNKNOWN], "c": {"d": 1}}).texts()}
    assert texts == {("a", "a"), ("a[0]", "b"), ("a[1]", UNKNOWN), ("c", "c"), ("c.d", "d")}


def test_what_a_resource_lies_below_comes_from_its_urn() -> None:
    urn = "urn:pulumi:aws::p::x:y:Platform$hashicorp:products:VaultCluster$z:z:Group$aws:ec2/instance:Instance::v-1"
    resource = Resource(urn, "aws:ec2/instance:Instance", "v-1", {})
    assert resource.stack == "aws"
    assert resource.below("hashicorp:products:") == "hashicorp:products:VaultCluster"
    assert resource.below("hashicorp:products:ConsulCluster") is None
    assert resource.below("aws:ec2/instance:Instance") is None
