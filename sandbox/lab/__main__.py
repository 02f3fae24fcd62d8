"""`python -m sandbox.lab <command>`."""

from __future__ import annotations

from sandbox.lab.app import run

run()
