"""What was asked and what came back, as plain data: the meeting point of those who ask and those who judge.

Owns the types. A reply that did not come says why, because "refused" is a process that is gone, "timed out" may be the way,
and "untrusted" is a certificate.

Dangerous edge: some answers hold secrets (Consul and Nomad repeat the token that asked), so no text of an answer is ever
shown or written; what a judge says is made of the fields that it reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_pascal

from components.plan.flows import Port
from components.plan.manifest import ClusterFacts, Manifest, ServerFacts
from components.plan.spec import Cloud, Product
from components.plan.thresholds import Bands

_T = TypeVar("_T")
Silence = Literal["refused", "timed out", "unresolved", "untrusted", "garbled"]


class Pascal(BaseModel):
    """Part of an answer of Consul or Nomad, which spell fields so; the rest of it is ignored."""

    model_config = ConfigDict(frozen=True, alias_generator=to_pascal)


class Snake(BaseModel):
    """Part of an answer of Vault or Boundary; the rest of it is ignored."""

    model_config = ConfigDict(frozen=True)


@dataclass(frozen=True)
class Certificate:
    """When a certificate that was presented and trusted holds."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Answered:
    """A whole HTTP answer."""

    status: int
    text: str = field(repr=False)
    certificate: Certificate | None = None

    def read(self, kind: type[_T]) -> _T:
        """The answer as a type.

        Raises:
            ValueError: it is none.
        """
        return TypeAdapter(kind).validate_json(self.text)


@dataclass(frozen=True)
class Unanswered:
    """No answer, and why."""

    silence: Silence
    why: str = ""
    """For people: what the certificate lacks, or the like. Holds no text of an answer."""


Reply = Answered | Unanswered
Dial = Literal["open", "refused", "timed out"]


@dataclass(frozen=True)
class Question:
    """What a server is asked.

    Attributes:
        led: a follower hands the question on to the leader, so that without one it waits.
        credential: whose token goes along.
    """

    name: str
    port: Port
    path: str
    led: bool = False
    credential: Product | None = None
    tls: bool = True


@dataclass(frozen=True)
class Cluster:
    """One cluster with all that was asked in a pass: what a judge judges.

    Attributes:
        replies: by name of server (or cluster, for its balancer) and of question, of all clusters.
        dials: by name of server and port.
        clouds: every region of the platform, also those without a manifest here.
        shared_token: whether the primary's servers were asked with the same Consul token.
    """

    region: Manifest
    facts: ClusterFacts
    replies: Mapping[tuple[str, str], Reply]
    dials: Mapping[tuple[str, Port], Dial]
    regions: Mapping[Cloud, Manifest]
    clouds: tuple[Cloud, ...]
    bands: Bands
    at: datetime
    shared_token: bool = False

    @property
    def servers(self) -> tuple[ServerFacts, ...]:
        """The servers as planned."""
        return self.facts.servers

    @property
    def federated(self) -> tuple[Cloud, ...]:
        """The platform's other regions."""
        return tuple(cloud for cloud in self.clouds if cloud != self.region.cloud)

    def reply(self, server: str, question: Question) -> Reply:
        """What came back; a question that nobody put counts as one that nobody answered."""
        return self.replies.get((server, question.name), Unanswered("timed out", "was not asked"))

    def each(self, question: Question) -> Iterator[tuple[ServerFacts, Reply]]:
        """What came back from each server."""
        return ((server, self.reply(server.name, question)) for server in self.servers)

    def answered(self, question: Question, *statuses: int) -> Iterator[tuple[ServerFacts, Answered]]:
        """The answers of these statuses, 200 if none is named."""
        for server, reply in self.each(question):
            if isinstance(reply, Answered) and reply.status in (statuses or (200,)):
                yield server, reply

    def why_not(self, question: Question) -> str:
        """Why a question has no useful answer from any server."""
        replies = [reply for _, reply in self.each(question)]
        if any(isinstance(reply, Answered) and reply.status in (401, 403) for reply in replies):
            return "the token may not ask this (see Tokens)" if question.credential else "asking is not allowed"
        codes = sorted({reply.status for reply in replies if isinstance(reply, Answered)})
        if codes:
            return f"servers answer {', '.join(map(str, codes))}"
        return f"servers: {', '.join(sorted({reply.silence for reply in replies if isinstance(reply, Unanswered)}))}"
