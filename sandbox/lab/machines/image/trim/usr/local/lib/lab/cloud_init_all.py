"""cloud-init's four stages in one process, one after the other: the program's start is most of what a stage costs."""

# ruff: noqa: INP001 - a script of the machine, not a package
from __future__ import annotations

import os
import sys

from cloudinit.cmd.main import main  # pyright: ignore[reportMissingImports] - only a machine has it

_STAGES = (["init", "--local"], ["init"], ["modules", "--mode=config"], ["modules", "--mode=final"])

worst = 0
for stage in _STAGES:
    # A child each: log handlers and the copy of the output would be set up on top of each other.
    child = os.fork()
    if not child:
        code = 1
        try:
            code = main(["cloud-init", *stage]) or 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    worst = max(worst, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
sys.exit(worst)
