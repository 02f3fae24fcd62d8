"""Backup buckets and plans: which resources belong to a bucket of backups, and what a restore of each product needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from policies.concepts.apart import apart
from policies.concepts.facts import unheard
from policies.resource import Node, Resource, World
from policies.rule import Finding

BUCKET = "hashicorp:clouds:BackupBucket"
PLAN = "hashicorp:backup:BackupPlan"
DAYS = 30
"""Shortest lock of a backup, in days."""

S3_BUCKET = "aws:s3/bucket:Bucket"
S3_LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
ACCOUNT = "azure-native:storage:StorageAccount"
CONTAINER = "azure-native:storage:BlobContainer"
GCS_BUCKET = "gcp:storage/bucket:Bucket"

MANIFEST = "platform"
"""The product of the plan that saves the region's manifest."""
CONTENTS: Mapping[str, frozenset[str]] = {
    "consul": frozenset({"raft-snapshot"}),
    "vault": frozenset({"raft-snapshot"}),
    "nomad": frozenset({"raft-snapshot", "keyring"}),
    "boundary": frozenset({"database-dump"}),
    MANIFEST: frozenset({"manifest"}),
}
"""What a plan saves of each product. Keys, certificates and versions are in the manifest, which is a plan of its own."""


def of_backups(resource: Resource) -> bool:
    """Whether the resource belongs to a bucket that holds backups."""
    return resource.below(BUCKET) is not None


def held(world: World, kind: str) -> Iterator[Resource]:
    """Resources of a kind that belong to buckets of backups."""
    return filter(of_backups, world.of(kind))


def sources(world: World, resource: Resource, prop: str, *kinds: str) -> Iterator[Resource]:
    """The resources of some types from which a property comes."""
    for urn in dict.fromkeys(resource.dependencies.get(prop, ())):
        found = world.by_urn.get(urn)
        if found is not None and found.kind in kinds:
            yield found


def each_plan(world: World, judge: Callable[[Node], Iterable[Finding]], so: str) -> Iterator[Finding]:
    """What is to be said of each plan, and of the other clouds with copies that have said nothing of themselves.

    Args:
        so: what cannot be judged for want of their words.

    Raises:
        Undecided: what the peers say is not known yet.
    """
    abroad: list[str] = []
    for plan, spec in world.specs(PLAN):
        yield from apart(plan, judge(spec))
        clouds = {cloud.value for cloud in spec.each("targets[].cloud")} - {spec.at("cloud").value}
        abroad += sorted(cloud for cloud in clouds if isinstance(cloud, str))
    yield from unheard(world, abroad, so)
