"""Vault servers: an independent cluster a region, raft storage, unsealed by a key of the region's cloud.

Owns the server's configuration, its seal and the places of its two audit logs. Devices are enabled, and a cluster
initialised, through the API: not here.

Dangerous edges:
- A Vault whose enabled audit devices all fail stops answering: hence two logs on two disks.
- Vault exits when its seal key cannot be reached at start, so the unit starts it again and again.
- A seal key that is gone takes the data with it; no snapshot helps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from components.plan import secrets
from components.plan.addressing import ServerAddress
from components.plan.addressing import servers as planned
from components.plan.server import File, Guest, KeyStanza, LateFile, ServerSpec
from components.plan.spec import Stack, cluster_name
from components.plan.vault import AUDIT_LOGS

from . import backup
from .agent import client
from .disks import audit_disk, data_disk
from .machine import machine
from .program import LIBRARY, Directory, Program, certificate, secret, tls
from .rendering import key_block, render, verbatim

SEAL = "vault-seal"
"""Purpose of the seal key."""
_AUDIT_DAYS = 30
"""How long packed logs stay on the machine; the log store keeps them for the audit's term."""
_ROLE = "vault-server"
_CONFIG = "/etc/vault.d/server.hcl"

LATE: Mapping[str, Callable[[KeyStanza], str]] = {SEAL: partial(key_block, "vault/seal.hcl.j2")}
"""Content of each late file, by its fact."""


def servers(stack: Stack, guest: Guest) -> tuple[ServerSpec, ...]:
    """The servers of the region's cluster."""
    disks = (data_disk(stack, _ROLE), audit_disk(stack, _ROLE))
    return tuple(
        machine(
            stack,
            guest,
            _ROLE,
            server,
            (
                client(stack, server),
                _server(stack, server),
                backup.agent(stack, guest, server, None if stack.platform.seal == "shamir" else SEAL),
            ),
            disks,
        )
        for server in planned(stack.platform, stack.cloud, "vault")
    )


def _server(stack: Stack, server: ServerAddress) -> Program:
    platform, cloud = stack.platform, stack.cloud
    token = secret("vault", "vault", "consul-token", secrets.CONSUL_VAULT)
    config = render(
        "vault/server.hcl.j2",
        {
            "cluster": cluster_name("vault", cloud),
            "name": server.name,
            "address": server.address,
            "peers": [other.address for other in planned(platform, cloud, "vault") if other != server],
            "server_name": f"{cluster_name('vault', cloud)}.{platform.domain}",
            "tls": tls("vault"),
            "cloud": cloud,
            "zone": stack.region.zone_label(server.zone),
        },
    )
    unit = {"config": _CONFIG, "consul_token": token.path}
    audit = {"library": LIBRARY, "days": _AUDIT_DAYS, "files": tuple(AUDIT_LOGS.values())}
    seal = LateFile("/etc/vault.d/seal.hcl", SEAL, "0640", "root:vault")
    return Program(
        name="vault",
        user="vault",
        files=(
            File("/etc/systemd/system/vault.service", render("systemd/vault.service.j2", unit)),
            File("/etc/systemd/system/vault-audit.service", render("systemd/vault-audit.service.j2", audit)),
            File("/etc/systemd/system/vault-audit.timer", verbatim("systemd/vault-audit.timer")),
            File(f"{LIBRARY}/audit.sh", verbatim("vault/audit.sh"), "0755"),
            File(_CONFIG, config, "0640", "root:vault"),
        ),
        units=("vault.service", "vault-audit.timer"),
        directories=(
            Directory("/etc/vault.d", "0750", "root:vault"),
            Directory("/opt/vault/data", "0700", "vault:vault"),
            Directory("/opt/vault/audit", "0700", "vault:vault"),
        ),
        late=() if platform.seal == "shamir" else (seal,),
        secrets=(*certificate("vault", "vault", _ROLE), token),
    )
