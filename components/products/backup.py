"""The snapshot agent beside a server of a raft cluster.

Owns the program: its settings, modules, units and secrets, and which sets a machine takes along. What a run does is the
agent's (`templates/backup`), where backups go is the manifest's, which machines read when they run.

The agent itself comes by the secret store, because user data of AWS cannot hold it: read at boot and again every day, so
that a new one reaches voters without replacing any.

Dangerous edges:
- Whoever may write that entry runs a program on every voter. Whoever writes the others already decides whom it trusts.
- The token of Consul or Nomad that may take a snapshot may do anything. It lies in a folder of the agent's user alone.
- Vault's role and policy for the agent are API state: made by the bootstrap, under the names of `vault`.
- Distributions have a user `backup` of their own, so the agent's has another name.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from components.plan import backup, database, flows, secrets
from components.plan.addressing import ServerAddress
from components.plan.addressing import servers as planned
from components.plan.backup import NAME, Saved
from components.plan.naming import Names
from components.plan.server import File, Guest, SecretFile
from components.plan.spec import SERVER_ROLE, Cloud, Product, Stack, cluster_name
from components.plan.vault import BACKUP_MOUNT, BACKUP_ROLE
from components.plan.versions import EDITION_SUFFIX, POSTGRESQL

from .exporter import TEXTFILES
from .program import IDS, LIBRARY, SECRETS, Directory, Program, authority, certificate, secret, secret_path
from .rendering import render, stripped, verbatim

WATCH_MINUTES = 5
"""How long those that do not lead wait for their turn: an election takes seconds."""

_LOADER = f"{LIBRARY}/backup.py"
_SETTINGS = "/etc/platform/backup.json"
_SPOOL, _STATE, _METRICS = "/run/platform/spool", f"/var/lib/{NAME}", f"{TEXTFILES}/backup"
_MODULES = ("agent", "archive", "report", "server", "spool", "stores", "identity")
_STORES: Mapping[Cloud, str] = {"aws": "s3", "azure": "blob", "gcp": "gcs"}
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Of every file in the packed agent, which must be the same bytes each time."""
_PACKED = secret_path(NAME, "agent")
_POSTGRESQL = f"/opt/{POSTGRESQL}"
_TOKEN: Mapping[Product, str] = {"consul": secrets.CONSUL_MANAGEMENT, "nomad": secrets.NOMAD_MANAGEMENT}
_PORT: Mapping[Product, flows.Port] = {
    "consul": flows.CONSUL_HTTPS,
    "vault": flows.VAULT_API,
    "nomad": flows.NOMAD_HTTP,
}
_API: Mapping[Product, Mapping[str, Any]] = {
    "consul": {
        "leader": "/v1/status/leader",
        "self": "/v1/agent/self",
        "version_at": ("Config", "Version"),
        "snapshot": "/v1/snapshot",
        "header": "X-Consul-Token",
        "inspect": ("consul", "snapshot", "inspect"),
    },
    "vault": {
        "leader": "/v1/sys/leader",
        "self": "/v1/sys/health",
        "version_at": ("version",),
        "snapshot": "/v1/sys/storage/raft/snapshot",
        "header": "X-Vault-Token",
        "login": {"path": f"/v1/auth/{BACKUP_MOUNT}/login", "role": BACKUP_ROLE},
        "inspect": ("vault", "operator", "raft", "snapshot", "inspect"),
    },
    "nomad": {
        "leader": "/v1/status/leader",
        "self": "/v1/agent/self",
        "version_at": ("config", "Version"),
        "snapshot": "/v1/operator/snapshot",
        "header": "X-Nomad-Token",
        "inspect": ("nomad", "operator", "snapshot", "inspect"),
    },
}
"""What the agent asks the server beside it."""


