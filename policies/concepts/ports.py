"""Ports that no firewall opens to everyone, and arithmetic on them.

Owns which ports are guarded and why. The platform's own come from its flow table, so that a flow added there is guarded
at once; what stands here beside it are ports of the products that the platform leaves closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from components.plan import flows
from components.plan.flows import Port

Transport = Literal["tcp", "udp"]
FIRST, LAST = 0, 65535


@dataclass(frozen=True, order=True)
class Span:
    """Consecutive ports of one protocol."""

    first: int
    last: int
    transport: Transport

    def shared(self, other: Span) -> Span | None:
        """The ports that both have."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        return Span(first, last, self.transport) if self.transport == other.transport and first <= last else None


Spans = tuple[Span, ...]


def tcp(*ports: Port) -> Spans:
    """Ports of TCP."""
    return tuple(Span(port.first, port.last, "tcp") for port in ports)


def both(*ports: Port) -> Spans:
    """Ports of TCP and UDP alike."""
    return tuple(Span(port.first, port.last, kind) for port in ports for kind in ("tcp", "udp"))


EVERY: Spans = both(Port(FIRST, LAST))

_BOUNDARY_API = Port.of(9200)
_ELASTICSEARCH = (Port.of(9200), Port.of(9300))
_CLOSED: Spans = (
    *tcp(Port(8500, 8503), _BOUNDARY_API, flows.BOUNDARY_CLUSTER, *_ELASTICSEARCH, flows.POSTGRESQL),
    *both(flows.CONSUL_DNS),
)
"""Ports of the products that are in no flow, because they are bound to loopback or belong to the management layer."""


def _flows() -> Iterator[Span]:
    for flow in flows.FLOWS:
        yield from (span for span in both(flow.port) if span.transport in flow.protocols)
    for balanced in flows.BALANCERS.values():
        yield from tcp(*(listener.front for listener in balanced.listeners))


PRODUCT_PORTS: Spans = tuple(sorted({*_flows(), *_CLOSED}))
"""Everything that the products and what they need listen on."""
GOSSIP_PORTS: Spans = (
    *tcp(flows.CONSUL_RPC, flows.VAULT_CLUSTER, flows.NOMAD_RPC, flows.BOUNDARY_CLUSTER),
    *both(flows.CONSUL_LAN, flows.CONSUL_WAN, flows.NOMAD_SERF),
)
"""What servers speak among themselves."""
DATABASE_PORTS: Spans = tcp(flows.POSTGRESQL)
ADMIN_PORTS: Spans = both(
    flows.SSH, Port.of(3389), Port(5985, 5986), Port.of(6443), Port.of(10250), Port(2379, 2380)
)  # fmt: skip
"""SSH, RDP, WinRM, the API of Kubernetes and of its nodes, etcd."""
WORKER_PORTS: Spans = tcp(flows.BOUNDARY_CLUSTER)
"""Where a worker becomes trusted."""
OPERATIONS_PORTS: Spans = tcp(flows.BOUNDARY_OPS)
PROXY_PORTS: Spans = tcp(flows.BOUNDARY_PROXY)
"""The one port that may face users, where the cluster says so."""


def shared(some: Iterable[Span], others: Iterable[Span]) -> Spans:
    """The ports that are in both."""
    compared = tuple(others)
    return tuple(found for one in some for other in compared if (found := one.shared(other)))


def words(spans: Iterable[Span]) -> str:
    """The ports for a message, each once, whatever the protocol."""
    merged: list[tuple[int, int]] = []
    for span in sorted(spans):
        if merged and span.first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], span.last))
        else:
            merged.append((span.first, span.last))
    return ", ".join(str(Port(first, last)) for first, last in merged)
