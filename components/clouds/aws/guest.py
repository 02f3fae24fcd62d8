"""What a machine on AWS runs to read its secrets. Nothing is rendered: the script learns all from the machine."""

from __future__ import annotations

from pathlib import Path

from components.clouds.contract import Site
from components.plan.server import File, Guest

_TEMPLATES = Path(__file__).parent / "templates"
_READ_SECRET = "/usr/local/sbin/read-secret"  # noqa: S105 - a path


def guest(site: Site) -> Guest:  # noqa: ARG001 - the same call for every cloud
    """The scripts of this cloud. Keys are local, so machines need no token for another cloud."""
    script = (_TEMPLATES / "read_secret.sh").read_text(encoding="utf-8")
    return Guest(read_secret=File(_READ_SECRET, script, mode="0755"), web_identity=None)
