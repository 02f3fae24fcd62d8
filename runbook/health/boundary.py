"""What Boundary's workers are asked every morning. A worker's health is always 200; what it says of its upstream counts."""

from __future__ import annotations

from collections.abc import Iterator

from components.plan.flows import BOUNDARY_OPS
from runbook.health.outcome import Check, Said, fine, unknown, wrong
from runbook.health.raft import present
from runbook.health.replies import Cluster, Question, Snake

HEALTH = Question("boundary worker", BOUNDARY_OPS, "/health?worker_info=1", tls=False)
QUESTIONS = (HEALTH,)
_READY = "READY"


class _Process(Snake):
    upstream_connection_state: str


class _Health(Snake):
    worker_process_info: _Process


def servers(cluster: Cluster) -> Iterator[Said]:
    """Every worker answers."""
    yield from present(cluster, (HEALTH,))


def upstream(cluster: Cluster) -> Iterator[Said]:
    """Every worker is connected to what it serves."""
    ready = 0
    for server, answer in cluster.answered(HEALTH):
        state = answer.read(_Health).worker_process_info.upstream_connection_state
        ready += state == _READY
        if state != _READY:
            yield wrong("has no connection to its upstream", server.name)
    if not any(True for _ in cluster.answered(HEALTH)):
        yield unknown(f"no worker says whether it is connected: {cluster.why_not(HEALTH)}")
    elif ready:
        yield fine(f"{ready} workers are connected")


CHECKS = (
    Check("servers", servers, "A server does not answer"),
    Check("upstream", upstream, "A Boundary worker is not connected"),
)
