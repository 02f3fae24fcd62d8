"""Consul: access control made in the primary with the chosen tokens, and seen on every server of every datacenter.

Owns the order (management token, policies, tokens, WAN, each token on each server) and what is least privilege (the files in
`policies`). The anonymous token is left alone: agents answer DNS with their own token, and what health asks without a token
needs no rights.

Dangerous edges:
- A secondary has been seen to miss a token while its replication index said that it was there. So a token counts as arrived
  only where a server knows it by itself (`?stale`, or a follower would ask its leader). One that stays away is brought
  by a nudge: a token without rights, written to the primary and deleted again, makes secondaries compare anew.
- The primary's servers have the management token in their configuration, so Consul mostly makes it by itself, a moment after
  there is a leader. Until then the bootstrap says that it is done and the token is not known yet.
- A secondary knows no token before it has replicated, so it cannot be told to join. The primary does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import quote

from pydantic import Field

from components.plan import secrets
from runbook.bootstrap import rules
from runbook.bootstrap.servers import AGAIN, LOGS, Cluster, Server, refused, why
from runbook.bootstrap.steps import State, StopError
from runbook.entries import Entries
from runbook.health.replies import Answered, Pascal

TOKENS = (
    secrets.CONSUL_AGENT,
    secrets.CONSUL_VAULT,
    secrets.CONSUL_NOMAD,
    secrets.CONSUL_BOUNDARY,
    secrets.CONSUL_REPLICATION,
)
"""Entries of the tokens that are made beside the management token."""
NEEDED = (secrets.CONSUL_MANAGEMENT, *TOKENS)
GRACE = 10.0
"""Seconds for which a management token that Consul makes by itself may be on its way, and after which a token that is
missing in a secondary gets a nudge, and each further one."""
_SELF = "/v1/acl/token/self"
_ALIVE = 1


class _Policy(Pascal):
    id: str = Field(alias="ID")
    rules: str


class _Link(Pascal):
    name: str = ""


class _Token(Pascal):
    accessor_id: str = Field(alias="AccessorID")
    policies: list[_Link] | None = None
    local: bool = False

    @property
    def names(self) -> set[str]:
        """Of its policies."""
        return {link.name for link in self.policies or ()}


class _Member(Pascal):
    tags: dict[str, str]
    status: int


@dataclass(frozen=True)
class _Missing:
    """A token that a server does not know, or did not answer for."""

    says: str
    known: bool


def policy_of(entry: str) -> str:
    """Name of a token's policy."""
    return entry.removesuffix("-token")


async def primary(own: Cluster, entries: Entries) -> Server:
    """Give the primary its access control; gives the server that leads.

    Raises:
        StopError: it cannot be brought further.
    """
    leader = await own.leader()
    management = entries[secrets.CONSUL_MANAGEMENT]
    if not await _managed(own, leader, management):
        for entry in TOKENS:
            own.journal.note(State.WOULD, f"policy {policy_of(entry)} and {entry}")
        return leader
    for entry in TOKENS:
        await _policy(own, leader, management, policy_of(entry))
        await _token(own, leader, management, entry, entries[entry])
    return leader


