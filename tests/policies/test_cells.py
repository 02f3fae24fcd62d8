"""Every rule is tried wherever the catalogue says that it judges."""

from __future__ import annotations

import pytest

from policies.catalogue import Entry, catalogue
from policies.rules import RULES
from tests.policies import cells

_EACH = pytest.mark.parametrize(
    "rule", [pytest.param(rule, id=rule.id) for rule in (catalogue()[each.id] for each in RULES)]
)


@_EACH
def test_every_place_that_a_rule_judges_has_cases_that_break_it(rule: Entry) -> None:
    assert not cells.empty(rule)


@_EACH
def test_no_case_tries_a_place_that_the_catalogue_does_not_name(rule: Entry) -> None:
    assert not cells.unclaimed(rule)


def test_the_page_of_what_is_tried_is_what_the_cases_say() -> None:
    assert cells.PAGE.read_text(encoding="utf-8") == cells.text(), "write it: python -m tests.policies.cells"
