"""One Vault cluster, from servers that run to one that is ready: initialised, audited, with a way in for backups and checks.

Owns the order, and the two tokens. The root token of the initialisation lives in this process's memory, makes what
`runbook.bootstrap.grants` lists and is revoked; the health token stays, may look and change nothing, and comes last, so that
whoever finds it knows that all before it was done.

Dangerous edges:
- A run that is killed before the health token was made leaves a root token that nobody holds. The next run says what only
  the holders of shares can do about it.
- One that is killed between the health token and the revocation is finished by the next run alone: the health token may
  revoke this one root token, by its accessor, and nothing else.
- The health token lives for `PERIOD` from its last renewal. Each run renews it when half of that is over.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from components.plan.manifest import Manifest
from components.plan.secrets import VAULT_HEALTH
from runbook.bootstrap import grants, initial
from runbook.bootstrap.holders import Ceremony
from runbook.bootstrap.initial import Initialised
from runbook.bootstrap.servers import AGAIN, LOGS, Cluster, Server, refused, why
from runbook.bootstrap.steps import State, StopError
from runbook.entries import Entries
from runbook.health.replies import Answered, Snake

NEEDED = (VAULT_HEALTH,)
GRACE = 10.0
"""Seconds for which another run is given the chance to end what it began."""
PERIOD = 32 * 24 * 3600
"""Seconds; Vault's own longest term of a token, which the servers' configuration keeps (768 hours)."""
_SELF = "/v1/auth/token/lookup-self"
_REVOKER = "revoke-initial-root"
_ACCESSOR = "initial_root_accessor"


class _Token(Snake):
    accessor: str
    policies: list[str]
    orphan: bool = False
    period: int = 0
    ttl: int = 0
    meta: dict[str, Any] | None = None


class _Looked(Snake):
    data: _Token


class _Keys(Snake):
    keys: list[str]


class _Listed(Snake):
    data: _Keys


@dataclass(frozen=True)
class Given:
    """What a run brings along.

    Attributes:
        ceremony: None where nobody was named to hold shares.
        root: the operator's own root token for this cluster; empty if there is none.
    """

    name: str
    manifest: Manifest
    entries: Entries
    ceremony: Ceremony | None
    root: str


async def bring_up(own: Cluster, given: Given) -> None:
    """Make the cluster ready, or see that it is.

    Raises:
        StopError: it cannot be brought further.
    """
    seal, journal = given.manifest.seal, own.journal
    wanted = grants.grants(given.manifest)
    initialised, raced = None, False
    if await initial.fresh(own, seal):
        if journal.dry:
            journal.note(State.WOULD, "initialised, and the shares handed to the holders")
            for says in (*(grant.says for grant in wanted), VAULT_HEALTH, "the root token revoked"):
                journal.note(State.WOULD, says)
            return
        initialised = await _initialise(own, given)
        raced = initialised is None
    if initialised and initialised.shares and seal == "shamir":
        await initial.unseal(own, initialised)
    # Where only holders can unseal, waiting is in vain, unless a run that has the shares is at it.
    helped = seal == "cloud" or raced or bool(initialised and initialised.shares)
    await initial.unsealed(own, seal, wait=helped and not journal.dry)
    server = await initial.active(own)
    if initialised:
        await _furnish(own, server, initialised.root, given, wanted, mine=True)
    elif not await _ready(own, server, given, wanted, patience=None if raced else GRACE):
        await _resume(own, server, given, wanted)
    await _settled(own, server, given, initialised)


async def _initialise(own: Cluster, given: Given) -> Initialised | None:
    if given.ceremony is None:
        raise StopError(
            State.HOLDERS,
            "it is not initialised, and nobody is named to hold the shares of its key",
            "Name every holder's public key by --holder, and a folder by --shares-to.",
        )
    if taken := given.ceremony.taken(given.name):
        # Another run may have written them a moment ago.
        if not await initial.fresh(own, given.manifest.seal):
            return None
        raise StopError(
            State.WRONG,
            f"it is not initialised, and {taken[0]} exists: these shares are of a cluster that is gone",
            "Put the files of that cluster away, or name another folder.",
        )
    return await initial.initialise(own, given.name, given.manifest.seal, given.ceremony)


async def _ready(
    own: Cluster, server: Server, given: Given, wanted: tuple[grants.Grant, ...], patience: float | None
) -> bool:
    """Whether the health token works and everything stands; waits for another run that may be at work."""
    token = given.entries[VAULT_HEALTH]
    ends = own.journal.deadline if patience is None else asyncio.get_running_loop().time() + patience

    async def look() -> bool | None:
        if await _held(server, token) is not None:
            return True
        return None if asyncio.get_running_loop().time() < ends and not given.root else False

    if own.journal.dry:
        found = await _held(server, token) is not None
    else:
        found = await own.journal.until(look, "another run ends what it began")
    if not found:
        return False
    standing = [await grant.stands(server, token) for grant in wanted]
    if not all(standing):
        return False
    for grant in wanted:
        own.journal.note(State.UNCHANGED, grant.says)
    return True


async def _resume(own: Cluster, server: Server, given: Given, wanted: tuple[grants.Grant, ...]) -> None:
    """Go on with the operator's root token."""
    variable = f"VAULT_TOKEN_{given.manifest.cloud.upper()}"
    if not given.root:
        raise StopError(
            State.HOLDERS,
            "it is initialised, and what should have followed is missing; the root token that could make it is gone",
            f"Let the holders make a root token (vault operator generate-root -init -address={server.url}), give it by "
            f"{variable} and run the command again. {initial.ANEW}",
        )
    mine = await _held(server, given.root)
    if mine is None or "root" not in mine.policies:
        raise StopError(
            State.HOLDERS, f"the token in {variable} is no root token of it", "Let the holders make one: generate-root."
        )
    await _furnish(own, server, given.root, given, wanted, mine=False)
    others = [token for token in await _roots(server, given.root) if token != mine.accessor]
    for accessor in others:
        own.journal.note(
            State.LEFT,
            "there is another root token, perhaps of the run that was cut off",
            f"Unless somebody needs it: vault token revoke -address={server.url} -accessor {accessor}",
        )
    own.journal.note(
        State.LEFT, "the root token that you gave lives on", f"vault token revoke -address={server.url} -self"
    )


