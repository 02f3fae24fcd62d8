"""All clusters of all regions, side by side where they do not need each other.

Owns what waits for what: Vault's clusters for nobody, a secondary's Consul and Nomad for the primary's. One region that
cannot be brought up stops no other.

Dangerous edge: a run without holders may not touch a platform in which a Vault still has to be initialised, so that is looked
at before anything else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TypeVar

from components.plan.manifest import Manifest
from components.plan.spec import Cloud, Product
from runbook.bootstrap import consul, initial, nomad, vault
from runbook.bootstrap.holders import Ceremony
from runbook.bootstrap.servers import Cluster, Server, client, servers
from runbook.bootstrap.steps import Journal, State, Step, StopError
from runbook.connections import trust
from runbook.credentials import Tokens
from runbook.entries import Entries
from runbook.errors import RunbookError

_T = TypeVar("_T")
NEEDED: Mapping[Product, tuple[str, ...]] = {"consul": consul.NEEDED, "vault": vault.NEEDED, "nomad": nomad.NEEDED}
"""Entries of the secret store by product."""


@dataclass(frozen=True)
class Run:
    """What one run is given.

    Attributes:
        ceremony: None where nobody was named to hold shares.
        tokens: root tokens of Vault's clusters, where the operator has one.
        seconds: for which things that are not there yet are waited for.
        dry: look, and change nothing.
        tell: is told what happens as it happens.
    """

    regions: Mapping[Cloud, Manifest]
    entries: Entries
    ceremony: Ceremony | None
    tokens: Tokens
    seconds: float
    dry: bool
    tell: Callable[[str], None] = field(repr=False)

    @property
    def primary(self) -> Cloud:
        """The region from which tokens spread."""
        return next(iter(self.regions.values())).primary


def needed(regions: Mapping[Cloud, Manifest]) -> list[str]:
    """The entries without which these regions cannot be brought up."""
    present = {facts.product for manifest in regions.values() for facts in manifest.clusters}
    return [entry for product, entries in NEEDED.items() if product in present for entry in entries]


async def bootstrap(run: Run) -> list[Step]:
    """Bring everything up; what was done and found, by cluster.

    Raises:
        RunbookError: a Vault must be initialised and nobody was named to hold its shares, or a manifest holds no authority.
    """
    trusted = {cloud: trust(cloud, manifest.ca_certificate) for cloud, manifest in run.regions.items()}
    async with AsyncExitStack() as stack:
        found: dict[tuple[Product, Cloud], Cluster] = {}
        deadline = asyncio.get_running_loop().time() + run.seconds
        for cloud, manifest in run.regions.items():
            calls = await stack.enter_async_context(client(trusted[cloud]))
            for facts in manifest.clusters:
                if facts.product in NEEDED:
                    journal = Journal(facts.name, run.dry, deadline, run.tell)
                    found[facts.product, cloud] = Cluster(cloud, servers(facts, calls), journal)
        vaults: dict[Cloud, Cluster] = {
            cloud: cluster for (product, cloud), cluster in found.items() if product == "vault"
        }
        await _guard(run, vaults)
        await asyncio.gather(
            _consul(run, {cloud: cluster for (product, cloud), cluster in found.items() if product == "consul"}),
            _nomad(run, {cloud: cluster for (product, cloud), cluster in found.items() if product == "nomad"}),
            *(_vault(run, cluster) for cluster in vaults.values()),
        )
        return [step for cluster in found.values() for step in cluster.journal.steps]


async def _guard(run: Run, vaults: Mapping[Cloud, Cluster]) -> None:
    if run.ceremony or run.dry:
        return
    states = await asyncio.gather(*(initial.seals(cluster) for cluster in vaults.values()))
    fresh = [
        cluster.journal.cluster
        for cluster, seen in zip(vaults.values(), states, strict=True)
        if seen and not any(state.initialized for state in seen.values())
    ]
    if fresh:
        raise RunbookError(
            f"{', '.join(fresh)} must be initialised, and nobody is named to hold the shares. A key whose shares lie about "
            "in clear is nobody's. Nothing was touched.",
            "Name every holder's public key by --holder, and a folder by --shares-to.",
        )


async def _vault(run: Run, own: Cluster) -> None:
    given = vault.Given(
        own.journal.cluster, run.regions[own.cloud], run.entries, run.ceremony, run.tokens.of("vault", own.cloud)
    )
    await _noted(own, vault.bring_up(own, given))


async def _consul(run: Run, own: Mapping[Cloud, Cluster]) -> None:
    async def spread(first: Cluster, leader: Server) -> None:
        await asyncio.gather(
            *(_noted(one, consul.arrived(one, first, leader, run.entries)) for one in own.values()),
        )

    await _from_primary(run, own, lambda first: consul.primary(first, run.entries), spread)


async def _nomad(run: Run, own: Mapping[Cloud, Cluster]) -> None:
    async def one(cluster: Cluster, first: Cluster, leader: Server) -> None:
        if cluster is not first:
            await nomad.federated(cluster, first, leader)
        await nomad.arrived(cluster, run.entries)

    async def spread(first: Cluster, leader: Server) -> None:
        await asyncio.gather(*(_noted(cluster, one(cluster, first, leader)) for cluster in own.values()))

    await _from_primary(run, own, lambda first: nomad.authoritative(first, run.entries), spread)


async def _from_primary(
    run: Run,
    own: Mapping[Cloud, Cluster],
    begin: Callable[[Cluster], Awaitable[Server]],
    spread: Callable[[Cluster, Server], Awaitable[None]],
) -> None:
    """First the primary, then all; without the primary the others can only be told what they wait for."""
    first = own.get(run.primary)
    leader = await _noted(first, begin(first)) if first else None
    if first and leader:
        await spread(first, leader)
        return
    for cluster in own.values():
        if cluster is not first:
            cluster.journal.note(
                State.UNKNOWN,
                f"its tokens come from {run.primary}, which {'is not ready' if first else 'has no manifest here'}",
                f"Bring {run.primary} up {'first' if first else 'in the same run'}, then run the command again.",
            )


async def _noted(own: Cluster, work: Awaitable[_T]) -> _T | None:
    """What the work gives; None where it was stopped, which the journal then tells."""
    try:
        return await work
    except StopError as stop:
        own.journal.stopped(stop)
    except ValueError:
        # The error would repeat the answer, and answers hold tokens.
        own.journal.note(
            State.UNKNOWN,
            "a server gave an answer that this program does not understand",
            "Compare its version with the manifest's.",
        )
    return None
