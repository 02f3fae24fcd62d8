"""Judging raft clusters of Consul and Nomad, whose servers tell the same things in the same words.

Owns who is there, quorum, votes, tolerance and versions.

Dangerous edges, all seen on running clusters:
- For seconds after a majority is lost the rest still name the dead leader, and Nomad's gossip calls a killed server alive
  for half a minute. So a name proves no leader: only an answer that the leader itself must give does, and a server whose
  machine refuses connections while others answer is gone, whatever gossip says.
- A fresh leader answers `Healthy` with no servers at all: that is no health.
- Autopilot clears dead servers away; the rest is `Healthy` and has lost a voter. What counts is the number planned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass

from pydantic import Field

from components.plan.spec import quorum
from runbook.health.outcome import Check, Said, fine, unknown, wrong
from runbook.health.replies import Answered, Cluster, Pascal, Question, Unanswered

NO_LEADER = "No cluster leader"


class Server(Pascal):
    """A server as autopilot knows it."""

    name: str
    address: str
    voter: bool
    leader: bool
    healthy: bool
    version: str


class Autopilot(Pascal):
    """What the leader says of its cluster."""

    healthy: bool
    failure_tolerance: int
    servers: list[Server] | None = Field(default=None)


@dataclass(frozen=True)
class Raft:
    """The judges of one product.

    Attributes:
        autopilot: answered by the leader alone.
        leader: a server's own opinion, a JSON string.
        local: what a server answers at once although nobody leads.
        failed: addresses of servers that a server's gossip calls failed.
    """

    autopilot: Question
    leader: Question
    local: Question
    failed: Callable[[Cluster], set[str]]

    @property
    def checks(self) -> tuple[Check[Cluster], ...]:
        """What is asked of every such cluster, in the order in which it is shown."""
        return (
            Check("servers", self.servers, "A server does not answer"),
            Check("quorum", self.quorum, "No quorum, no leader"),
            Check("voters", self.voters, "A vote or tolerance is missing"),
            Check("autopilot", self.healthy, "A vote or tolerance is missing"),
            Check("failure tolerance", self.tolerance, "A vote or tolerance is missing"),
            Check("versions", self.versions, "Versions differ"),
        )

    @property
    def _any(self) -> tuple[Question, ...]:
        return self.autopilot, self.leader, self.local

    def servers(self, cluster: Cluster) -> Iterator[Said]:
        """Every server answers."""
        yield from present(cluster, self._any)

    def quorum(self, cluster: Cluster) -> Iterator[Said]:
        """A leader that a majority follows."""
        voters = len(cluster.servers)
        if self.state(cluster):
            yield fine("a leader answers")
            return
        dead = gone(cluster, self._any, self.failed(cluster))
        if voters - len(dead) < quorum(voters):
            yield no_quorum(voters, len(dead))
        elif self._leaderless(cluster):
            yield wrong("no leader: servers answer and none of them leads")
        else:
            yield unknown(f"nobody knows whether a leader is there: {cluster.why_not(self.autopilot)}")

    def voters(self, cluster: Cluster) -> Iterator[Said]:
        """Every planned server has a vote."""
        if not (state := self._known(cluster)):
            yield self._unknown(cluster)
            return
        voting = {server.address.rpartition(":")[0] for server in state if server.voter}
        for server in cluster.servers:
            if server.address not in voting:
                yield wrong("has no vote", server.name)
        planned = {server.address for server in cluster.servers}
        for server in state:
            if server.voter and server.address.rpartition(":")[0] not in planned:
                yield wrong(f"{server.name} has a vote and is not planned")
        yield fine(f"{len(voting)} of {len(planned)} planned servers have a vote")

    def healthy(self, cluster: Cluster) -> Iterator[Said]:
        """Autopilot calls each server healthy."""
        state = self.state(cluster)
        if not state or not state.servers:
            yield self._unknown(cluster)
            return
        for server in state.servers:
            if not server.healthy:
                yield wrong(f"autopilot calls {server.name} unhealthy")
        yield fine("autopilot: healthy") if state.healthy else wrong("autopilot: not healthy")

    def tolerance(self, cluster: Cluster) -> Iterator[Said]:
        """The cluster survives as many losses as it was planned for."""
        state = self.state(cluster)
        if not state or not state.servers:
            yield self._unknown(cluster)
            return
        yield tolerated(state.failure_tolerance, len(cluster.servers))

    def versions(self, cluster: Cluster) -> Iterator[Said]:
        """Every server runs the planned version."""
        if not (state := self._known(cluster)):
            yield self._unknown(cluster)
            return
        yield from uniform(cluster, ((server.name, server.version) for server in state))

    def state(self, cluster: Cluster) -> Autopilot | None:
        """Autopilot's answer; of several the worst, since one of them is newer. 429 is how it says unhealthy."""
        states = [answer.read(Autopilot) for _, answer in cluster.answered(self.autopilot, 200, 429)]
        return min(states, key=lambda state: (state.healthy, state.failure_tolerance), default=None)

    def _known(self, cluster: Cluster) -> list[Server]:
        state = self.state(cluster)
        return (state and state.servers) or []

    def _unknown(self, cluster: Cluster) -> Said:
        if self.state(cluster):
            return unknown("autopilot has not looked at the servers yet; ask again in a few seconds")
        return unknown(f"the leader says nothing: {cluster.why_not(self.autopilot)}")

    def _leaderless(self, cluster: Cluster) -> bool:
        """Whether a server says itself that nobody leads."""
        for question in (self.leader, self.autopilot):
            for _, reply in cluster.each(question):
                if isinstance(reply, Answered) and reply.status == 500 and reply.text.startswith(NO_LEADER):
                    return True
        return any(answer.text.strip() == '""' for _, answer in cluster.answered(self.leader))


