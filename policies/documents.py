"""Access policies in JSON, as AWS writes them.

Owns reading such a text into statements, whatever single values and lists it mixes. Text that is unknown raises, since
one ARN that is not known yet makes all of it unknown; text that is no JSON grants nothing and is reported by nobody else,
so it reads as one statement that allows everything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from policies.resource import Node, Undecided
from policies.values import ABSENT

_DEMANDING = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"})
_ANY_VALUE = "foranyvalue:"


@dataclass(frozen=True)
class Comparison:
    """One condition; operator and key in lower case, as AWS compares them."""

    operator: str
    key: str
    values: tuple[str, ...]

    @property
    def demands(self) -> bool:
        """Whether only a request that has the key, with one of the values, meets it.

        What ends in `IfExists`, asks for `ForAllValues` or says what is not meant is met without the key too.
        """
        return self.operator.removeprefix(_ANY_VALUE) in _DEMANDING


@dataclass(frozen=True)
class Statement:
    """One statement.

    Attributes:
        principals: of all kinds; `*` for everybody.
        conditions: values by key, in lower case as AWS compares keys, whatever the operator.
        negated: the parts that say what is not meant: `Action`, `Resource`, `Principal`.
        comparisons: the conditions with their operators.
    """

    effect: str
    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    negated: frozenset[str] = frozenset()
    comparisons: tuple[Comparison, ...] = ()

    def condition(self, key: str) -> tuple[str, ...]:
        """The values that a condition compares a key with; none where it does not."""
        return self.conditions.get(key.lower(), ())

    def demanded(self, ending: str) -> tuple[tuple[str, ...], ...]:
        """The values that a request must have one of, for each demand on a key that ends so."""
        return tuple(each.values for each in self.comparisons if each.demands and each.key.endswith(ending.lower()))


EVERYTHING = Statement("Allow", ("*",), ("*",), ("*",))


def policy_statements(node: Node) -> tuple[Statement, ...]:
    """The statements of a policy; none where there is no policy.

    Raises:
        Undecided: the text is not known yet.
    """
    text = node.known()
    if text is ABSENT:
        return ()
    for each in node.texts():
        if each.unknown:
            raise Undecided(node.path)
    try:
        document = json.loads(text) if isinstance(text, str) else text
        return tuple(_statement(each) for each in _listed(document["Statement"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return (EVERYTHING,)


def _statement(raw: Mapping[str, Any]) -> Statement:
    negated = frozenset(part for part in ("Action", "Resource", "Principal") if f"Not{part}" in raw)
    return Statement(
        effect=str(raw["Effect"]),
        actions=_texts(raw.get("Action", raw.get("NotAction"))),
        resources=_texts(raw.get("Resource", raw.get("NotResource"))),
        principals=tuple(_principals(raw.get("Principal", raw.get("NotPrincipal")))),
        conditions=_conditions(raw.get("Condition") or {}),
        negated=negated,
        comparisons=tuple(_comparisons(raw.get("Condition") or {})),
    )


def _principals(raw: object) -> Iterator[str]:
    if isinstance(raw, dict):
        for value in cast("dict[str, object]", raw).values():
            yield from _texts(value)
    elif raw is not None:
        yield from _texts(raw)


def _conditions(raw: Mapping[str, Mapping[str, object]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for compared in raw.values():
        for key, value in compared.items():
            found[key.lower()] = (*found.get(key.lower(), ()), *_texts(value))
    return found


def _comparisons(raw: Mapping[str, Mapping[str, object]]) -> Iterator[Comparison]:
    for operator, compared in raw.items():
        for key, value in compared.items():
            yield Comparison(operator.lower(), key.lower(), _texts(value))


def _texts(raw: object) -> tuple[str, ...]:
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in _listed(raw))


def _listed(raw: object) -> list[Any]:
    if raw is None:
        return []
    return cast("list[Any]", raw) if isinstance(raw, list) else [raw]
