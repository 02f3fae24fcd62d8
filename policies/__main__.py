"""Serves the pack to the engine; everything else is importable without starting a server."""

import sys
from pathlib import Path

from pulumi_policy import PolicyPack

HERE = Path(__file__).resolve().parent
# The engine starts the pack's folder; the pack's modules are a package of the project.
sys.path.insert(0, str(HERE.parent))

from policies.pack import NAME, policies  # noqa: E402

PolicyPack(NAME, policies(HERE))