async def arrived(own: Cluster, first: Cluster, leader: Server, entries: Entries) -> None:
    """See every token on every server of a datacenter.

    Args:
        own: the datacenter.
        first: the primary.
        leader: a server of the primary that was given the tokens.
        entries: the chosen tokens.

    Raises:
        StopError: a token has not arrived everywhere.
    """
    secondary = own is not first
    if secondary:
        await _joined(own, first, leader, entries[secrets.CONSUL_MANAGEMENT])
    loop = asyncio.get_running_loop()
    patience, nudges = loop.time() + GRACE, 0
    missing: list[_Missing] = []

    async def look() -> bool | None:
        nonlocal patience, nudges
        asked = (_known(server, entry, entries[entry]) for server in own.servers for entry in NEEDED)
        missing[:] = filter(None, await asyncio.gather(*asked))
        if missing and secondary and not own.journal.dry and loop.time() > patience:
            own.journal.tell(f"{own.journal.cluster}: {missing[0].says}; nudging the primary")
            await _nudge(leader, entries[secrets.CONSUL_MANAGEMENT])
            nudges += 1
            patience = loop.time() + GRACE
        return None if missing else True

    if own.journal.dry:
        await look()
    else:
        await own.journal.until(look, "every server knows every token")
    first_ones = "; ".join(one.says for one in missing[:3])
    if missing and own.journal.dry:
        own.journal.note(State.WOULD, f"see {len(missing)} tokens arrive: {first_ones}")
    elif missing:
        raise StopError(
            State.WRONG if any(one.known for one in missing) else State.UNKNOWN,
            f"{len(missing)} tokens have not arrived{f' after {nudges} nudges' if nudges else ''}: {first_ones}",
            "See docs/operator.md, Tokens do not reach a region; then run the command again.",
        )
    else:
        if nudges:
            own.journal.note(State.DONE, "a token had not been replicated; a write in the primary brought it")
        own.journal.note(State.UNCHANGED, f"{len(NEEDED)} tokens are known to all {len(own.servers)} servers")


async def _managed(own: Cluster, leader: Server, management: str) -> bool:
    """Whether the chosen management token works; makes it where nobody has made one."""
    ends = asyncio.get_running_loop().time() + GRACE
    made = False
    while True:
        reply = await leader.get(_SELF, token=management)
        if isinstance(reply, Answered) and reply.status == 200:
            state = State.DONE if made else State.UNCHANGED
            own.journal.note(state, f"{secrets.CONSUL_MANAGEMENT} manages access")
            return True
        if not refused(reply):
            raise StopError(State.UNKNOWN, f"{leader.name} {why(reply)} when asked for access control", AGAIN)
        if own.journal.dry:
            own.journal.note(State.WOULD, f"access control with {secrets.CONSUL_MANAGEMENT}")
            return False
        reply = await leader.ask("PUT", "/v1/acl/bootstrap", {"BootstrapSecret": management})
        made = made or (isinstance(reply, Answered) and reply.status == 200)
        if asyncio.get_running_loop().time() > ends:
            break
        if not made:
            await asyncio.sleep(1)
    if isinstance(reply, Answered) and reply.status == 403:
        raise StopError(
            State.WRONG,
            f"access control was set up with another management token than {secrets.CONSUL_MANAGEMENT}: whoever has that one "
            "rules the datacenter, and no machine's token will ever work",
            "If the lineage is the right one, reset the bootstrap (developer.hashicorp.com/consul/docs/secure/acl/reset) and "
            "run the command again.",
        )
    raise StopError(State.UNKNOWN, f"access control cannot be set up: {leader.name} {why(reply)}", LOGS)


async def _policy(own: Cluster, leader: Server, management: str, name: str) -> None:
    wanted, journal = rules.of(name), own.journal
    reply = await leader.get(f"/v1/acl/policy/name/{name}", token=management)
    found = reply.read(_Policy) if isinstance(reply, Answered) and reply.status == 200 else None
    if found and found.rules == wanted:
        journal.note(State.UNCHANGED, f"policy {name}")
        return
    if found is None and not refused(reply):
        raise StopError(State.UNKNOWN, f"{leader.name} {why(reply)} when asked for policy {name}", AGAIN)
    if journal.dry:
        journal.note(State.WOULD, f"policy {name} {'brought to what it should be' if found else 'made'}")
        return
    path = f"/v1/acl/policy/{found.id}" if found else "/v1/acl/policy"
    body = {"Name": name, "Description": "Made by runbook bootstrap", "Rules": wanted}
    await leader.ask("PUT", path, body, token=management)
    # Another run may have been quicker: what stands there decides, not what the write was answered.
    stands = await leader.must("GET", f"/v1/acl/policy/name/{name}", token=management)
    if stands.read(_Policy).rules != wanted:
        raise StopError(State.WRONG, f"policy {name} does not take its text", f"{LOGS} on {leader.name}")
    journal.note(State.CHANGED if found else State.DONE, f"policy {name}")


