"""What the other regions' stacks have to say, read once, before anything is registered.

Owns the StackReferences to the peers. A peer that was never updated is no error: a stack alone is always valid, and what
needs the peer joins in the next pass. Only the roots cannot wait: without the primary's certificate authority no machine
of another region could ever boot, so an update is refused then (a preview is not). A peer whose stack was never created
is refused too, because the engine stops at a reference to it.

Dangerous edge: the outputs of a destroyed stack stay as long as something protected is left in it, and with them the
addresses of gateways that are gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pulumi
from pydantic import ValidationError

from components.plan.facts import Problem, report
from components.plan.manifest import Manifest
from components.plan.resilience import shortened
from components.plan.spec import Cloud, Stack

MANIFEST, LINEAGE, FACTS = "manifest", "lineage", "complianceFacts"
"""Names of the stack outputs that regions read of each other."""


@dataclass(frozen=True)
class Standing:
    """What an earlier update of this very stack left behind that the next one must respect."""

    backup: bool = False
    """Whether its buckets stand."""
    lock_days: int = 0
    """For how long backups are locked in compliance mode; 0 where they are not."""
    audit_days: int = 0
    """The same of the audit trail."""
    recovery: bool = False
    """Whether what holds the recovery region's records stands."""


@dataclass(frozen=True)
class Peers:
    """The other regions, as far as they exist."""

    manifests: Mapping[Cloud, Manifest]
    roots: Mapping[str, str] | None
    """Secret values of the primary's lineage; None on the primary itself and while it has never been up."""
    standing: Standing
    """What this stack itself said when it was last updated."""
    facts: Mapping[Cloud, Mapping[str, Any] | None]
    """What each peer last said of itself to the policy pack, as it came; None of one that has said nothing."""


_READ_OUTPUTS = "pulumi:pulumi:readStackOutputs"
"""The engine's own function behind a StackReference."""


def _full_name(stack: str) -> str:
    return f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}"


async def _said(stack: str) -> Mapping[str, Any] | None:
    """All that a stack last said, secrets included; None if it was never created.

    A reference to a stack that was never created ends the update in the engine, which no program can catch; a function
    only fails. A reference also stays in the state as a resource: one to this very stack would always be an update behind.
    """
    try:
        read = await pulumi.runtime.invoke_async(_READ_OUTPUTS, {"name": _full_name(stack)})
    except Exception as error:
        if "unknown stack" in str(error):
            return None
        raise
    return cast("Mapping[str, Any]", read["outputs"])


def _never_created(cloud: Cloud) -> Problem:
    return Problem(
        f"regions.{cloud}",
        f"there is no stack {_full_name(cloud)}.",
        "Every region reads what the others' stacks say of themselves, and the engine stops at a stack that it does not "
        "know. One that is still empty is enough.",
        f"Create it: pulumi stack init {cloud}",
    )


async def _output(reference: pulumi.StackReference, name: str) -> object:
    details = await reference.get_output_details(name)
    return details.value if details.value is not None else details.secret_value


def _manifest(cloud: Cloud, document: object) -> Manifest:
    try:
        return Manifest.model_validate(document)
    except ValidationError as error:
        raise pulumi.RunError(
            f"The manifest of the stack {cloud} cannot be read ({error.error_count()} fields differ from this program's "
            f"schema). It was written by another version of this program, and guessing what it means could break "
            f"federation. Update that stack with this version first: pulumi up -s {cloud}"
        ) from None


def _warn_of_drift(manifests: Mapping[Cloud, Manifest], shared: str) -> None:
    for cloud, manifest in manifests.items():
        if manifest.shared != shared:
            pulumi.log.warn(
                f"The stack {cloud} was last updated with other platform settings than this one has (name, domain, "
                f"regions or cluster sizes). Servers find each other by these, so update it next: pulumi up -s {cloud}"
            )


def _standing(document: object) -> Standing:
    """Read loosely: an older schema must not stop the update that would replace it."""
    own = cast("Mapping[str, Any]", document) if isinstance(document, dict) else {}
    bucket = (own.get("backup") or {}).get("bucket")
    if not bucket:
        return Standing()
    audit = own.get("audit") or {}
    recovery = bool(audit.get("recoveryBucket"))
    if bucket.get("lock") != "compliance":
        return Standing(backup=True, recovery=recovery)
    return Standing(
        backup=True,
        lock_days=int(bucket.get("lockDays", 0)),
        audit_days=int(audit.get("keepDays", 0)),
        recovery=recovery,
    )


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise pulumi.RunError(
            f"The stack {pulumi.get_stack()} cannot be updated as it is configured; nothing was registered.\n\n"
            f"{report(problems)}"
        )


async def read(stack: Stack, shared: str) -> Peers:
    """Read every peer, and what this stack itself last said.

    Args:
        stack: the stack being built.
        shared: this program's fingerprint of the platform's settings (`plan.manifest`).

    Raises:
        pulumi.RunError: a peer without a stack, a lock that would be shortened, an update without the primary's lineage, or
            a manifest of another schema.
    """
    clouds: list[Cloud] = [region.cloud for region in stack.platform.peers(stack.cloud)]
    own, *others = await asyncio.gather(*map(_said, (pulumi.get_stack(), *clouds)))
    standing = _standing((own or {}).get(MANIFEST))
    _refuse(
        [
            *(_never_created(cloud) for cloud, said in zip(clouds, others, strict=True) if said is None),
            *shortened(stack.platform, lock_days=standing.lock_days, audit_days=standing.audit_days),
        ]
    )
    references: dict[Cloud, pulumi.StackReference] = {
        cloud: pulumi.StackReference(_full_name(cloud)) for cloud in clouds
    }
    documents = await asyncio.gather(*(_output(reference, MANIFEST) for reference in references.values()))
    manifests: dict[Cloud, Manifest] = {
        cloud: _manifest(cloud, document) for cloud, document in zip(clouds, documents, strict=True) if document
    }
    _warn_of_drift(manifests, shared)
    facts = await asyncio.gather(*(_output(reference, FACTS) for reference in references.values()))
    return Peers(
        manifests,
        await _roots(stack, references),
        standing,
        {cloud: _facts(document) for cloud, document in zip(clouds, facts, strict=True)},
    )


def _facts(document: object) -> Mapping[str, Any] | None:
    """Read loosely: policies judge what is in it, and another version's facts must not stop an update."""
    return cast("Mapping[str, Any]", document) if isinstance(document, dict) and document else None


async def _roots(stack: Stack, references: Mapping[Cloud, pulumi.StackReference]) -> Mapping[str, str] | None:
    """The primary's lineage; None on the primary itself, and in a preview before the primary's first update."""
    primary = stack.platform.primary
    if stack.is_primary:
        return None
    if roots := cast("Mapping[str, str] | None", await _output(references[primary], LINEAGE)):
        return roots
    if not pulumi.runtime.is_dry_run():
        raise pulumi.RunError(
            f"The primary region ({primary}) has no lineage yet. Its certificate authority and gossip keys are the "
            f"roots of every region; machines made without them could never join. "
            f"Bring the primary up first: pulumi up -s {primary}"
        )
    pulumi.log.warn(f"The primary region ({primary}) is not up yet: this preview shows its roots as unknown.")
    return None
