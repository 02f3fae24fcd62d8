"""node_exporter: the metrics of every machine.

Plain HTTP on the machine's own address: Boundary workers have no certificate of the platform, and one way for all
is worth more than TLS on some. The firewall admits only the platform's networks, and what it tells is no secret.
"""

from __future__ import annotations

from components.plan.server import File
from components.plan.versions import EXPORTER

from .program import Directory, Program
from .rendering import render

TEXTFILES = "/var/lib/node_exporter"
"""Metrics of jobs that do not run for long, a folder for each user that writes some: only the owner of a folder can
replace a file in it as a whole."""
TEXTFILE = f"{TEXTFILES}/textfile"
"""Root's."""


def exporter(address: str | None) -> Program:
    """The exporter on one machine; without a planned address it listens on every one."""
    unit = render("systemd/node_exporter.service.j2", {"address": address, "textfiles": TEXTFILES})
    return Program(
        name=EXPORTER,
        user=EXPORTER,
        files=(File(f"/etc/systemd/system/{EXPORTER}.service", unit),),
        units=(f"{EXPORTER}.service",),
        directories=(Directory(TEXTFILE, "0755", "root:root"),),
    )
