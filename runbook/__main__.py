"""`python -m runbook <command>`."""

from __future__ import annotations

from runbook.app import run

run()
