"""What Consul is asked every morning, and how its answers are judged.

Dangerous edges:
- A member list that a token may not read is empty, and the answer is 200 all the same: empty means not allowed.
- The replication status of ACLs tells its own opinion; a token was seen missing while the index said that it was there. So
  the one token that is at hand, the command's own, is looked up on every server of a secondary. That all tokens are there is
  the bootstrap's check.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pydantic import Field

from components.plan.flows import CONSUL_HTTPS
from runbook.health.outcome import Check, Said, fine, unknown, wrong
from runbook.health.raft import Raft
from runbook.health.replies import Answered, Cluster, Pascal, Question

LEADER = Question("consul leader", CONSUL_HTTPS, "/v1/status/leader")
LAN = Question("consul lan", CONSUL_HTTPS, "/v1/agent/members", credential="consul")
WAN = Question("consul wan", CONSUL_HTTPS, "/v1/agent/members?wan=1", credential="consul")
AUTOPILOT = Question("consul autopilot", CONSUL_HTTPS, "/v1/operator/autopilot/health", led=True, credential="consul")
TOKEN = Question("consul token", CONSUL_HTTPS, "/v1/acl/token/self", led=True, credential="consul")
REPLICATION = Question("consul replication", CONSUL_HTTPS, "/v1/acl/replication", led=True, credential="consul")
QUESTIONS = (LEADER, LAN, WAN, AUTOPILOT, TOKEN, REPLICATION)

_ALIVE, _LEFT, _FAILED = 1, 3, 4


class _Member(Pascal):
    name: str
    addr: str
    tags: dict[str, str]
    status: int


class _Replication(Pascal):
    enabled: bool
    running: bool
    replication_type: str
    last_success: datetime
    last_error: datetime


class _Token(Pascal):
    accessor_id: str = Field(alias="AccessorID")
    local: bool


def _failed(cluster: Cluster) -> set[str]:
    members = [member for _, answer in cluster.answered(LAN) for member in answer.read(list[_Member])]
    return {member.addr for member in members if member.status == _FAILED}


_raft = Raft(AUTOPILOT, LEADER, LEADER, _failed)


def federation(cluster: Cluster) -> Iterator[Said]:
    """The servers of every datacenter are alive in the list that all servers share."""
    if not cluster.federated:
        yield fine("the platform has one region")
        return
    lists = [(server, answer.read(list[_Member])) for server, answer in cluster.answered(WAN)]
    lists = [(server, members) for server, members in lists if members]
    if not lists:
        refused = any(True for _ in cluster.answered(WAN))
        yield unknown(f"no list of members: {'the token may not read it' if refused else cluster.why_not(WAN)}")
        return
    said: set[str] = set()
    for _, members in lists:
        alive = {(member.tags.get("dc", ""), member.name) for member in members if member.status == _ALIVE}
        said |= {
            f"{member.name} is not alive in the WAN list" for member in members if member.status not in (_ALIVE, _LEFT)
        }
        for cloud in cluster.clouds:
            seen = len([name for datacenter, name in alive if datacenter == cloud])
            region = cluster.regions.get(cloud)
            planned = sum(len(facts.servers) for facts in region.clusters if facts.product == "consul") if region else 1
            if not seen:
                said.add(f"datacenter {cloud} is not in the WAN list")
            elif seen < planned:
                said.add(f"{seen} of {planned} servers of datacenter {cloud} are alive in the WAN list")
    yield from map(wrong, sorted(said))
    if not said:
        yield fine(f"datacenters {', '.join(cluster.clouds)} are alive")


def replication(cluster: Cluster) -> Iterator[Said]:
    """A secondary copies the primary's access control, and knows the token that asks."""
    if cluster.region.cloud == cluster.region.primary:
        yield fine("the primary owns access control")
        return
    statuses = [answer.read(_Replication) for _, answer in cluster.answered(REPLICATION)]
    if not statuses:
        yield unknown(f"no replication status: {cluster.why_not(REPLICATION)}")
        return
    status = statuses[0]
    if not (status.enabled and status.running):
        yield wrong("ACL replication does not run")
    elif status.replication_type != "tokens":
        yield wrong(f"ACL replication copies {status.replication_type or 'nothing'} and no tokens")
    elif status.last_error >= status.last_success:
        yield wrong("ACL replication has not succeeded since it last failed")
    else:
        yield fine("ACL replication runs")
    yield from _own_token(cluster)


def _own_token(cluster: Cluster) -> Iterator[Said]:
    """The token that the primary knows is known by each server here."""
    known = _primary_token(cluster)
    if not known:
        yield unknown("it is not known whether tokens arrive: the primary did not recognise one token for both regions")
        return
    for server, reply in cluster.each(TOKEN):
        if isinstance(reply, Answered) and reply.status == 403:
            yield wrong("does not know a token of the primary: replication lost it, or it is a minute old", server.name)
        elif isinstance(reply, Answered) and reply.status == 200 and reply.read(_Token).accessor_id != known:
            yield wrong("knows another token than the primary by the same secret", server.name)


def _primary_token(cluster: Cluster) -> str:
    primary = cluster.regions.get(cluster.region.primary)
    if primary is None or not cluster.shared_token:
        return ""
    servers = [server for facts in primary.clusters if facts.product == "consul" for server in facts.servers]
    for server in servers:
        reply = cluster.reply(server.name, TOKEN)
        if isinstance(reply, Answered) and reply.status == 200:
            token = reply.read(_Token)
            return "" if token.local else token.accessor_id
    return ""


CHECKS = (
    *_raft.checks,
    Check("federation", federation, "Regions do not see each other"),
    Check("acl replication", replication, "Tokens do not reach a region"),
)