async def _token(own: Cluster, leader: Server, management: str, entry: str, token: str) -> None:
    journal, policy = own.journal, policy_of(entry)

    async def stands() -> _Token | None:
        reply = await leader.get(_SELF, token=token)
        if isinstance(reply, Answered) and reply.status == 200:
            return reply.read(_Token)
        if not refused(reply):
            raise StopError(State.UNKNOWN, f"{leader.name} {why(reply)} when asked for {entry}", AGAIN)
        return None

    found = await stands()
    if found and found.names == {policy} and not found.local:
        journal.note(State.UNCHANGED, entry)
        return
    if found and (found.local or "global-management" in found.names):
        raise StopError(
            State.WRONG,
            f"{entry} exists and is {'known in one datacenter alone' if found.local else 'a management token'}",
            f"Delete it with the management token and run the command again: accessor {found.accessor_id}",
        )
    if journal.dry:
        journal.note(State.WOULD, f"{entry} {'given its policy alone' if found else 'made'}")
        return
    body = {"Description": entry, "Policies": [{"Name": policy}], "Local": False}
    if found:
        await leader.ask("PUT", f"/v1/acl/token/{found.accessor_id}", body, token=management)
    else:
        await leader.ask("PUT", "/v1/acl/token", {**body, "SecretID": token}, token=management)
    if (now := await stands()) is None or now.names != {policy}:
        raise StopError(State.WRONG, f"{entry} cannot be made", f"{LOGS} on {leader.name}")
    journal.note(State.CHANGED if found else State.DONE, entry)


async def _joined(own: Cluster, first: Cluster, leader: Server, management: str) -> None:
    """See that the primary knows the datacenter, and join it where servers have not found each other."""

    async def alive() -> bool:
        reply = await leader.must("GET", "/v1/agent/members?wan=1", token=management)
        return any(
            member.tags.get("dc") == own.cloud and member.status == _ALIVE for member in reply.read(list[_Member])
        )

    async def look() -> bool | None:
        if await alive():
            return True
        for server in own.servers:
            await leader.ask("PUT", f"/v1/agent/join/{quote(server.address)}?wan=1", token=management)
        return True if await alive() else None

    if await alive():
        own.journal.note(State.UNCHANGED, f"{first.cloud} sees the datacenter")
    elif own.journal.dry:
        own.journal.note(State.WOULD, f"joined to {first.cloud} over the WAN")
    elif await own.journal.until(look, f"{first.cloud} reaches it over the WAN"):
        own.journal.note(State.DONE, f"joined to {first.cloud} over the WAN")
    else:
        raise StopError(
            State.UNKNOWN,
            f"{first.cloud} cannot reach any of its servers over the WAN",
            "See docs/operator.md, Regions do not see each other; then run the command again.",
        )


async def _known(server: Server, entry: str, token: str) -> _Missing | None:
    reply = await server.get(f"{_SELF}?stale", token=token)
    if isinstance(reply, Answered) and reply.status == 200:
        policy = "global-management" if entry == secrets.CONSUL_MANAGEMENT else policy_of(entry)
        if reply.read(_Token).names == {policy}:
            return None
        return _Missing(f"{entry} has other policies on {server.name}", known=True)
    return _Missing(f"{entry} on {server.name} ({why(reply)})", known=isinstance(reply, Answered))


async def _nudge(leader: Server, management: str) -> None:
    """A write that lets secondaries compare their tokens with the primary's again."""
    body = {"Description": "Lets other datacenters compare their tokens again", "ExpirationTTL": "10m"}
    made = await leader.must("PUT", "/v1/acl/token", body, token=management)
    await leader.must("DELETE", f"/v1/acl/token/{made.read(_Token).accessor_id}", token=management)
