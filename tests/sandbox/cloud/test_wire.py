"""Values survive the way to the wire, to disk and back."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.cloud import wire
from sandbox.cloud.index import entry
from sandbox.cloud.store import Record, Store
from sandbox.cloud.wire import ASSET, UNKNOWN, Secret, Special, Value

_SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.floats(-1e9, 1e9)
_STORED = st.recursive(
    _SCALARS | st.builds(Special, st.just(ASSET), st.fixed_dictionaries({"text": st.text()})),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3) | st.builds(Secret, inner)
    ),
    max_leaves=12,
)
_VALUES = _STORED | st.just(UNKNOWN) | st.lists(st.just(UNKNOWN), max_size=2)


def normal(value: Value) -> Value:
    """Numbers as the wire has them: whole ones are ints."""
    return wire.rewrite(
        value,
        lambda leaf: (
            Secret(normal(leaf.value))
            if isinstance(leaf, Secret)
            else int(leaf)
            if isinstance(leaf, float) and leaf.is_integer()
            else leaf
        ),
    )


@given(st.dictionaries(st.text(), _VALUES, max_size=5))
def test_what_goes_over_the_wire_comes_back(values: dict[str, Any]) -> None:
    assert wire.decode(wire.encode(values)) == normal(values)


@given(st.dictionaries(st.text(), _STORED, max_size=5))
@settings(max_examples=30)
def test_what_is_stored_comes_back_after_a_restart(values: dict[str, Any]) -> None:
    record = Record("test:index:Type", "id", "urn:pulumi:s::p::test:index:Type::n", values, values)
    with TemporaryDirectory() as folder:
        store = Store(Path(folder), entry)
        store.put(record)
        store.close()
        again = Store(Path(folder), entry)
        assert again.get(record.key) == record
        again.close()


@given(_STORED)
def test_what_is_shown_to_people_holds_no_secret(value: Value) -> None:
    shown = wire.masked({"a": Secret(value), "b": [Secret(value)]})
    assert shown == {"a": "[secret]", "b": ["[secret]"]}


def test_an_output_equal_to_a_secret_input_is_secret_again() -> None:
    given_ = {"a": [Secret("x"), "y"], "b": Secret(1)}
    assert wire.cover({"a": ["x", "y"], "b": 2}, given_) == {"a": [Secret("x"), "y"], "b": Secret(2)}


def test_a_path_goes_through_lists() -> None:
    value = {"rules": [{"to": {"bucket": "a"}}, {"to": {}}, {"to": {"bucket": "b"}}]}
    assert list(wire.at(value, "rules[*].to.bucket")) == [("rules[0].to.bucket", "a"), ("rules[2].to.bucket", "b")]
