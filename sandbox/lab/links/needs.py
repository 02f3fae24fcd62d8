"""What a machine needs before regions can be linked on it; said in one line, before anything is begun."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from .charon import program

PACKAGES = {"ip": "iproute2", "nft": "nftables", "bird": "bird2"}
"""Programs, each with its Debian package; `SECURE` those without which links run plain."""
SECURE = {
    "swanctl": "strongswan-swanctl",
    "charon": "strongswan-charon libcharon-extra-plugins libstrongswan-standard-plugins",
}
_TUN = Path("/dev/net/tun")


def missing(*, plain: bool = False) -> str:
    """What is missing; empty if nothing.

    Args:
        plain: links run without IPsec.
    """
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "links between regions need Linux and root; everything else of the sandbox works without"
    wanted = PACKAGES if plain else PACKAGES | SECURE
    absent = sorted({package for name, package in wanted.items() if not (shutil.which(name) or _elsewhere(name))})
    if absent:
        return f"not installed: {', '.join(absent)} (Debian's names)"
    if not plain and not _TUN.exists():
        return f"IPsec without the kernel's help needs {_TUN}; links run plain without it"
    return ""


def _elsewhere(name: str) -> bool:
    return name == "charon" and bool(program())
