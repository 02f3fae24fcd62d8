"""Every port of the platform, and who may reach it.

The only place a port number stands: firewalls, health checks, product configuration, alerts and documents
derive from here (cloud-reference, "Ports and flows").

Rules are keyed by role and port, never by port alone: 9200 means Boundary on one machine and Elasticsearch
on another. Does not know how a cloud spells a rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .spec import ROLES, Product, Role

Protocol = Literal["tcp", "udp", "icmp"]
Source = Literal["peers", "mesh", "probes"]
"""Sources that are not a role: the other regions; all regions; the cloud's own balancer probes."""


@dataclass(frozen=True)
class Port:
    """A listening port (or range) of one product."""

    first: int
    last: int

    @classmethod
    def of(cls, number: int) -> Port:
        """A single port."""
        return cls(number, number)

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


CONSUL_RPC = Port.of(8300)
CONSUL_LAN = Port.of(8301)
CONSUL_WAN = Port.of(8302)
CONSUL_HTTPS = Port.of(8501)
CONSUL_HTTPS_ALIAS = Port.of(8500)
"""Front end only: the runbook's URLs say https://…:8500; the balancer maps it, no server listens on it."""
CONSUL_HTTP = Port.of(8500)
"""Bound to loopback on every client agent, for the programs beside it; never opened."""
CONSUL_GRPC_TLS = Port.of(8503)
CONSUL_DNS = Port.of(8600)
"""Bound to loopback on every agent; never opened."""
VAULT_API = Port.of(8200)
VAULT_CLUSTER = Port.of(8201)
NOMAD_HTTP = Port.of(4646)
NOMAD_RPC = Port.of(4647)
NOMAD_SERF = Port.of(4648)
NOMAD_DYNAMIC = Port(20000, 32000)
BOUNDARY_CLUSTER = Port.of(9201)
BOUNDARY_PROXY = Port.of(9202)
BOUNDARY_OPS = Port.of(9203)
NODE_EXPORTER = Port.of(9100)
POSTGRESQL = Port.of(5432)
"""Boundary's database. In no flow: it is no machine of ours, and its own firewall names its clients."""
HTTPS = Port.of(443)
SSH = Port.of(22)
"""In no flow: only a cloud's own bastion may open it, inside its network."""
ECHO = Port(0, 0)
"""ICMP has no ports; the value only fills the row."""


@dataclass(frozen=True)
class Flow:
    """Traffic that is allowed in. Everything that no flow names is denied."""

    name: str
    protocols: tuple[Protocol, ...]
    port: Port
    targets: tuple[Role, ...]
    roles: tuple[Role, ...] = ()
    """Roles of the same region that may send."""
    sources: tuple[Source, ...] = ()
    why: str = field(default="", compare=False)


_TCP: tuple[Protocol, ...] = ("tcp",)
_BOTH: tuple[Protocol, ...] = ("tcp", "udp")
_NOMAD: tuple[Role, ...] = ("nomad-server", "nomad-client")

FLOWS: tuple[Flow, ...] = (
    Flow("consul-rpc", _TCP, CONSUL_RPC, ("consul-server",), ROLES, ("peers",), "agents to servers, WAN federation"),
    Flow("consul-lan", _BOTH, CONSUL_LAN, ROLES, ROLES, (), "gossip of one datacenter; never between regions"),
    Flow("consul-wan", _BOTH, CONSUL_WAN, ("consul-server",), ("consul-server",), ("peers",), "gossip between servers"),
    Flow("consul-https", _TCP, CONSUL_HTTPS, ("consul-server",), ROLES, ("mesh", "probes"), "API and UI"),
    Flow("consul-grpc", _TCP, CONSUL_GRPC_TLS, ("consul-server",), ROLES, (), "xDS and dataplane"),
    Flow("vault-api", _TCP, VAULT_API, ("vault-server",), ROLES, ("mesh", "probes"), "API, UI, raft bootstrap"),
    Flow("vault-cluster", _TCP, VAULT_CLUSTER, ("vault-server",), ("vault-server",), (), "raft, request forwarding"),
    Flow("nomad-http", _TCP, NOMAD_HTTP, ("nomad-server",), _NOMAD, ("mesh", "probes"), "API and UI"),
    Flow("nomad-client-http", _TCP, NOMAD_HTTP, ("nomad-client",), _NOMAD, ("mesh",), "logs, exec, disk migration"),
    Flow("nomad-rpc", _TCP, NOMAD_RPC, ("nomad-server",), _NOMAD, ("peers",), "scheduling, region forwarding"),
    Flow("nomad-serf", _BOTH, NOMAD_SERF, ("nomad-server",), ("nomad-server",), ("peers",), "one gossip pool"),
    Flow("nomad-dynamic", _BOTH, NOMAD_DYNAMIC, ("nomad-client",), ("nomad-client",), (), "workloads of this region"),
    Flow("boundary-proxy", _TCP, BOUNDARY_PROXY, ("boundary-worker",), (), ("mesh",), "sessions"),
    Flow("boundary-ops", _TCP, BOUNDARY_OPS, ("boundary-worker",), (), ("mesh",), "health and metrics"),
    Flow("node-exporter", _TCP, NODE_EXPORTER, ROLES, (), ("mesh",), "metrics of every machine"),
    Flow("echo", ("icmp",), ECHO, ROLES, (), ("mesh",), "latency probes between regions (runbook, daily checks)"),
)


@dataclass(frozen=True)
class Egress:
    """Traffic that is allowed out of every machine."""

    name: str
    port: Port | None
    """None: every port and protocol."""
    destination: Literal["anywhere", "mesh"]
    why: str = field(default="", compare=False)


EGRESS: tuple[Egress, ...] = (
    Egress("https", HTTPS, "anywhere", "cloud APIs, release archives"),
    Egress("mesh", None, "mesh", "the platform itself; receivers decide"),
)


@dataclass(frozen=True)
class HealthCheck:
    """How a balancer asks a server whether it can serve. HTTPS; only status 200 passes."""

    port: Port
    path: str
    body_is_address: bool = False
    """A good answer's body is a JSON string that starts with a server's address; the status alone says nothing."""
    interval: int = 10
    timeout: int = 5
    healthy: int = 2
    unhealthy: int = 3


@dataclass(frozen=True)
class Listener:
    """One port of a balancer's front end and the server port behind it."""

    front: Port
    back: Port


@dataclass(frozen=True)
class Balanced:
    """A product's balancer: listeners and the check."""

    listeners: tuple[Listener, ...]
    check: HealthCheck


BALANCERS: Mapping[Product, Balanced] = {
    "consul": Balanced(
        (Listener(CONSUL_HTTPS, CONSUL_HTTPS), Listener(CONSUL_HTTPS_ALIAS, CONSUL_HTTPS)),
        # Answers 200 with the body `""` when there is no leader, so where the cloud can read bodies it must.
        HealthCheck(CONSUL_HTTPS, "/v1/status/leader", body_is_address=True),
    ),
    "vault": Balanced(
        (Listener(VAULT_API, VAULT_API),),
        # A standby answers 429 by default but forwards to the active node: it can serve. Sealed stays 503.
        HealthCheck(VAULT_API, "/v1/sys/health?standbyok=true&perfstandbyok=true"),
    ),
    "nomad": Balanced(
        (Listener(NOMAD_HTTP, NOMAD_HTTP),),
        HealthCheck(NOMAD_HTTP, "/v1/agent/health?type=server"),
    ),
}
