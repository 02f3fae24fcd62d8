"""Consul servers: one datacenter a region, federated over the WAN, the primary's ACLs replicated.

Owns what a server says that a client does not; the agent itself is in `agent`.

Dangerous edges:
- A rebuilt primary is empty, and its emptiness replicates: it must be restored before its WAN is open.
- `autopilot.min_quorum` is the majority and not the number of servers: with the latter no dead server is ever removed.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from components.plan import secrets
from components.plan.addressing import ServerAddress
from components.plan.addressing import servers as planned
from components.plan.server import Disk, Guest, ServerSpec
from components.plan.spec import Stack, quorum

from . import backup
from .agent import agent
from .disks import data_disk
from .machine import machine
from .program import Directory, Program, certificate, tls
from .rendering import render

AUDIT_LOG = "/opt/consul/audit/audit.json"
"""Written by the enterprise edition only."""
_ROLE = "consul-server"


def servers(stack: Stack, guest: Guest) -> tuple[ServerSpec, ...]:
    """The servers of the region's datacenter."""
    disks: tuple[Disk, ...] = (data_disk(stack, _ROLE),)
    return tuple(
        machine(stack, guest, _ROLE, server, (_server(stack, server), backup.agent(stack, guest, server, None)), disks)
        for server in planned(stack.platform, stack.cloud, "consul")
    )


def _server(stack: Stack, server: ServerAddress) -> Program:
    platform, cloud = stack.platform, stack.cloud
    enterprise = platform.edition == "enterprise"
    count = platform.servers["consul"]
    config = render(
        "consul/server.hcl.j2",
        {
            "name": server.name,
            "cloud": cloud,
            "primary": platform.primary,
            "servers": count,
            "quorum": quorum(count),
            "address": server.address,
            "zone": stack.region.zone_label(server.zone),
            "peers": [other.address for other in planned(platform, cloud, "consul") if other != server],
            "federation": [
                other.address for peer in platform.peers(cloud) for other in planned(platform, peer.cloud, "consul")
            ],
            "tls": tls("consul"),
            "audit_log": AUDIT_LOG if enterprise else None,
        },
    )
    # The primary makes the tokens; the others copy them from it.
    token = (
        {"initial_management": secrets.CONSUL_MANAGEMENT}
        if stack.is_primary
        else {"replication": secrets.CONSUL_REPLICATION}
    )
    audit = (Directory(str(PurePosixPath(AUDIT_LOG).parent), "0700", "consul:consul"),) if enterprise else ()
    return agent("server", config, token, certificate("consul", "consul", _ROLE), directories=audit)