async def _furnish(
    own: Cluster, server: Server, root: str, given: Given, wanted: tuple[grants.Grant, ...], *, mine: bool
) -> None:
    """Make all that stands on a root token; the health token last."""
    await grants.make(own, server, root, wanted)
    token, journal = given.entries[VAULT_HEALTH], own.journal
    if await _held(server, token):
        journal.note(State.UNCHANGED, VAULT_HEALTH)
        return
    if journal.dry:
        journal.note(State.WOULD, f"{VAULT_HEALTH} made")
        return
    body: dict[str, Any] = {
        "id": token,
        "policies": ["health"],
        "period": f"{PERIOD}s",
        "no_parent": True,
        "display_name": VAULT_HEALTH,
    }
    if mine:
        looked = await server.must("GET", _SELF, token=root)
        accessor = looked.read(_Looked).data.accessor
        await server.must("POST", f"/v1/sys/policies/acl/{_REVOKER}", {"policy": _revoker(accessor)}, token=root)
        body |= {"policies": ["health", _REVOKER], "meta": {_ACCESSOR: accessor}}
    await server.ask("POST", "/v1/auth/token/create", body, token=root)
    if await _held(server, token) is None:
        raise StopError(State.WRONG, f"{VAULT_HEALTH} cannot be made", f"{LOGS}: vault on {server.name}")
    journal.note(State.DONE, VAULT_HEALTH)