def agent(stack: Stack, guest: Guest, server: ServerAddress, key: str | None) -> Program:
    """The agent of one server.

    Args:
        stack: the region.
        guest: how the machine reads the manifest and proves itself to the second cloud.
        server: the server whose cluster it saves.
        key: purpose of the key without which the cluster's snapshot cannot be restored; None where people hold it.
    """
    product = server.product
    role = SERVER_ROLE[product]
    sets: list[Saved] = [
        saved for saved in backup.SETS if backup.WRITERS[saved] == role and (saved != "boundary" or stack.is_primary)
    ]
    minutes = {saved: _minutes(stack, saved) for saved in sets}
    often = min(minutes.values())
    settings: dict[str, Any] = {
        "cloud": stack.cloud,
        "region": stack.region.name,
        "role": role,
        "targets": _targets(stack),
        "note_suffix": backup.NOTE_SUFFIX,
        "reader": guest.read_secret.path,
        "manifest": Names(stack.platform, stack.cloud).secret(secrets.MANIFEST),
        "spool": _SPOOL,
        "state": _STATE,
        "metrics": _METRICS,
        "run": (backup.RUN_MINUTES - 1) * 60,
        "watch": WATCH_MINUTES * 60,
        "pause": 2,
        "server": _server(stack, server),
        "sets": {
            saved: {
                "cluster": cluster_name(saved, stack.cloud) if saved != "platform" else f"platform-{stack.cloud}",
                "suffix": backup.SUFFIXES[saved],
                # Of what is saved as often as the agent runs, every run takes one.
                "every": minutes[saved] * 60 if minutes[saved] > often else 0,
                "key": key if saved == product else None,
                **(_database(stack) if saved == "boundary" else {}),
            }
            for saved in sets
        },
    }
    unit = {"loader": _LOADER, "packed": _PACKED, "user": NAME, "id": IDS[NAME], "spool": _SPOOL, "metrics": _METRICS}
    units = "/etc/systemd/system"
    boundary = "boundary" in sets
    return Program(
        name=NAME,
        user=NAME,
        artefacts=(POSTGRESQL,) if boundary else (),
        files=(
            File(_LOADER, verbatim("boot/backup.py")),
            File(_SETTINGS, json.dumps(settings, indent=1) + "\n"),
            File(
                f"{units}/{NAME}.service",
                render(f"systemd/{NAME}.service.j2", {**unit, "minutes": backup.RUN_MINUTES}),
            ),
            File(
                f"{units}/{NAME}.timer",
                render(f"systemd/{NAME}.timer.j2", {"calendar": backup.calendar(often)}),
            ),
            File(f"{units}/run-platform-spool.mount", render("systemd/run-platform-spool.mount.j2", unit)),
        ),
        units=(f"{NAME}.timer",),
        directories=(Directory(_METRICS, "0755", f"{NAME}:{NAME}"),),
        secrets=_secrets(product, boundary=boundary),
    )


def packed(stack: Stack) -> str:
    """The region's agent as the secret store keeps it: base64 of the gzip of a zip of its modules."""
    stores = [_STORES[cloud] for cloud in _targets(stack)]
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as archive:
        for module in (*_MODULES, *stores, *(("boundary",) if stack.is_primary else ())):
            archive.writestr(zipfile.ZipInfo(f"{module}.py", _EPOCH), stripped(f"backup/{module}.py"))
    return base64.b64encode(gzip.compress(plain.getvalue(), compresslevel=9, mtime=0)).decode()


def _minutes(stack: Stack, saved: Saved) -> int:
    return backup.PLATFORM_MINUTES if saved == "platform" else stack.platform.backup.interval_minutes[saved]


def _targets(stack: Stack) -> tuple[Cloud, ...]:
    second = stack.platform.backup.copies.get(stack.cloud)
    return (stack.cloud, second) if second else (stack.cloud,)


def _server(stack: Stack, server: ServerAddress) -> dict[str, Any]:
    platform, product = stack.platform, server.product
    return {
        "address": server.address,
        "url": f"https://{server.address}:{_PORT[product]}",
        "version": platform.versions[product] + EDITION_SUFFIX[platform.edition],
        "servers": [other.address for other in planned(platform, stack.cloud, product)],
        "secrets": f"{SECRETS}/{NAME}",
        # Vault alone seals a snapshot's sums; its twin in the sandbox has no inspection.
        "sealed": product == "vault",
        "optional": product == "vault",
        **_API[product],
    }


def _database(stack: Stack) -> dict[str, Any]:
    """What the dump needs beside the database's address, which the manifest tells."""
    return {
        "port": flows.POSTGRESQL.first,
        "database": database.NAME,
        "user": database.USER,
        "password_file": secret_path(NAME, "database-password"),
        "authorities": database.authorities_url(stack.region.name),
        "programs": _POSTGRESQL,
        "version": stack.platform.versions["boundary"],
    }


def _secrets(product: Product, *, boundary: bool) -> tuple[SecretFile, ...]:
    own = (
        (authority(NAME, NAME), secret(NAME, NAME, "token", _TOKEN[product]))
        if product in _TOKEN
        else certificate(NAME, NAME, SERVER_ROLE[product])
    )
    database = (secret(NAME, NAME, "database-password", secrets.BOUNDARY_DATABASE),) if boundary else ()
    return (secret(NAME, NAME, "agent", secrets.BACKUP_AGENT), *own, *database)
