"""Where a command learns what the platform is: manifests from files, or from the stacks' outputs.

Owns reading and refusing. What a manifest means is `components.plan.manifest`'s.

Dangerous edges:
- Two manifests of one region, or regions of two platforms, would make a table that is true of nothing: refused.
- Addresses decide where tokens are sent to, so a server's address must be one; who answers there must show a certificate
  of the manifest's own authority before it sees any token (`health.asking`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import cast

from components.plan.manifest import Manifest
from components.plan.rebuild import RebuildError, read
from components.plan.spec import CLOUDS, Cloud
from runbook.errors import RunbookError
from runbook.stacks import output

_STACK_FILES = {"Pulumi.yaml"}


def from_files(files: Sequence[Path]) -> dict[Cloud, Manifest]:
    """Manifests by cloud.

    Raises:
        RunbookError: a file cannot be read, holds no manifest, or does not go with the others.
    """
    return _together((str(file), _parsed(_content(file), str(file))) for file in files)


def from_stacks(project: Path, stacks: Sequence[str] = ()) -> dict[Cloud, Manifest]:
    """Manifests by cloud, of the named stacks or of all that the project has a file for.

    Raises:
        RunbookError: the engine does not say an output, or what it says is no manifest or does not go with the others.
    """
    names = stacks or sorted(
        file.name.removeprefix("Pulumi.").removesuffix(".yaml")
        for file in project.glob("Pulumi.*.yaml")
        if file.name not in _STACK_FILES
    )
    if not names:
        raise RunbookError(
            f"{project} holds no stack files, so it is unknown which regions there are.",
            "Run the command in the project's folder, or name manifests with --manifest.",
        )
    return _together(zip((f"stack {name}" for name in names), asyncio.run(_said(project, names)), strict=True))


async def _said(project: Path, names: Sequence[str]) -> list[Manifest]:
    return await asyncio.gather(*(_output(project, name) for name in names))


async def _output(project: Path, name: str) -> Manifest:
    text = await output(project, name, "manifest", "name manifests with --manifest; a copy lies beside every backup")
    return _parsed(text, f"stack {name}")


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise RunbookError(
            f"{file} cannot be read: {why}.", "Give the file that `pulumi stack output manifest --json` wrote."
        ) from None


def _parsed(text: str, source: str) -> Manifest:
    try:
        manifest = read(json.loads(text))
    except RebuildError as error:
        raise RunbookError(f"{source}: {error}", "Take a manifest that this version wrote.") from None
    except (ValueError, RecursionError):
        raise RunbookError(
            f"{source} is no JSON, so it is no manifest.", "Write it by `pulumi stack output manifest --json`."
        ) from None
    for server in (server for cluster in manifest.clusters for server in cluster.servers):
        if not _is_address(server.address):
            raise RunbookError(
                f"{source}: {server.name} has no address in the manifest; whoever answers elsewhere is another machine.",
                "Take the manifest from the stack's outputs again.",
            )
    return manifest


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False


def _together(found: Iterable[tuple[str, Manifest]]) -> dict[Cloud, Manifest]:
    regions: dict[Cloud, tuple[str, Manifest]] = {}
    for source, manifest in found:
        for other, known in regions.values():
            if (known.platform, known.environment) != (manifest.platform, manifest.environment):
                raise RunbookError(
                    f"{other} and {source} are of two platforms; one table of both would be true of neither.",
                    "Ask about one platform at a time.",
                )
        if manifest.cloud in regions:
            raise RunbookError(
                f"{regions[manifest.cloud][0]} and {source} are both of {manifest.cloud}; one of them is older.",
                "Give one manifest a region.",
            )
        regions[manifest.cloud] = source, manifest
    return {cloud: regions[cloud][1] for cloud in CLOUDS if cloud in regions}


def clouds_of(manifests: Mapping[Cloud, Manifest]) -> tuple[Cloud, ...]:
    """Every region of the platform as far as the manifests know, the ones without a manifest here too."""
    known: set[str] = set(manifests)
    for manifest in manifests.values():
        known |= set(manifest.peers)
        regions: object = manifest.settings.get("regions")
        if isinstance(regions, dict):
            known |= set(cast("dict[str, object]", regions))
    return tuple(cloud for cloud in CLOUDS if cloud in known)
