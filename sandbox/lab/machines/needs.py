"""What a machine needs before it can hold a lab; said in one line, before anything is begun."""

from __future__ import annotations

import os
import sys

from sandbox.lab.machines.cgroups import hierarchies
from sandbox.toolchain.packages import absent, remedy


def missing() -> str:
    """What is missing; empty if nothing."""
    if not sys.platform.startswith("linux"):
        return "the lab's machines need Linux; everything else of the sandbox works without"
    if os.geteuid() != 0:
        return "the lab's machines need root; everything else of the sandbox works without"
    if lacking := absent("lab"):
        return f"not installed: {', '.join(lacking)} (Debian: `{remedy(lacking)}`)"
    if not hierarchies() or not all(os.access(hierarchy, os.W_OK) for hierarchy in hierarchies()):
        return "the lab's machines need control groups at /sys/fs/cgroup that may be written"
    return ""
