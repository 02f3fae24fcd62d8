"""Whoever is told where to look finds it there."""

from __future__ import annotations

import re

from components.plan.spec import PRODUCTS
from runbook.bootstrap import report
from runbook.bootstrap.steps import State
from runbook.errors import FOUND, PASSED, REFUSED, UNKNOWN
from runbook.health import checks
from runbook.health.outcome import Verdict
from runbook.health.report import PAGE, Document, Row, Subject, anchor, printable
from sandbox.home import TREE

TEXT, BRING_UP = (TREE / PAGE).read_text(encoding="utf-8").split("\n## First bring-up\n")
HEADINGS = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)


def test_every_check_leads_to_a_heading_and_every_such_heading_is_led_to() -> None:
    helps = {check.helps for product in PRODUCTS for check in checks.CHECKS[product]} | {
        check.helps for regional in checks.LINKS.values() for check in regional
    }
    assert helps == set(HEADINGS) - {"How it ends", "Tokens", "For machines"}
    assert len({anchor(heading) for heading in HEADINGS}) == len(HEADINGS)


def test_names_of_checks_are_unique_within_a_cluster() -> None:
    for product in PRODUCTS:
        names = [check.name for check in checks.CHECKS[product]]
        assert len(names) == len(set(names))


def test_the_page_names_every_field_and_verdict_of_the_document() -> None:
    fields = {field.alias or name for model in (Document, Subject, Row) for name, field in model.model_fields.items()}
    for word in fields | {str(verdict) for verdict in Verdict}:
        assert f"`{word}`" in TEXT, word


def test_the_page_names_every_field_and_state_of_a_bring_up() -> None:
    kinds = (report.Document, report.Subject, report.Row)
    fields = {field.alias or name for model in kinds for name, field in model.model_fields.items()}
    for word in fields | {str(state) for state in State}:
        assert f"`{word}`" in BRING_UP, word


def test_the_page_names_every_exit_code() -> None:
    for text in (TEXT, BRING_UP):
        assert [int(code) for code in re.findall(r"^\| (\d) \|", text, re.MULTILINE)] == [
            PASSED,
            FOUND,
            REFUSED,
            UNKNOWN,
        ]


def test_what_a_machine_calls_itself_cannot_steer_the_terminal() -> None:
    assert printable("client \x1b[2Jgone\n\x9b") == "client ?[2Jgone??"
