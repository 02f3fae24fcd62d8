"""Vault's first minute: one server initialised, the shares handed over, the others unsealed where that is in the command's hands.

Owns what must not be done twice and cannot be undone. What the root token is used for is `runbook.bootstrap.vault`'s.

Dangerous edges:
- Two servers initialised on their own would be two clusters. So all servers must answer that they are not, and always the
  first by name is taken: of two runs at the same moment one is refused by that server.
- Between Vault's answer and the disk the shares are in this process alone. If it is killed just then, nobody will ever hold
  them; the cluster holds nothing yet and is made anew.
- A server without its seal stanza would hand out keys that unseal it. It is not initialised.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from components.plan.spec import SealKind
from runbook.bootstrap.holders import Ceremony
from runbook.bootstrap.servers import LOGS, Cluster, Server, why
from runbook.bootstrap.steps import State, StopError
from runbook.health.replies import Answered, Reply, Snake, Unanswered

ANEW = (
    "If no share file of this cluster exists anywhere, nobody can ever hold a share, and nothing is in it yet: stop Vault on "
    "all of its servers, empty /opt/vault/data there, start them, and run the command again."
)


class _Seal(Snake):
    initialized: bool
    sealed: bool
    recovery_seal: bool = False


class _Init(Snake):
    keys: tuple[str, ...]
    keys_base64: tuple[str, ...]
    recovery_keys: tuple[str, ...] = ()
    recovery_keys_base64: tuple[str, ...] = ()
    root_token: str


@dataclass(frozen=True)
class Initialised:
    """What one run alone has after it initialised a cluster: in memory, for as long as it runs."""

    root: str = field(repr=False)
    shares: tuple[str, ...] = field(repr=False)
    """In clear, where Vault did not encrypt them."""


async def fresh(own: Cluster, seal: SealKind) -> bool:
    """Whether the cluster was never initialised, as all of its servers say.

    Raises:
        StopError: that cannot be said, or a server's seal is not the manifest's.
    """
    seen: dict[str, Reply] = {}

    async def look() -> bool | None:
        states = await seals(own, seen)
        if any(state.initialized for state in states.values()):
            return False
        return True if len(states) == len(own.servers) else None

    found = await own.journal.until(look, "every server answers")
    if found is None:
        silent = "; ".join(f"{name} {why(reply)}" for name, reply in seen.items() if not _good(reply))
        raise StopError(
            State.UNKNOWN,
            f"not every server answers ({silent}), and one that is silent may belong to an initialised cluster",
            "Start them, or mend the way to them; see docs/operator.md, A server does not answer.",
        )
    for name, state in (await seals(own, seen)).items():
        if state.recovery_seal == (seal == "shamir"):
            raise StopError(
                State.WRONG,
                f"{name} has {'a' if state.recovery_seal else 'no'} seal of the cloud, and the manifest says {seal}",
                f"Its boot did not write /etc/vault.d/seal.hcl as planned: journalctl -b -u platform-boot on {name}",
            )
    return found


async def seals(own: Cluster, seen: dict[str, Reply] | None = None) -> dict[str, _Seal]:
    """What every server that answers says of its seal."""
    replies = await asyncio.gather(*(server.get("/v1/sys/seal-status") for server in own.servers))
    found = {server.name: reply for server, reply in zip(own.servers, replies, strict=True)}
    if seen is not None:
        seen |= found
    return {
        name: reply.read(_Seal) for name, reply in found.items() if isinstance(reply, Answered) and reply.status == 200
    }


async def initialise(own: Cluster, name: str, seal: SealKind, ceremony: Ceremony) -> Initialised | None:
    """Initialise the first server and write the shares; None if another run was quicker.

    Raises:
        StopError: it is unknown whether that happened, or it was refused, or the shares could not be written.
    """
    first, kind = own.servers[0], "recovery" if seal == "cloud" else "secret"
    body: dict[str, object] = {
        f"{kind}_shares": len(ceremony.holders),
        f"{kind}_threshold": ceremony.threshold,
    }
    if ceremony.kind == "pgp":
        keys = "recovery_pgp_keys" if seal == "cloud" else "pgp_keys"
        body[keys] = [holder.key for holder in ceremony.holders]
    reply = await first.ask("PUT", "/v1/sys/init", body)
    if isinstance(reply, Unanswered):
        raise StopError(
            State.UNKNOWN, f"{first.name} was told to initialise and did not answer ({reply.silence})", ANEW
        )
    if reply.status != 200:
        if (await seals(own)).get(first.name, _Seal(initialized=False, sealed=True)).initialized:
            own.journal.note(State.UNCHANGED, "another run has initialised it")
            return None
        raise StopError(State.WRONG, f"{first.name} answers initialisation with {reply.status}", f"{LOGS}: vault")
    said = reply.read(_Init)
    encrypted, plain = (
        (said.recovery_keys_base64, said.recovery_keys) if seal == "cloud" else (said.keys_base64, said.keys)
    )
    try:
        files = ceremony.hand_over(name, encrypted if ceremony.kind == "pgp" else plain)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "other shares came than were asked for"
        raise StopError(
            State.WRONG, f"it is initialised, and its shares could not be written: {reason}", ANEW
        ) from None
    own.journal.note(
        State.DONE, f"initialised; {ceremony.threshold} of {len(files)} shares act", f"Files in {ceremony.folder}"
    )
    return Initialised(said.root_token, () if ceremony.kind == "pgp" else tuple(plain[: ceremony.threshold]))


async def unseal(own: Cluster, initialised: Initialised) -> None:
    """Unseal every server with shares that are in clear here; the first before those that join it.

    Raises:
        StopError: a server stays sealed.
    """
    for server in own.servers:

        async def look(server: Server = server) -> bool | None:
            # One that has not joined yet takes no share.
            state = (await seals(own)).get(server.name)
            if state and state.initialized and state.sealed:
                for share in initialised.shares:
                    await server.ask("PUT", "/v1/sys/unseal", {"key": share})
            return True if state and state.initialized and not state.sealed else None

        if not await own.journal.until(look, f"{server.name} is unsealed"):
            raise StopError(State.UNKNOWN, f"{server.name} stays sealed", f"{LOGS}: vault on {server.name}")
    own.journal.note(State.DONE, "unsealed")


async def unsealed(own: Cluster, seal: SealKind, *, wait: bool) -> None:
    """See that every server is unsealed.

    Raises:
        StopError: one is not.
    """
    seen: dict[str, Reply] = {}
    closed: list[str] = []

    async def look() -> bool | None:
        states = await seals(own, seen)
        open_ones = {name for name, state in states.items() if state.initialized and not state.sealed}
        closed[:] = [server.name for server in own.servers if server.name not in open_ones]
        return None if closed else True

    if await (own.journal.until(look, "every server is unsealed") if wait else look()):
        own.journal.note(State.UNCHANGED, f"all {len(own.servers)} servers are unsealed")
        return
    silent = [name for name in closed if not _good(seen[name])]
    if silent:
        raise StopError(State.UNKNOWN, f"{', '.join(silent)} {why(seen[silent[0]])}", "See A server does not answer.")
    if seal == "cloud":
        raise StopError(State.WRONG, f"{', '.join(closed)} sealed", "See docs/operator.md, A Vault node is sealed.")
    urls = " ".join(server.url for server in own.servers if server.name in closed)
    raise StopError(
        State.HOLDERS,
        f"{', '.join(closed)} sealed, and only the holders of shares can unseal",
        "Each of as many holders as the threshold says opens his own share (gpg --decrypt FILE, or age --decrypt FILE) and "
        f"types it into `vault operator unseal -address=URL` for each of {urls}. Then run the command again.",
    )


async def active(own: Cluster) -> Server:
    """The server that leads.

    Raises:
        StopError: none does.
    """

    async def look() -> Server | None:
        replies = await asyncio.gather(*(server.get("/v1/sys/leader") for server in own.servers))
        for server, reply in zip(own.servers, replies, strict=True):
            if isinstance(reply, Answered) and reply.status == 200 and reply.read(_Leader).is_self:
                return server
        return None

    if found := await own.journal.until(look, "one server leads"):
        return found
    raise StopError(State.UNKNOWN, "no server leads", "See docs/operator.md, No quorum, no leader.")


class _Leader(Snake):
    is_self: bool = False


def _good(reply: Reply) -> bool:
    return isinstance(reply, Answered) and reply.status == 200
