"""Nomad servers and clients: one region a cloud, all regions in one gossip pool, the primary authoritative.

Owns both roles' configuration. ACL bootstrap and the trust of Consul and Vault in workload identities are API state:
not here. The other regions replicate ACLs with the token that the primary's bootstrap is given.

Dangerous edges:
- An agent joins whom it reaches when it starts and is content with one. Regions that start before the mesh stands are
  federated by one join afterwards; from then on the pool remembers.
- Clients run as root and without the sandbox of the other units, or their tasks could not run.
- The keyring is wrapped by a key of the cloud: without it a snapshot decrypts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePosixPath

from components.plan import secrets
from components.plan.addressing import ServerAddress
from components.plan.addressing import servers as planned
from components.plan.flows import NOMAD_RPC
from components.plan.records import endpoint
from components.plan.server import File, Guest, KeyStanza, LateFile, SecretFile, ServerSpec
from components.plan.spec import Stack, quorum

from . import backup
from .agent import client as consul_client
from .disks import data_disk
from .machine import machine
from .program import Directory, Program, certificate, composed, composed_path, secret, tls
from .rendering import key_block, render

KEYRING = "nomad-keyring"
"""Purpose of the key that wraps the keyring."""
AUDIT_LOG = "/opt/nomad/audit/audit.json"
"""Written by the enterprise edition only."""
_CONFIG = "/etc/nomad.d/agent.hcl"

LATE: Mapping[str, Callable[[KeyStanza], str]] = {KEYRING: partial(key_block, "nomad/keyring.hcl.j2")}
"""Content of each late file, by its fact."""


def servers(stack: Stack, guest: Guest) -> tuple[ServerSpec, ...]:
    """The servers of the region."""
    disks = (data_disk(stack, "nomad-server"),)
    return tuple(
        machine(
            stack,
            guest,
            "nomad-server",
            server,
            (consul_client(stack, server), _server(stack, server), backup.agent(stack, guest, server, KEYRING)),
            disks,
        )
        for server in planned(stack.platform, stack.cloud, "nomad")
    )


def clients(stack: Stack, guest: Guest) -> ServerSpec:
    """The template of the region's clients."""
    return machine(stack, guest, "nomad-client", None, (consul_client(stack, None), _client(stack)))


def _shared(stack: Stack, datacenter: str, server: ServerAddress | None) -> dict[str, object]:
    return {
        "region": stack.cloud,
        "datacenter": datacenter,
        "name": server and server.name,
        "address": server and server.address,
        "tls": tls("nomad"),
        "vault": endpoint(stack.platform, stack.cloud, "vault"),
    }


def _server(stack: Stack, server: ServerAddress) -> Program:
    platform, cloud = stack.platform, stack.cloud
    enterprise = platform.edition == "enterprise"
    count = platform.servers["nomad"]
    # One pool: the servers of all regions, each region's own first.
    pool = [
        other for peer in (stack.region, *platform.peers(cloud)) for other in planned(platform, peer.cloud, "nomad")
    ]
    config = render(
        "nomad/server.hcl.j2",
        {
            **_shared(stack, stack.region.zone_label(server.zone), server),
            "servers": count,
            "quorum": quorum(count),
            "authoritative": platform.primary,
            "peers": [other.address for other in pool if other != server],
            "audit_log": AUDIT_LOG if enterprise else None,
        },
    )
    gossip = secret("nomad", "nomad", "gossip", secrets.NOMAD_GOSSIP)
    replication = None if stack.is_primary else secret("nomad", "nomad", "replication", secrets.NOMAD_MANAGEMENT)
    keyring = LateFile("/etc/nomad.d/keyring.hcl", KEYRING, "0640", "root:nomad")
    audit = (Directory(str(PurePosixPath(AUDIT_LOG).parent), "0700", "nomad:nomad"),) if enterprise else ()
    return _agent(
        "server",
        "nomad",
        config,
        certificate("nomad", "nomad", "nomad-server"),
        {"gossip": gossip, "replication": replication},
        (keyring,),
        audit,
    )


def _client(stack: Stack) -> Program:
    addresses = [f"{server.address}:{NOMAD_RPC}" for server in planned(stack.platform, stack.cloud, "nomad")]
    config = render("nomad/client.hcl.j2", {**_shared(stack, stack.region.name, None), "servers": addresses})
    return _agent("client", "root", config, certificate("nomad", "root", "nomad-client"))


def _agent(
    mode: str,
    user: str,
    config: str,
    read: tuple[SecretFile, ...],
    composed_of: Mapping[str, SecretFile | None] | None = None,
    late: tuple[LateFile, ...] = (),
    directories: tuple[Directory, ...] = (),
) -> Program:
    owner = f"{user}:{user}"
    token = secret("nomad", user, "consul-token", secrets.CONSUL_NOMAD)
    parts = {"gossip": None, "replication": None, **(composed_of or {}), "consul_token": token}
    secret_config = {name: part and part.path for name, part in parts.items()}
    unit = {"mode": mode, "user": user, "config": _CONFIG, "secret_config": composed_path("nomad")}
    return Program(
        name="nomad",
        user=user,
        files=(
            File("/etc/systemd/system/nomad.service", render("systemd/nomad.service.j2", unit)),
            File(_CONFIG, config, "0640", f"root:{user}"),
        ),
        units=("nomad.service",),
        directories=(
            Directory("/etc/nomad.d", "0750", f"root:{user}"),
            Directory("/opt/nomad/data", "0700", owner),
            Directory("/opt/nomad/plugins", "0755", "root:root"),
            *directories,
        ),
        late=late,
        secrets=(*read, *(part for part in parts.values() if part)),
        composed=composed("nomad", render("nomad/secrets.json.j2", secret_config)),
        validate=f"/usr/local/bin/nomad config validate /etc/nomad.d {composed_path('nomad')}",
    )
