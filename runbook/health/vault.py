"""What Vault is asked every morning, and how its answers are judged.

Dangerous edges, all seen on running clusters:
- A standby that has lost its majority goes on naming the dead active node and calls itself healthy. Only a node that says
  of itself that it is the active one counts.
- A standby sends whoever asks for autopilot's state to the active node, which is asked anyway: a redirect is no answer, and
  is never followed, since it would carry the token elsewhere.
- A node that joined moments ago has no vote yet, and autopilot calls the cluster healthy all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.plan.flows import VAULT_API
from components.plan.spec import quorum as majority
from runbook.health.outcome import Check, Said, fine, unknown, wrong
from runbook.health.raft import gone, no_quorum, present, tolerated, uniform
from runbook.health.replies import Answered, Cluster, Question, Snake

SEAL = Question("vault seal", VAULT_API, "/v1/sys/seal-status")
LEADER = Question("vault leader", VAULT_API, "/v1/sys/leader")
AUTOPILOT = Question("vault autopilot", VAULT_API, "/v1/sys/storage/raft/autopilot/state", led=True, credential="vault")
AUDIT = Question("vault audit", VAULT_API, "/v1/sys/audit", led=True, credential="vault")
QUESTIONS = (SEAL, LEADER, AUTOPILOT, AUDIT)

AUDIT_DEVICES = 2
"""Vault stops serving when no audit device can write, so one is not enough."""


class _Seal(Snake):
    initialized: bool
    sealed: bool
    version: str


class _Leader(Snake):
    is_self: bool = False


class _Server(Snake):
    name: str
    healthy: bool
    status: str


class _State(Snake):
    healthy: bool
    failure_tolerance: int
    servers: dict[str, _Server]
    voters: list[str]


class _Autopilot(Snake):
    data: _State


class _Audit(Snake):
    data: dict[str, Any]


def servers(cluster: Cluster) -> Iterator[Said]:
    """Every node answers."""
    yield from present(cluster, (SEAL, LEADER))


def seal(cluster: Cluster) -> Iterator[Said]:
    """Every node is unsealed. Asked of each, because a balancer hides the sealed ones."""
    states = _states(cluster)
    for name, state in states.items():
        if not state.initialized:
            yield wrong("is not initialised", name)
        elif state.sealed:
            yield wrong("is sealed", name)
    for server in cluster.servers:
        if server.name not in states:
            yield unknown("does not say whether it is sealed", server.name)
    if len(states) == len(cluster.servers):
        yield fine(
            f"{len([state for state in states.values() if not state.sealed])} of {len(states)} nodes are unsealed"
        )


def active(cluster: Cluster) -> Iterator[Said]:
    """One node, and no other, says of itself that it is the active one."""
    selves = [server.name for server, answer in cluster.answered(LEADER) if answer.read(_Leader).is_self]
    if len(selves) == 1:
        yield fine(f"{selves[0]} is active")
        return
    if selves:
        yield wrong(f"{', '.join(selves)} each call themselves active")
        return
    sealed = {name for name, state in _states(cluster).items() if state.sealed}
    dead = gone(cluster, (SEAL, LEADER))
    voters = len(cluster.servers)
    if voters - len(dead | sealed) < majority(voters):
        yield no_quorum(voters, len(dead | sealed))
    elif len([True for _, reply in cluster.each(LEADER) if isinstance(reply, Answered)]) + len(dead) == voters:
        yield wrong("no node is active")
    else:
        yield unknown(f"no node that answers is active: {cluster.why_not(LEADER)}")


def voters(cluster: Cluster) -> Iterator[Said]:
    """Every planned node has a vote."""
    if not (state := _autopilot(cluster)):
        yield _silent(cluster)
        return
    voting = {state.servers[voter].name if voter in state.servers else voter for voter in state.voters}
    for server in cluster.servers:
        if server.name not in voting:
            yield wrong("has no vote", server.name)
    yield fine(f"{len(voting)} of {len(cluster.servers)} planned nodes have a vote")


def healthy(cluster: Cluster) -> Iterator[Said]:
    """Autopilot calls each node healthy."""
    if not (state := _autopilot(cluster)):
        yield _silent(cluster)
        return
    for server in state.servers.values():
        if not server.healthy:
            yield wrong(f"autopilot calls {server.name} unhealthy")
    yield fine("autopilot: healthy") if state.healthy else wrong("autopilot: not healthy")


def tolerance(cluster: Cluster) -> Iterator[Said]:
    """The cluster survives as many losses as it was planned for."""
    state = _autopilot(cluster)
    yield tolerated(state.failure_tolerance, len(cluster.servers)) if state else _silent(cluster)


def versions(cluster: Cluster) -> Iterator[Said]:
    """Every node runs the planned version."""
    states = _states(cluster)
    if not states:
        yield unknown(f"no node says its version: {cluster.why_not(SEAL)}")
        return
    yield from uniform(cluster, ((name, state.version) for name, state in states.items()))


def audit(cluster: Cluster) -> Iterator[Said]:
    """Two audit devices or more."""
    counts = [len(answer.read(_Audit).data) for _, answer in cluster.answered(AUDIT)]
    if not counts:
        yield unknown(f"audit devices cannot be listed: {cluster.why_not(AUDIT)}")
        return
    says = f"{min(counts)} audit devices, {AUDIT_DEVICES} are needed"
    yield fine(says) if min(counts) >= AUDIT_DEVICES else wrong(says)


def _states(cluster: Cluster) -> dict[str, _Seal]:
    return {server.name: answer.read(_Seal) for server, answer in cluster.answered(SEAL)}


def _autopilot(cluster: Cluster) -> _State | None:
    states = [answer.read(_Autopilot).data for _, answer in cluster.answered(AUTOPILOT)]
    return min(states, key=lambda state: (state.healthy, state.failure_tolerance), default=None)


def _silent(cluster: Cluster) -> Said:
    return unknown(f"the active node says nothing: {cluster.why_not(AUTOPILOT)}")


CHECKS = (
    Check("servers", servers, "A server does not answer"),
    Check("seal", seal, "A Vault node is sealed"),
    Check("active node", active, "No quorum, no leader"),
    Check("voters", voters, "A vote or tolerance is missing"),
    Check("autopilot", healthy, "A vote or tolerance is missing"),
    Check("failure tolerance", tolerance, "A vote or tolerance is missing"),
    Check("versions", versions, "Versions differ"),
    Check("audit devices", audit, "Vault has too few audit devices"),
)
