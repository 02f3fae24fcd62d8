"""Rebuilding a region that no longer answers, from what the others kept.

Owns two things. `blueprint` is the whole plan of a region as one text, so that two sources of it can be compared byte for
byte. `stack_of` makes the plan's input again from the manifests of the regions that are left, and `last_word` what the
lost region last said of itself: ids of keys, buckets, entries and machines, which no plan can know.

Does not act and asks no cloud. The order of a recovery is the runbook's.

Dangerous edges:
- A memory is as old as the last update of the region that keeps it. Memories that differ are refused and never mixed: a
  region that is built from two of them is neither.
- Fixed by the manifest are the region's plan, account and image. What an update may replace (`rollout`) and whether guards
  stand (`deletion`) belong to an update and not to a region; a rebuilt one starts without the first and with the second.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from . import addressing, backup, certificates, flows, mesh, naming, records, secrets, sizing, versions
from .manifest import SCHEMA, Manifest, fingerprint, platform_of, sets, settings_of
from .spec import PRODUCTS, ROLES, SERVER_ROLE, Cloud, Product, Region, Stack

_Kept = TypeVar("_Kept")


class RebuildError(ValueError):
    """The manifests at hand do not say which region is to be built. What, why, how."""


def read(document: object) -> Manifest:
    """A manifest as it was found beside backups or in a stack's outputs.

    Raises:
        RebuildError: it is none that this program knows.
    """
    found = cast("Mapping[str, Any]", document).get("schemaVersion") if isinstance(document, dict) else None
    try:
        return Manifest.model_validate(document)
    except ValidationError as error:
        raise RebuildError(
            f"The manifest cannot be read: its schema is {found!r}, this program reads {SCHEMA}, and {error.error_count()} "
            f"fields differ. Guessing what it means could build another region than the one that was lost. Use the version "
            f"of this program that wrote it."
        ) from None


def stack_of(cloud: Cloud, manifests: Mapping[Cloud, Manifest]) -> Stack:
    """The stack of a lost region.

    Args:
        cloud: the lost region.
        manifests: of the other regions, as many as can be had; one is enough.

    Raises:
        RebuildError: no manifest remembers the region, or they disagree about it.
    """
    memories = _memories(cloud, manifests)
    _one("platform's settings", {by: manifest.shared for by, manifest in manifests.items() if by != cloud})
    settings = _one(f"settings of {cloud}", {by: memory.settings for by, memory in memories.items()})
    own = _one(f"account and image of {cloud}", {by: memory.stack for by, memory in memories.items()})
    if not settings or own is None:
        raise RebuildError(
            f"What {', '.join(memories)} remember of {cloud} was written before manifests held the configuration. "
            f"A region cannot be planned without it. Build {cloud} from the files that configured it."
        )
    try:
        platform = platform_of(settings)
    except ValueError:
        raise RebuildError(
            f"The settings of {cloud} that {', '.join(memories)} remember are of another version of this program. A region "
            f"planned by half of them would be another one. Use the version that wrote them."
        ) from None
    _one(
        "platform's settings",
        {"the settings themselves": fingerprint(platform), **{by: memory.shared for by, memory in memories.items()}},
    )
    return Stack(platform, cloud, own.account, own.image, rollout=())


def last_word(cloud: Cloud, manifests: Mapping[Cloud, Manifest]) -> Manifest:
    """What a lost region last said of itself, as the others keep it.

    Raises:
        RebuildError: no manifest remembers the region, or they remember different things.
    """
    memories = _memories(cloud, manifests)
    # Each keeps only its own ways into the region's bucket.
    writers = {
        by: roles for memory in memories.values() if memory.backup for by, roles in memory.backup.writers.items()
    }

    def whole(memory: Manifest) -> Manifest:
        return memory.model_copy(
            update={"backup": memory.backup and memory.backup.model_copy(update={"writers": writers})}
        )

    return _one(f"last word of {cloud}", {by: whole(memory) for by, memory in memories.items()})


def _memories(cloud: Cloud, manifests: Mapping[Cloud, Manifest]) -> dict[Cloud, Manifest]:
    """By region that keeps it: the lost region's manifest."""
    memories: dict[Cloud, Manifest] = {
        by: manifest.peers[cloud] for by, manifest in manifests.items() if by != cloud and cloud in manifest.peers
    }
    if not memories:
        given = ", ".join(by for by in manifests if by != cloud) or "none"
        raise RebuildError(
            f"No manifest remembers {cloud} (given: {given}). Its configuration and the ids of its keys and backups are "
            f"nowhere else. Take a later manifest of another region, or the one beside the backups of {cloud}."
        )
    return memories


def _one(what: str, said: Mapping[Any, _Kept]) -> _Kept:
    """The value that all agree on."""
    values = list(said.values())
    if all(value == values[0] for value in values):
        return values[0]
    raise RebuildError(
        f"The manifests disagree about the {what}: {', '.join(map(str, said))} differ. A region that is built from two "
        f"states is neither. Give only the manifest of the region that was updated last."
    )


