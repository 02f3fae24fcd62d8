"""What a machine needs before regions can be linked on it; said in one line, before anything is begun."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sandbox.toolchain.packages import absent, remedy

_TUN = Path("/dev/net/tun")


def missing(*, plain: bool = False) -> str:
    """What is missing; empty if nothing.

    Args:
        plain: links run without IPsec.
    """
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "links between regions need Linux and root; everything else of the sandbox works without"
    if lacking := absent("mesh") if plain else absent("mesh", "ipsec"):
        return f"not installed: {', '.join(lacking)} (Debian: `{remedy(lacking)}`)"
    if not plain and not _TUN.exists():
        return f"IPsec without the kernel's help needs {_TUN}; links run plain without it"
    return ""
