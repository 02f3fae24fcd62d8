"""How often a schedule runs, in each way to write one."""

from __future__ import annotations

import pytest

from policies.concepts.schedules import longest_gap


@pytest.mark.parametrize(
    ("expression", "minutes"),
    [
        ("*/30 * * * *", 30),
        ("*/25 * * * *", 25),
        ("* * * * *", 1),
        ("0 * * * *", 60),
        ("0 0 * * *", 1440),
        ("0 */6 * * *", 360),
        ("5 1-3 * * *", 1320),
        ("0,45 * * * *", 45),
        ("0 0/12 * * *", 720),
        ("0-59/20 * * * *", 20),
        ("59 23 * * *", 1440),
        (" @hourly ", 60),
        ("@daily", 1440),
        ("@midnight", 1440),
        ("rate(1 minute)", 1),
        ("rate(30 minutes)", 30),
        ("rate(2 hours)", 120),
        ("rate(1 day)", 1440),
        ("cron(0/30 * * * ? *)", 30),
    ],
)
def test_a_schedule_of_every_day_says_how_often_it_runs(expression: str, minutes: int) -> None:
    assert longest_gap(expression) == minutes


@pytest.mark.parametrize(
    "expression",
    [
        "0 0 1 * *",
        "0 0 * 6 *",
        "0 0 * * 1-5",
        "0 0 * *",
        "0 0 * * * *",
        "60 * * * *",
        "0 24 * * *",
        "*/0 * * * *",
        "5-1 * * * *",
        "x * * * *",
        "* x * * *",
        "0 0,x * * *",
        "@weekly",
        "rate(5 weeks)",
        "rate(30 minutes) or so",
        "cron(0 0 ? * MON *)",
        "cron(0 0 * * ? 2027)",
        "at(2027-01-01T00:00:00)",
        "",
        None,
        30,
    ],
)
def test_what_leaves_out_days_or_cannot_be_read_has_no_answer(expression: object) -> None:
    assert longest_gap(expression) is None
