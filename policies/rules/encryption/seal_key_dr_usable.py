"""A key that opens a cluster answers from outside the cluster's region."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from components.plan.geography import AZURE_PAIRS
from policies.concepts.clusters import BOUNDARY, NOMAD, VAULT
from policies.conditions import LITERAL, TRUE
from policies.context import Context
from policies.resource import Node, Resource, World
from policies.rule import Finding, Rule, about, across, advice, deferred, demand
from policies.values import as_bool

SEAL_KEY = "hashicorp:clouds:SealKey"
_KMS_KEY, _REPLICA = "aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey"
_AZURE_KEY, _AZURE_VAULT = "azure-native:keyvault:Key", "azure-native:keyvault:Vault"
_RING = "gcp:kms/keyRing:KeyRing"
_PURGE = "properties.enablePurgeProtection"
_ONE_REGION = re.compile(r"[a-z]+-[a-z]+\d+")
"""`us-west1`, in contrast to `us`, `global`, `nam4` and `nam-eur-asia1`."""
_REFS: Mapping[str, str] = {VAULT: "seal?.keyRef?", NOMAD: "keyring?.keyRef?", BOUNDARY: "kms[].keyRef"}
"""Where a cluster names the keys that open it."""


def _below(world: World, kind: str) -> Iterator[Resource]:
    """Resources of a kind that are parts of a seal key; keys of disks and of records may die with their region."""
    return (resource for resource in world.of(kind) if resource.below(SEAL_KEY))


def _said(resource: Resource, findings: Iterator[Finding]) -> Iterator[Finding]:
    return (about(resource, finding) for finding in findings)


# What the components say.


def _declared(world: World, _: Context) -> Iterator[Finding]:
    for component, spec in world.specs(SEAL_KEY):
        yield from _said(component, _elsewhere(spec, "of this key"))


def _elsewhere(key: Node, whose: str) -> Iterator[Finding]:
    """Whether a key names a region beside its own."""
    region = key.at("region")
    yield from demand(region, LITERAL)
    regions = list(key.each("usableFrom[]"))
    if any(not node.unknown and node.value != region.value for node in regions):
        return
    unknown = [node for node in regions if node.unknown]
    if unknown:
        yield deferred(unknown[0].path)
    else:
        yield Finding(f"{key.path}.usableFrom", f"must hold a region other than that {whose}")


def _referred(world: World, _: Context) -> Iterator[Finding]:
    """Every key that a cluster names is a seal key of this stack, or of a peer that says where it answers."""
    own = {spec.at("keyRef").value for _, spec in world.specs(SEAL_KEY)}
    for cluster, ref in _refs(world):
        if ref.unknown:
            yield about(cluster, deferred(ref.path))
        elif ref.value not in own:
            yield from _said(cluster, _at_peers(world, ref))


def _refs(world: World) -> Iterator[tuple[Resource, Node]]:
    for token, path in _REFS.items():
        for cluster, spec in world.specs(token):
            for ref in spec.each(path):
                yield cluster, ref


def _at_peers(world: World, ref: Node) -> Iterator[Finding]:
    if (peers := world.facts.at("peers")).unknown:
        yield deferred(peers.path)
        return
    silent: list[str] = []
    for cloud, said in world.peers():
        if said.unknown or said.at("sealKeys").unknown:
            yield deferred(said.path)
            return
        if said.absent:
            silent.append(cloud)
        for key in said.each("sealKeys[]"):
            if key.at("keyRef").value == ref.value:
                yield from _elsewhere(key, "of the peer's key")
                return
    if silent and not as_bool(world.facts.at("peersRequired").value):
        yield advice(ref.path, f"names no seal key of this stack, and there are no facts of {', '.join(silent)} yet")
    else:
        yield Finding(ref.path, "names no seal key of this stack or of a peer")


# What the clouds are asked for.


def _replicated(world: World, _: Context) -> Iterator[Finding]:
    home = {spec.at("region").value for _, spec in world.specs(SEAL_KEY) if spec.at("cloud").value == "aws"}
    for key in _below(world, _KMS_KEY):
        yield from _said(key, demand(key.at("multiRegion"), TRUE))
        regions = [replica.at("region") for replica in world.depending(key, "primaryKeyArn", _REPLICA)]
        if any(region.unknown for region in regions):
            yield about(key, deferred("region"))
        elif all(region.absent or region.value in home for region in regions):
            yield about(key, Finding("", "has no replica in another region"))


def _paired(world: World, _: Context) -> Iterator[Finding]:
    for key in _below(world, _AZURE_KEY):
        vaults = [world.by_urn[urn] for urn in key.dependencies.get("vaultName", ()) if urn in world.by_urn]
        for vault in vaults:
            yield from _said(vault, demand(vault.at(_PURGE), TRUE))
            yield from _copied(world, vault)
        if not vaults:
            yield about(key, Finding("vaultName", "must be a key vault of this stack, so that its copy can be judged"))


def _copied(world: World, vault: Resource) -> Iterator[Finding]:
    location = vault.at("location")
    if location.unknown:
        yield about(vault, deferred(location.path))
        return
    pair = AZURE_PAIRS.get(str(location.value).lower().replace(" ", ""))
    if pair is None:
        yield about(vault, Finding(location.path, "is no region from which Azure copies key vaults"))
        return
    for component, spec in world.specs(SEAL_KEY):
        if spec.at("cloud").value == "azure" and pair not in [node.value for node in spec.each("usableFrom[]")]:
            yield about(component, Finding("spec.usableFrom", f"must hold {pair}, to which Azure copies the key vault"))


def _spread(world: World, _: Context) -> Iterator[Finding]:
    for ring in _below(world, _RING):
        location = ring.at("location")
        if location.unknown:
            yield about(ring, deferred(location.path))
        elif _ONE_REGION.fullmatch(str(location.value)) and not _doubled(world, ring):
            yield about(ring, Finding(location.path, "is a single region, with which the key is lost"))


def _doubled(world: World, ring: Resource) -> bool:
    """Whether the ring is one of two of a key that opens no cluster, such as that of the secret store's copies.

    A cluster opens with one key only: two regional ones would be different keys.
    """
    own = next((spec.at("keyRef").value for key, spec in world.specs(SEAL_KEY) if key.urn == ring.parent), None)
    if own is None or own in {ref.value for _, ref in _refs(world)}:
        return False
    places = {str(other.at("location").value) for other in world.of(_RING) if other.parent == ring.parent}
    return len(places) > 1


_KEY_READS = ("spec.region", "spec.usableFrom[]")
_REF_READS = tuple((token, (f"spec.{path}",)) for token, path in _REFS.items())
RULE = Rule(
    "seal-key-dr-usable",
    (
        across(_declared, (SEAL_KEY, _KEY_READS)),
        across(_referred, (SEAL_KEY, ("spec.keyRef", *_KEY_READS)), *_REF_READS),
        across(
            _replicated,
            (_KMS_KEY, ("multiRegion",)),
            (_REPLICA, ("primaryKeyArn", "region")),
            (SEAL_KEY, ("spec.cloud", "spec.region")),
        ),
        across(
            _paired,
            (_AZURE_VAULT, ("location", _PURGE)),
            (_AZURE_KEY, ("vaultName",)),
            (SEAL_KEY, ("spec.cloud", "spec.usableFrom[]")),
        ),
        across(_spread, (_RING, ("location",)), (SEAL_KEY, ("spec.keyRef",)), *_REF_READS),
    ),
)
