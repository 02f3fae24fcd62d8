"""What the other regions' stacks have to say, read once, before anything is registered.

Owns the StackReferences. A peer that was never updated is no error: a stack alone is always valid, and what
needs the peer joins in the next pass. Only the roots cannot wait: without the primary's certificate authority
no machine of another region could ever boot, so an update is refused then (a preview is not).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import pulumi
from pydantic import ValidationError

from components.plan.manifest import Manifest
from components.plan.spec import Cloud, Stack

MANIFEST, LINEAGE = "manifest", "lineage"
"""Names of the stack outputs that regions read of each other."""


@dataclass(frozen=True)
class Standing:
    """What an earlier update of this very stack left behind that the next one must respect."""

    backup: bool = False
    """Whether its buckets stand."""
    lock_days: int = 0
    """For how long they are locked in compliance mode; 0 where nothing is."""


@dataclass(frozen=True)
class Peers:
    """The other regions, as far as they exist."""

    manifests: Mapping[Cloud, Manifest]
    roots: Mapping[str, str] | None
    """Secret values of the primary's lineage; None on the primary itself and while it has never been up."""
    standing: Standing
    """What this stack itself said when it was last updated."""


def _stack_name(cloud: Cloud) -> str:
    return f"{pulumi.get_organization()}/{pulumi.get_project()}/{cloud}"


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
    backup = cast("Mapping[str, Any]", document).get("backup") if isinstance(document, dict) else None
    if not backup:
        return Standing()
    bucket = backup["bucket"]
    return Standing(backup=True, lock_days=int(bucket["lockDays"]) if bucket["lock"] == "compliance" else 0)


async def read(stack: Stack, shared: str) -> Peers:
    """Read every peer, and what this stack itself last said.

    Args:
        stack: the stack being built.
        shared: this program's fingerprint of the platform's settings (`plan.manifest`).

    Raises:
        pulumi.RunError: an update without the primary's lineage, or a manifest of another schema.
    """
    own = pulumi.StackReference(_stack_name(stack.cloud))
    standing = _standing(await _output(own, MANIFEST))
    manifests: dict[Cloud, Manifest] = {}
    roots: Mapping[str, str] | None = None
    for region in stack.platform.peers(stack.cloud):
        reference = pulumi.StackReference(_stack_name(region.cloud))
        if document := await _output(reference, MANIFEST):
            manifests[region.cloud] = _manifest(region.cloud, document)
        if region.cloud == stack.platform.primary:
            roots = cast("Mapping[str, str] | None", await _output(reference, LINEAGE))
    _warn_of_drift(manifests, shared)
    primary = stack.platform.primary
    if roots is None and not stack.is_primary:
        if not pulumi.runtime.is_dry_run():
            raise pulumi.RunError(
                f"The primary region ({primary}) has no lineage yet. Its certificate authority and gossip keys are the "
                f"roots of every region; machines made without them could never join. "
                f"Bring the primary up first: pulumi up -s {primary}"
            )
        pulumi.log.warn(f"The primary region ({primary}) is not up yet: this preview shows its roots as unknown.")
    return Peers(manifests, roots, standing)