def blueprint(stack: Stack) -> str:
    """The whole plan of a region; equal plans give equal text."""
    plan = {
        "cloud": stack.cloud,
        "account": stack.account,
        "image": stack.image,
        "settings": settings_of(stack.platform),
        "subnets": _subnets(stack.region),
        "servers": _servers(stack),
        "clients": {**asdict(stack.platform.clients), "size": _size(stack, "nomad-client")},
        "frontEnds": {product: _front_end(stack.region, product) for product in flows.BALANCERS},
        "records": [asdict(record) for record in records.records(stack.platform)],
        "certificates": {
            role: asdict(certificates.subject(stack.platform, stack.cloud, role)) for role in secrets.CERTIFIED
        },
        "flows": _flows(),
        "names": _names(stack),
        "readers": {entry: spec.readers for entry, spec in secrets.ENTRIES.items()},
        "mesh": _mesh(stack),
        "backup": _backup(stack),
        "archives": _archives(stack),
    }
    return json.dumps(plan, indent=2, sort_keys=True) + "\n"


def key_purposes(stack: Stack) -> tuple[str, ...]:
    """The keys that a region has, by purpose."""
    primary = ("boundary-worker-auth", "database") if stack.is_primary else ()
    seal = ("vault-seal",) if stack.platform.seal == "cloud" else ()
    return (*seal, "nomad-keyring", *primary, "disk", "secrets", "backup", "audit")


def _subnets(region: Region) -> dict[str, Any]:
    zoned: dict[str, Callable[[Region, int], str]] = {
        "servers": addressing.server_subnet,
        "clients": addressing.client_subnet,
        "egress": addressing.egress_subnet,
    }
    return {
        **{name: [subnet(region, zone) for zone in range(addressing.ZONES)] for name, subnet in zoned.items()},
        **addressing.edge_subnets(region),
    }


def _size(stack: Stack, role: Any) -> dict[str, Any]:  # noqa: ANN401
    return asdict(sizing.machine(stack.platform.profile, stack.cloud, role))


def _servers(stack: Stack) -> list[dict[str, Any]]:
    return [
        {
            "name": server.name,
            "product": product,
            "zone": stack.region.zones[server.zone],
            "address": server.address,
            "size": _size(stack, SERVER_ROLE[product]),
        }
        for product in PRODUCTS
        for server in addressing.servers(stack.platform, stack.cloud, product)
    ]


def _front_end(region: Region, product: Product) -> dict[str, Any]:
    return {"addresses": addressing.front_ends(region, product), **asdict(flows.BALANCERS[product])}


def _flows() -> list[dict[str, Any]]:
    """By port: what is let in."""
    return [asdict(flow) for flow in sorted(flows.FLOWS, key=lambda flow: (flow.port.first, flow.name))]


def _names(stack: Stack) -> dict[str, Any]:
    names = naming.Names(stack.platform, stack.cloud)
    found: dict[str, Any] = {
        "identities": {role: names.identity(role) for role in ROLES},
        "restorer": names.thing(backup.RESTORER),
        "keys": {purpose: names.thing(purpose) for purpose in key_purposes(stack)},
        "secrets": {entry: names.secret(entry) for entry in secrets.ENTRIES},
    }
    # Names that are the world's hold the account, which a configuration may leave to the credentials.
    if stack.account:
        named = names.storage_account if stack.cloud == "azure" else names.bucket
        found["buckets"] = {purpose: named(purpose, stack.account) for purpose in naming.BUCKETS}
    return found


def _mesh(stack: Stack) -> dict[str, Any]:
    return {
        "transforms": {
            "ike": mesh.IKE_VERSION,
            "cipherBits": mesh.CIPHER_BITS,
            "hashBits": mesh.HASH_BITS,
            "group": mesh.DH_GROUP,
            "ikeLifetime": mesh.IKE_LIFETIME_SECONDS,
            "childLifetime": mesh.CHILD_LIFETIME_SECONDS,
            "deadPeer": mesh.DPD_SECONDS,
        },
        "pairs": [
            {**asdict(pair), "name": pair.name, "keys": [tunnel.key for tunnel in pair.tunnels]}
            for pair in mesh.pairs_of(stack.platform, stack.cloud)
        ],
    }


def _backup(stack: Stack) -> dict[str, Any]:
    return {
        "sets": [saved.model_dump(mode="json", by_alias=True) for saved in sets(stack)],
        "timers": {saved.saved: backup.calendar(saved.interval_minutes) for saved in sets(stack)},
        "prefixes": {role: backup.prefixes(role, stack.cloud) for role in backup.WRITING_ROLES},
        "retention": asdict(backup.retention(stack.platform.backup)),
        "audit": asdict(backup.audit_retention(stack.platform.audit_days)),
    }


def _archives(stack: Stack) -> Sequence[dict[str, Any]]:
    platform = stack.platform
    suffix = versions.EDITION_SUFFIX[platform.edition]
    return [
        asdict(versions.archive(artefact, platform.versions, platform.artifacts, suffix))
        for artefact in versions.ARTIFACTS
    ]
