"""How a rule says what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from components.plan.spec import Stack
from tests.contract.posture import Posture

Rule = Callable[[Posture, Stack], Iterator[str]]
"""Yields what is wrong, in words; nothing is right."""


def listed(things: Iterable[object]) -> str:
    """In one order, whatever they come in."""
    return ", ".join(sorted(map(str, things)))


def differences(what: str, found: Iterable[object], planned: Iterable[object]) -> Iterator[str]:
    """What there is too much and too little of."""
    if surplus := set(found) - set(planned):
        yield f"{what}: {listed(surplus)}, which the plan does not have"
    if missing := set(planned) - set(found):
        yield f"{what}: no {listed(missing)}"
