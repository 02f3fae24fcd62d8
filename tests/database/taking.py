"""The dump module as the agent on a machine has it: a file beside it, imported by its name."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from sandbox.home import TREE
from tests.database.postgres import DATABASE, Server

_FILE = TREE / "components/templates/backup/boundary.py"


def _loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dump_of_boundary", _FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


boundary = _loaded()


def final(folder: Path) -> set[str]:
    """What an upload would find."""
    return {path.name for path in folder.iterdir() if path.suffix == ".dump"}


def restore(server: Server, file: Path) -> None:
    """Into an empty database, all or nothing, as the recovery does."""
    server.run("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", f"--dbname={DATABASE}", str(file))
