"""Every rule's cases: a module a rule, named like it, in a folder an area."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from functools import cache

from policies.rules import AREAS
from tests.policies.case import Case, StackCase


@cache
def cases() -> Mapping[str, Sequence[Case | StackCase]]:
    """Cases by rule."""
    return {
        rule.id: importlib.import_module(f"{__name__}.{area}.{rule.id.replace('-', '_')}").CASES
        for area, rules in AREAS.items()
        for rule in rules
    }
