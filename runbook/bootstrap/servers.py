"""A cluster's servers as a bring-up speaks to them.

Owns requests. What is asked and what an answer means is each product's.

Dangerous edges:
- A server is called by its planned address and must show a certificate of the manifest's own authority for it before it
  sees a token. Redirects are not followed and no proxy is used.
- A request that changes something may have been done though no answer came. Callers look again and never assume.
"""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass, field

import httpx

from components.plan.flows import CONSUL_HTTPS, NOMAD_HTTP, VAULT_API, Port
from components.plan.manifest import ClusterFacts
from components.plan.spec import Cloud, Product
from runbook.bootstrap.steps import Journal, State, StopError
from runbook.connections import silence
from runbook.health.replies import Answered, Reply, Unanswered
from runbook.health.survey import HEADERS

PORTS: dict[Product, Port] = {"consul": CONSUL_HTTPS, "vault": VAULT_API, "nomad": NOMAD_HTTP}
SECONDS, REACH_SECONDS = 60.0, 5.0
"""For one request, which may be Vault's initialisation, and for reaching a server at all."""
AGENT = "runbook-bootstrap"


@dataclass(frozen=True)
class Server:
    """One server's API."""

    name: str
    address: str
    product: Product
    client: httpx.AsyncClient = field(repr=False)

    @property
    def url(self) -> str:
        """Of its API."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"https://{host}:{PORTS[self.product]}"

    async def ask(self, method: str, path: str, body: object = None, *, token: str = "") -> Reply:
        """What it answers, or why it does not."""
        headers = {HEADERS[self.product]: token} if token else {}
        content = None if body is None else json.dumps(body).encode()
        try:
            answer = await self.client.request(method, f"{self.url}{path}", content=content, headers=headers)
        except httpx.TimeoutException:
            return Unanswered("timed out")
        except (OSError, httpx.HTTPError) as error:
            return silence(error)
        return Answered(answer.status_code, answer.text)

    async def get(self, path: str, *, token: str = "") -> Reply:
        """Ask without changing anything."""
        return await self.ask("GET", path, token=token)

    async def must(self, method: str, path: str, body: object = None, *, token: str = "") -> Answered:
        """The answer, which must be a good one.

        Raises:
            StopError: none came, or it was refused.
        """
        reply = await self.ask(method, path, body, token=token)
        if isinstance(reply, Unanswered):
            raise StopError(State.UNKNOWN, f"{self.name} did not answer {method} {path}: {reply.silence}", AGAIN)
        if reply.status >= 300:
            raise StopError(
                State.WRONG, f"{self.name} answers {method} {path} with {reply.status}", f"{LOGS} on {self.name}"
            )
        return reply


AGAIN = "Run the command again; it goes on where this run ended."
LOGS = "See the server's log: journalctl -b -u <product>"


@dataclass(frozen=True)
class Cluster:
    """One product in one region, and what happens to it."""

    cloud: Cloud
    servers: tuple[Server, ...]
    journal: Journal

    async def leader(self) -> Server:
        """A server of Consul or Nomad that knows its leader, and so hands on what changes something.

        Raises:
            StopError: there is none when the time is over.
        """
        said: dict[str, str] = {}

        async def look() -> Server | None:
            for server in self.servers:
                reply = await server.get("/v1/status/leader")
                said[server.name] = why(reply)
                # Without a leader Consul answers an empty name in quotes.
                if isinstance(reply, Answered) and reply.status == 200 and len(reply.text.strip()) > 2:
                    return server
            return None

        if found := await self.journal.until(look, "it has a leader"):
            return found
        silent = ", ".join(f"{name} {reason}" for name, reason in said.items())
        raise StopError(State.UNKNOWN, f"no server knows a leader ({silent})", "Start them, or mend the way to them.")


def servers(facts: ClusterFacts, client: httpx.AsyncClient) -> tuple[Server, ...]:
    """A cluster's servers, in the order of their names."""
    found = (Server(server.name, server.address, facts.product, client) for server in facts.servers)
    return tuple(sorted(found, key=lambda server: server.name))


def client(trust: ssl.SSLContext) -> httpx.AsyncClient:
    """A client for one region."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx.AsyncClient(
        verify=trust,
        trust_env=False,
        timeout=httpx.Timeout(SECONDS, connect=REACH_SECONDS),
        limits=limits,
        headers={"User-Agent": AGENT},
    )


def refused(reply: Reply) -> bool:
    """Whether a server answered that the token, or what it names, is not known or not allowed."""
    return isinstance(reply, Answered) and reply.status in (401, 403, 404)


def why(reply: Reply) -> str:
    """What came instead of a good answer. Never an answer's own text, which may repeat a token."""
    if isinstance(reply, Answered):
        return f"answers {reply.status}"
    return " ".join(filter(None, (reply.silence, reply.why)))
