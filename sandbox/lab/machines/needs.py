"""What a machine needs before it can hold a lab; said in one line, before anything is begun."""

from __future__ import annotations

import os
import shutil
import sys

from sandbox.lab.machines.cgroups import hierarchies

PACKAGES = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "nft": "nftables",
    "ip": "iproute2",
    "losetup": "mount",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "setsid": "util-linux",
    "openssl": "openssl",
}
"""Programs, each with its Debian package."""


def missing() -> str:
    """What is missing; empty if nothing."""
    if not sys.platform.startswith("linux"):
        return "the lab's machines need Linux; everything else of the sandbox works without"
    if os.geteuid() != 0:
        return "the lab's machines need root; everything else of the sandbox works without"
    absent = sorted({package for program, package in PACKAGES.items() if not shutil.which(program)})
    if absent:
        return f"not installed: {', '.join(absent)} (Debian's names)"
    if not hierarchies() or not all(os.access(hierarchy, os.W_OK) for hierarchy in hierarchies()):
        return "the lab's machines need control groups at /sys/fs/cgroup that may be written"
    return ""
