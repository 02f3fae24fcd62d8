"""What a machine on GCP runs to read its secrets and to prove itself to another cloud.

Nothing is rendered: the scripts learn all from the machine's metadata service.
"""

from __future__ import annotations

from importlib.resources import files

from components.clouds.contract import Site
from components.plan.server import DiskPurpose, File, Guest

_READ_SECRET = "/usr/local/sbin/read-secret"  # noqa: S105 - a path
_WEB_IDENTITY = "/usr/local/sbin/web-identity"


def guest(site: Site) -> Guest:  # noqa: ARG001 - the same call for every cloud
    """The scripts of this cloud."""
    return Guest(
        read_secret=File(_READ_SECRET, _script("read_secret.sh"), mode="0755"),
        web_identity=File(_WEB_IDENTITY, _script("web_identity.sh"), mode="0755"),
    )


def device_path(purpose: DiskPurpose) -> str:
    """Where the guest finds an attached disk: Google's udev rule names it after the attachment's device name."""
    return f"/dev/disk/by-id/google-{purpose}"


def _script(name: str) -> str:
    return files(__name__.rpartition(".")[0]).joinpath("templates", name).read_text(encoding="utf-8")
