"""What Nomad is asked every morning, and how its answers are judged."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from components.plan.flows import NOMAD_HTTP
from runbook.health.outcome import Check, Said, fine, unknown, wrong
from runbook.health.raft import Raft
from runbook.health.replies import Answered, Cluster, Pascal, Question

REGIONS = Question("nomad regions", NOMAD_HTTP, "/v1/regions")
MEMBERS = Question("nomad members", NOMAD_HTTP, "/v1/agent/members", credential="nomad")
# Without a leader a server keeps these waiting, its own health too.
LEADER = Question("nomad leader", NOMAD_HTTP, "/v1/status/leader", led=True)
SELF = Question("nomad server", NOMAD_HTTP, "/v1/agent/health?type=server", led=True)
AUTOPILOT = Question("nomad autopilot", NOMAD_HTTP, "/v1/operator/autopilot/health", led=True, credential="nomad")
NODES = Question("nomad nodes", NOMAD_HTTP, "/v1/nodes", led=True, credential="nomad")
QUESTIONS = (REGIONS, MEMBERS, AUTOPILOT, LEADER, SELF, NODES)


class NomadRaft(Raft):
    """Nomad's servers tell the regions at once even when nobody leads."""

    def servers(self, cluster: Cluster) -> Iterator[Said]:
        """Every server answers, and calls itself able to serve."""
        yield from super().servers(cluster)
        for server, reply in cluster.each(SELF):
            if isinstance(reply, Answered) and reply.status != 200:
                yield wrong("says that it cannot serve", server.name)


class _Node(Pascal):
    id: str = Field(alias="ID")
    name: str
    status: str
    scheduling_eligibility: str


class _Member(Pascal):
    addr: str
    status: str


class _Members(Pascal):
    members: list[_Member]


def _failed(cluster: Cluster) -> set[str]:
    members = [member for _, answer in cluster.answered(MEMBERS) for member in answer.read(_Members).members]
    return {member.addr for member in members if member.status == "failed"}


_raft = NomadRaft(AUTOPILOT, LEADER, REGIONS, _failed)


def clients(cluster: Cluster) -> Iterator[Said]:
    """Every client is ready and takes work, and there are as many as planned."""
    answers = [answer.read(list[_Node]) for _, answer in cluster.answered(NODES)]
    if not answers:
        yield unknown(f"no list of clients: {cluster.why_not(NODES)}")
        return
    nodes = {node.id: node for nodes in answers for node in nodes}
    for node in nodes.values():
        if node.status != "ready":
            yield wrong(f"client {node.name} ({node.id}) is {node.status}")
        elif node.scheduling_eligibility != "eligible":
            yield wrong(f"client {node.name} ({node.id}) takes no work")
    ready = len([node for node in nodes.values() if node.status == "ready"])
    minimum = cluster.region.clients.minimum
    says = f"{ready} clients are ready, at least {minimum} are planned"
    yield fine(says) if ready >= minimum else wrong(says)


def regions(cluster: Cluster) -> Iterator[Said]:
    """Every region of the platform is federated."""
    answers = [(server, answer.read(list[str])) for server, answer in cluster.answered(REGIONS)]
    if not answers:
        yield unknown(f"no list of regions: {cluster.why_not(REGIONS)}")
        return
    missing = sorted({cloud for _, known in answers for cloud in cluster.clouds if cloud not in known})
    for cloud in missing:
        yield wrong(f"region {cloud} is not federated")
    if not missing:
        yield fine(f"regions {', '.join(cluster.clouds)} are federated")


CHECKS = (
    *_raft.checks,
    Check("clients", clients, "A client is down or takes no work"),
    Check("regions", regions, "Regions do not see each other"),
)
