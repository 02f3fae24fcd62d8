"""A server as cloud-init's `#cloud-config`.

Owns the document's form, its determinism (the same server gives the same bytes) and each cloud's limit on
its size. Decides nothing about what is on the machine (`ServerSpec`) and never logs a render.

Only two modules of cloud-init are used, `write_files` and `runcmd`, which behave alike on Ubuntu and Debian.
All work is done by the boot unit that the files hold, so that it runs again, idempotent, on every boot.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping

import yaml

from .server import ServerSpec
from .spec import Cloud

DISK_TABLE = "/etc/platform/disks.tsv"
"""Device path, mount point, owner, purpose: one disk a line, tab-separated. Read by the boot's disk step."""

LIMIT_BYTES: Mapping[Cloud, int] = {"aws": 16 * 1024, "azure": 64 * 1024, "gcp": 256 * 1024}
"""What the cloud accepts, counted as it counts: AWS before base64, Azure after it, GCP as text."""


class _Literal(yaml.SafeDumper):
    """Writes multi-line text as block literals, so that a person can read the document on the machine."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(  # pyright: ignore[reportUnknownMemberType]
        "tag:yaml.org,2002:str", value, style="|" if "\n" in value else None
    )


_Literal.add_representer(str, _text)


def _file(path: str, content: str, mode: str) -> dict[str, str]:
    # Owners are set by the boot step that makes the users: cloud-init writes files before any exist.
    return {"path": path, "permissions": mode, "content": content}


def render(server: ServerSpec, facts: Mapping[str, str], devices: Mapping[str, str]) -> str:
    """The server's cloud-config.

    Args:
        server: the machine, or the template of a group's machines.
        facts: content of each late file by its fact's name.
        devices: stable device path by disk purpose, as the guest sees it.

    Raises:
        KeyError: a fact or a device that the server needs is missing.
    """
    disks = "".join(f"{devices[d.purpose]}\t{d.mount}\t{d.owner}\t{d.purpose}\n" for d in server.disks)
    files = [_file(file.path, file.content, file.mode) for file in server.files]
    files += [_file(late.path, facts[late.fact], late.mode) for late in server.late]
    files.append(_file(DISK_TABLE, disks, "0644"))
    document = {
        "preserve_hostname": False,
        "hostname": server.name,
        "write_files": sorted(files, key=lambda file: file["path"]),
        "runcmd": [
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", "--now", "--no-block", *server.units],
        ],
    }
    if server.address is None:
        # Machines of a group are equal; the cloud names each.
        del document["hostname"], document["preserve_hostname"]
    return "#cloud-config\n" + yaml.dump(document, Dumper=_Literal, sort_keys=False, width=1000)


def compressed(document: str) -> str:
    """base64 of the gzip: cloud-init unpacks it; the same text gives the same bytes."""
    return base64.b64encode(gzip.compress(document.encode(), compresslevel=9, mtime=0)).decode()


def encoded(cloud: Cloud, document: str) -> str:
    """User data in the form that the cloud takes.

    Raises:
        ValueError: larger than the cloud accepts.
    """
    sent = document if cloud == "gcp" else compressed(document)
    size = len(base64.b64decode(sent)) if cloud == "aws" else len(sent.encode())
    if size > LIMIT_BYTES[cloud]:
        raise ValueError(
            f"user data has {size} bytes and {cloud} accepts {LIMIT_BYTES[cloud]}: the machine would never boot. "
            "Move a file from the templates into an artefact that the machine fetches."
        )
    return sent
