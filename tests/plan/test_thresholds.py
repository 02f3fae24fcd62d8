"""Threshold bands: no gap, no overlap, and no file that would call everything normal."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.plan.thresholds import FILE, Bands, Falling, Rising, thresholds
from sandbox.home import TREE

LEVELS = ("normal", "elevated", "warning", "critical")
LIMITS = st.lists(st.floats(0.001, 1000), min_size=3, max_size=3).map(sorted)


def document() -> dict[str, Any]:
    return yaml.safe_load((TREE / FILE).read_text(encoding="utf-8"))


def test_the_operators_file_holds_the_runbooks_figures() -> None:
    bands = thresholds(document())
    assert [bands.disk_used.level(value) for value in (0.69, 0.70, 0.80, 0.81, 0.90, 0.91)] == [
        "normal", "elevated", "elevated", "warning", "warning", "critical",
    ]  # fmt: skip
    assert [bands.certificate_days.level(days) for days in (45, 44.9, 30, 29.9, 7, 6.9)] == [
        "normal", "elevated", "elevated", "warning", "warning", "critical",
    ]  # fmt: skip


@given(LIMITS, st.floats(0, 2000), st.floats(0, 2000))
def test_a_worse_value_is_never_in_a_better_band(limits: list[float], one: float, other: float) -> None:
    low, middle, high = limits
    better, worse = sorted((one, other))
    rising = Rising(elevated=low, warning=middle, critical=high)
    assert LEVELS.index(rising.level(better)) <= LEVELS.index(rising.level(worse))
    falling = Falling(elevated=high, warning=middle, critical=low)
    assert LEVELS.index(falling.level(worse)) <= LEVELS.index(falling.level(better))


def test_what_is_no_number_is_critical() -> None:
    assert Rising(elevated=1, warning=2, critical=3).level(float("nan")) == "critical"
    assert Falling(elevated=3, warning=2, critical=1).level(float("nan")) == "critical"


@pytest.mark.parametrize(
    ("signal", "band", "says"),
    [
        ("diskUsed", {"elevated": 0.9, "warning": 0.8, "critical": 0.95}, "must rise"),
        ("diskUsed", {"elevated": 70, "warning": 80, "critical": 90}, "a share is below 1"),
        ("certificateDays", {"elevated": 7, "warning": 30, "critical": 45}, "must fall"),
        ("backupAge", {"elevated": 1.0, "warning": 1.5}, "Field required"),
        ("backupAge", {"elevated": "1", "warning": 1.5, "critical": 2}, "valid number"),
        ("backupAge", {"elevated": 0, "warning": 1.5, "critical": 2}, "greater than 0"),
        ("backupAge", {"elevated": 1, "warning": 1.5, "critical": float("inf")}, "finite"),
        ("diskUsedd", {"elevated": 0.7, "warning": 0.8, "critical": 0.9}, "not permitted"),
    ],
)
def test_a_file_that_would_judge_wrongly_is_refused(signal: str, band: dict[str, Any], says: str) -> None:
    changed = document()
    changed["bands"][signal] = band
    with pytest.raises(ValueError, match=says) as refused:
        thresholds(changed)
    assert str(refused.value).startswith(f"{FILE}: ")


def test_every_signal_must_be_there() -> None:
    for signal in document()["bands"]:
        changed = document()
        del changed["bands"][signal]
        with pytest.raises(ValueError, match="Field required"):
            thresholds(changed)
    assert set(document()["bands"]) == {field.alias for field in Bands.model_fields.values()}