def present(cluster: Cluster, questions: Iterable[Question]) -> Iterator[Said]:
    """Every server answers something on its API.

    One that refuses while others answer is gone; when none answers it may as well be the way there.
    """
    asked = tuple(questions)
    replies = {server.name: [cluster.reply(server.name, question) for question in asked] for server in cluster.servers}
    answering = {name for name, each in replies.items() if any(isinstance(reply, Answered) for reply in each)}
    if not answering and not any(
        isinstance(reply, Unanswered) and reply.silence == "untrusted" for each in replies.values() for reply in each
    ):
        silences = sorted({r.silence for each in replies.values() for r in each if isinstance(r, Unanswered)})
        yield unknown(f"no server can be reached from here: {', '.join(silences)}")
        return
    for name, each in replies.items():
        if name in answering:
            continue
        first = next((reply for reply in each if isinstance(reply, Unanswered)), Unanswered("timed out"))
        match first.silence:
            case "refused":
                yield wrong("refuses connections while others answer", name)
            case "untrusted":
                yield wrong(f"shows a certificate that cannot be trusted: {first.why}", name)
            case _:
                yield unknown(f"does not answer: {first.silence}", name)
    if len(answering) == len(replies):
        yield fine(f"{len(replies)} servers answer")


def gone(cluster: Cluster, questions: Iterable[Question], failed: Set[str] = frozenset()) -> set[str]:
    """Names of servers that are known not to serve.

    Those whose machines refuse every question while another server answers, and those that are silent here and that an
    answering server calls failed: silence alone may be the way, and gossip alone is late.
    """
    asked = tuple(questions)
    dead: set[str] = set()
    answers = False
    for server in cluster.servers:
        replies = [cluster.reply(server.name, question) for question in asked]
        silences = {reply.silence for reply in replies if isinstance(reply, Unanswered)}
        if any(isinstance(reply, Answered) for reply in replies):
            answers = True
        elif silences == {"refused"} or server.address in failed:
            dead.add(server.name)
    return dead if answers else set()


def no_quorum(voters: int, dead: int) -> Said:
    """The sentence for a cluster that cannot go on."""
    return wrong(f"no quorum: {voters - dead} of {voters} servers are left, {quorum(voters)} are needed")


def tolerated(tolerance: int, servers: int) -> Said:
    """The sentence for a failure tolerance."""
    planned = servers - quorum(servers)
    says = f"failure tolerance {tolerance} of {planned}"
    return fine(says) if tolerance >= planned else wrong(says)


def uniform(cluster: Cluster, running: Iterable[tuple[str, str]]) -> Iterator[Said]:
    """Every server runs the planned version; builds of an edition carry it behind a plus sign."""
    planned = cluster.facts.version
    different = [(name, version) for name, version in running if version.partition("+")[0] != planned.partition("+")[0]]
    for name, version in different:
        yield wrong(f"{name} runs {version}, planned is {planned}")
    if not different:
        yield fine(f"all run {planned}")
