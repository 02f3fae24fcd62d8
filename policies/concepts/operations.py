"""What operators keep in `operations/`: the maintenance windows, and what each category of change demands.

Owns the reading of the files, once and only when a rule asks. One that does not fit raises, and so becomes a violation of
the rule that asked.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from components.plan import change, windows

_FOLDER = Path(__file__).parents[2] / "operations"


@cache
def schedule() -> windows.Schedule:
    """The maintenance windows."""
    return windows.schedule(_document("maintenance.yaml"))


@cache
def rules() -> change.Rules:
    """What each category of change demands."""
    return change.rules(_document("change.yaml"))


def _document(file: str) -> object:
    return yaml.safe_load((_FOLDER / file).read_text(encoding="utf-8"))
