"""Differences are complete, lie where they are said to lie, and replace only where they must."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.cloud.diff import covers, differences

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)
_BAGS = st.dictionaries(st.sampled_from(["name", "tags", "rules", "x.y"]), _VALUES, max_size=4)


@given(_BAGS)
def test_nothing_differs_from_itself(bag: dict[str, Any]) -> None:
    assert not differences(bag, bag, ["name"])


@given(_BAGS, _BAGS)
def test_without_ignored_and_fixed_names_two_ways_of_comparing_mirror_each_other(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    mirror = {"add": "delete", "delete": "add", "update": "update"}
    there = {(item.path, item.kind) for item in differences(old, new, [])}
    back = {(item.path, mirror[item.kind]) for item in differences(new, old, [])}
    assert there == back


def test_indexes_do_not_count_for_what_is_fixed() -> None:
    found = differences({"disks": [{"size": 1, "kind": "a"}]}, {"disks": [{"size": 2, "kind": "b"}]}, ["disks.kind"])
    assert [(item.path, item.replaces) for item in found] == [("disks[0].kind", True), ("disks[0].size", False)]


def test_a_name_covers_what_lies_under_it_and_not_what_begins_like_it() -> None:
    assert covers(["tags"], 'tags["a.b"]')
    assert covers(["a.b"], "a[0].b.c")
    assert not covers(["tag"], "tags")
    assert not covers(["a.b"], "a")


def test_ignored_changes_are_ignored_with_all_under_them() -> None:
    old, new = {"tags": {"a": "1"}, "size": 1}, {"tags": {"a": "2"}, "size": 2}
    assert [item.path for item in differences(old, new, [], ["tags"])] == ["size"]


def test_notes_of_the_provider_are_no_difference() -> None:
    assert not differences({"__defaults": ["name"]}, {}, [])
