"""A sandbox in which an operation can begin: engine, plugins, a running simulated cloud, stacks.

Owns that order and nothing of what it calls. Cheap when all is there already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox import service
from sandbox.cloud.daemon import port_file
from sandbox.cloud.launcher import launcher_script
from sandbox.home import TREE, Home
from sandbox.toolchain import engine

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sandbox.progress import Board
    from sandbox.stacks.order import StackFile

ROOT = TREE / ".sandbox"
"""The tree's own sandbox."""


def ready(board: Board, stacks: Iterable[StackFile] = (), root: Path = ROOT) -> Home:
    """The sandbox in the folder `root`, with its engine, plugins, a running simulated cloud and the given stacks."""
    home = Home(root, engine.obtain(board))
    home.prepare(launcher_script(port_file(home.cloud)))
    service.ensure(home.cloud, board)
    for stack in stacks:
        home.ensure_stack(TREE, stack.name)
    return home