async def _settled(own: Cluster, server: Server, given: Given, initialised: Initialised | None) -> None:
    """See that the health token is what it should be, and that the root token of the initialisation is gone."""
    token, journal = given.entries[VAULT_HEALTH], own.journal
    held = await _held(server, token)
    if held is None:
        if not journal.dry:
            raise StopError(State.WRONG, f"{VAULT_HEALTH} is not known", AGAIN)
        return
    extra = {"default", "health", _REVOKER}
    if "health" not in held.policies or not set(held.policies) <= extra or not held.orphan or not held.period:
        raise StopError(
            State.WRONG,
            f"{VAULT_HEALTH} may do something else than look, or ends with another token",
            f"Revoke it with a root token and run the command again: vault token revoke -accessor {held.accessor}",
        )
    await _revoked(own, server, token, held)
    if initialised and not refused(await server.get(_SELF, token=initialised.root)):
        raise StopError(State.WRONG, "the root token of the initialisation still works", AGAIN)
    if held.ttl < held.period // 2 and not journal.dry:
        await server.must("POST", "/v1/auth/token/renew-self", {}, token=token)
        journal.note(State.CHANGED, f"{VAULT_HEALTH} renewed")
    else:
        journal.note(State.UNCHANGED, f"{VAULT_HEALTH} looks and changes nothing")


async def _revoked(own: Cluster, server: Server, token: str, held: _Token) -> None:
    """Revoke the root token of the initialisation, if it lives."""
    accessor = (held.meta or {}).get(_ACCESSOR)
    if not accessor:
        return
    looking = {"accessor": accessor}
    reply = await server.ask("POST", "/v1/auth/token/lookup-accessor", looking, token=token)
    if _gone(reply):
        own.journal.note(State.UNCHANGED, "the root token of the initialisation is revoked")
        return
    if own.journal.dry:
        own.journal.note(State.WOULD, "the root token of the initialisation revoked")
        return
    await server.ask("POST", "/v1/auth/token/revoke-accessor", looking, token=token)
    reply = await server.ask("POST", "/v1/auth/token/lookup-accessor", looking, token=token)
    if not _gone(reply):
        raise StopError(
            State.WRONG,
            f"the root token of the initialisation cannot be revoked ({why(reply)})",
            f"With a root token of the holders: vault token revoke -accessor {accessor}",
        )
    own.journal.note(State.DONE, "the root token of the initialisation is revoked")


def _gone(reply: object) -> bool:
    """Whether Vault says that it knows no such accessor."""
    return isinstance(reply, Answered) and reply.status in (400, 404)


def _revoker(accessor: str) -> str:
    """A policy that allows to look at one token and to revoke it."""
    block = 'path "auth/token/{verb}-accessor" {{\n  capabilities = ["update"]\n  allowed_parameters = {{\n    "accessor" = ["{accessor}"]\n  }}\n}}\n'
    return "".join(block.format(verb=verb, accessor=accessor) for verb in ("lookup", "revoke"))


async def _held(server: Server, token: str) -> _Token | None:
    """A token as Vault knows it; None if it does not.

    Raises:
        StopError: Vault does not say.
    """
    reply = await server.get(_SELF, token=token)
    if isinstance(reply, Answered) and reply.status == 200:
        return reply.read(_Looked).data
    if refused(reply):
        return None
    raise StopError(State.UNKNOWN, f"{server.name} {why(reply)} when asked for a token", AGAIN)


async def _roots(server: Server, root: str) -> list[str]:
    """Accessors of all root tokens."""
    listed = await server.must("LIST", "/v1/auth/token/accessors", token=root)
    found: list[str] = []
    for accessor in listed.read(_Listed).data.keys:
        reply = await server.ask("POST", "/v1/auth/token/lookup-accessor", {"accessor": accessor}, token=root)
        if isinstance(reply, Answered) and reply.status == 200 and "root" in reply.read(_Looked).data.policies:
            found.append(accessor)
    return found
