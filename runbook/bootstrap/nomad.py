"""Nomad: one management token for the pool, made in the authoritative region and seen on every server.

Owns the federation of regions that started before they could reach each other: an agent joins whom it reaches when it starts,
and is content with one, so those are joined once by hand. From then on the pool remembers.

Dangerous edge: the other regions replicate access control with the same token, so until it has arrived they refuse everybody.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

from pydantic import Field

from components.plan import secrets
from runbook.bootstrap.servers import AGAIN, LOGS, Cluster, Server, refused, why
from runbook.bootstrap.steps import State, StopError
from runbook.entries import Entries
from runbook.health.replies import Answered, Pascal, Reply

NEEDED = (secrets.NOMAD_MANAGEMENT,)
_SELF = "/v1/acl/token/self"


class _Token(Pascal):
    accessor_id: str = Field(alias="AccessorID")
    kind: str = Field(alias="Type")
    everywhere: bool = Field(alias="Global")

    @property
    def manages(self) -> bool:
        """Whether it rules all regions."""
        return self.kind == "management" and self.everywhere


async def authoritative(own: Cluster, entries: Entries) -> Server:
    """Set up access control in the authoritative region; gives a server that has a leader.

    Raises:
        StopError: it cannot be brought further.
    """
    leader = await own.leader()
    token, journal = entries[secrets.NOMAD_MANAGEMENT], own.journal
    if await _managed(leader, token):
        journal.note(State.UNCHANGED, f"{secrets.NOMAD_MANAGEMENT} manages access")
    elif journal.dry:
        journal.note(State.WOULD, f"access control with {secrets.NOMAD_MANAGEMENT}")
    else:
        reply = await leader.ask("POST", "/v1/acl/bootstrap", {"BootstrapSecret": token})
        # Another run may have been quicker, with the same token.
        if await _managed(leader, token):
            journal.note(State.DONE, f"{secrets.NOMAD_MANAGEMENT} manages access")
        elif isinstance(reply, Answered) and reply.status == 400:
            raise StopError(
                State.WRONG,
                f"access control was set up with another token than {secrets.NOMAD_MANAGEMENT}: whoever has that one rules "
                "all regions, and the others cannot replicate",
                "If the lineage is the right one, reset the bootstrap "
                "(developer.hashicorp.com/nomad/docs/secure/acl/bootstrap, Re-bootstrap) and run the command again.",
            )
        else:
            raise StopError(State.UNKNOWN, f"access control cannot be set up: {leader.name} {why(reply)}", LOGS)
    return leader


async def federated(own: Cluster, first: Cluster, leader: Server) -> None:
    """Join a region to the authoritative one where their servers do not know each other.

    Raises:
        StopError: it cannot be joined.
    """
    await own.leader()

    async def together() -> bool:
        ours, theirs = await asyncio.gather(*(_regions(server) for server in (own.servers[0], leader)))
        return first.cloud in ours and own.cloud in theirs

    async def look() -> bool | None:
        if await together():
            return True
        await leader.ask("POST", f"/v1/agent/join?{urlencode([('address', server.address) for server in own.servers])}")
        return True if await together() else None

    if await together():
        own.journal.note(State.UNCHANGED, f"in one pool with {first.cloud}")
    elif own.journal.dry:
        own.journal.note(State.WOULD, f"joined to the pool of {first.cloud}")
    elif await own.journal.until(look, f"{first.cloud} reaches it"):
        own.journal.note(State.DONE, f"joined to the pool of {first.cloud}")
    else:
        raise StopError(
            State.UNKNOWN,
            f"{first.cloud} cannot reach any of its servers",
            "See docs/operator.md, Regions do not see each other; then run the command again.",
        )


async def arrived(own: Cluster, entries: Entries) -> None:
    """See the token on every server of a region.

    Raises:
        StopError: it has not arrived everywhere.
    """
    token = entries[secrets.NOMAD_MANAGEMENT]

    async def look() -> bool | None:
        found = await asyncio.gather(*(server.get(f"{_SELF}?stale", token=token) for server in own.servers))
        missing[:] = [
            (server, reply)
            for server, reply in zip(own.servers, found, strict=True)
            if not (isinstance(reply, Answered) and reply.status == 200 and reply.read(_Token).manages)
        ]
        return None if missing else True

    missing: list[tuple[Server, Reply]] = []
    if own.journal.dry:
        await look()
    else:
        await own.journal.until(look, "every server knows the token")
    if not missing:
        own.journal.note(State.UNCHANGED, f"{secrets.NOMAD_MANAGEMENT} is known to all {len(own.servers)} servers")
        return
    says = "; ".join(f"{server.name} {why(reply)}" for server, reply in missing)
    if own.journal.dry:
        own.journal.note(State.WOULD, f"see the token arrive: {says}")
        return
    known = any(isinstance(reply, Answered) for _, reply in missing)
    raise StopError(
        State.WRONG if known else State.UNKNOWN, f"{secrets.NOMAD_MANAGEMENT} has not arrived: {says}", AGAIN
    )


async def _managed(leader: Server, token: str) -> bool:
    reply = await leader.get(_SELF, token=token)
    if isinstance(reply, Answered) and reply.status == 200:
        return reply.read(_Token).manages
    if not refused(reply):
        raise StopError(State.UNKNOWN, f"{leader.name} {why(reply)} when asked for access control", AGAIN)
    return False


async def _regions(server: Server) -> list[str]:
    reply = await server.get("/v1/regions")
    return reply.read(list[str]) if isinstance(reply, Answered) and reply.status == 200 else []
