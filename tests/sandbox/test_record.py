"""The sandbox's updates run under a record that complies, says that nothing is real, and stays the same while it holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from components.plan.change import LONGEST_EMERGENCY, read, recorded, window
from policies.concepts.operations import rules, schedule
from sandbox import record

NOW = datetime(2026, 11, 25, 13, 37, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "change.yaml"
    record.ensure(made, NOW)
    return made


@pytest.mark.parametrize("hours", [0, 1, 71])
def test_it_complies_at_any_time_until_it_ends(file: Path, hours: int) -> None:
    change = read(yaml.safe_load(file.read_text(encoding="utf-8")))
    then = NOW + timedelta(hours=hours)
    assert not recorded(change, rules(), then)
    assert not window(change, schedule(), then)
    assert window(change, schedule(), NOW + LONGEST_EMERGENCY)
    assert "simulated" in (change.impact or "")


def test_it_stays_the_same_while_it_holds_and_is_renewed_before_it_ends(file: Path) -> None:
    first = file.read_text(encoding="utf-8")
    record.ensure(file, NOW + LONGEST_EMERGENCY - record.MARGIN - timedelta(seconds=1))
    assert file.read_text(encoding="utf-8") == first
    record.ensure(file, NOW + LONGEST_EMERGENCY - record.MARGIN)
    assert file.read_text(encoding="utf-8") != first


@pytest.mark.parametrize("text", ["", "[]", "closes: soon", "{", "closes: 5"])
def test_what_is_no_record_is_replaced(file: Path, text: str) -> None:
    first = file.read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    record.ensure(file, NOW)
    assert file.read_text(encoding="utf-8") == first
