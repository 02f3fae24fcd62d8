"""What a machine must know of Azure to boot: two scripts, and the facts about itself that they read.

The scripts are the same on every machine and hold nothing but code; which identity and which vault are meant stands
in one file that user data writes. An identity is always named: policies of a tenant may attach others to a machine,
and a metadata service that has to choose refuses.
"""

from __future__ import annotations

from dataclasses import replace

from components.clouds.contract import Site
from components.plan.server import File, Guest, LateFile, ServerSpec

from .relay import TEMPLATES

FACTS = "/etc/platform/azure.env"
"""The file that both scripts read."""
FACT = "azure-guest"
"""Its content's name among the facts of a machine."""
_PROGRAMS = "/usr/local/sbin"


def guest(site: Site) -> Guest:  # noqa: ARG001 - the same call for every cloud
    """The two scripts."""
    return Guest(read_secret=_program("read-secret"), web_identity=_program("web-identity"))


def _program(name: str) -> File:
    text = (TEMPLATES / f"{name.replace('-', '_')}.sh").read_text(encoding="utf-8")
    return File(f"{_PROGRAMS}/{name}", text, mode="0755")


def facts(client: str, vault: str) -> str:
    """The file's content: client id of the machine's identity, name of the key vault."""
    return f"AZURE_CLIENT_ID={client}\nAZURE_KEY_VAULT={vault}\n"


def with_facts(server: ServerSpec) -> ServerSpec:
    """The server with that file, whose content only the cloud can tell."""
    return replace(server, late=(*server.late, LateFile(FACTS, FACT)))


def device(lun: int) -> str:
    """Stable path of the data disk at a logical unit number, on machine sizes with SCSI disks."""
    return f"/dev/disk/azure/scsi1/lun{lun}"
