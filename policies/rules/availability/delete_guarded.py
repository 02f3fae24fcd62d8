"""What cannot be made again is guarded twice: by Pulumi's `protect` and by its cloud."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.concepts.clusters import CLUSTERS, ROLLOUT, declared, serving
from policies.concepts.guarded import PROTECTED
from policies.concepts.workloads import WORKLOAD_READS, holds_postgresql, voters
from policies.conditions import FALSE, NOT_TRUE, TRUE, at_least, one_of, optional
from policies.context import Context
from policies.resource import Resource, World
from policies.rule import Check, Finding, Rule, about, across, advice, need, on
from policies.values import as_bool

_MOUNT = "vault:index/mount:Mount"
_KEPT_MOUNTS = frozenset({"kv", "kv-v2", "generic", "transit", "pki"})

_AWS_DATABASES = ("aws:rds/instance:Instance", "aws:rds/cluster:Cluster")
_BUCKET = "gcp:storage/bucket:Bucket"
_MACHINE = "gcp:compute/instance:Instance"
_LOCK = "azure-native:authorization:ManagementLockByScope"
_VAULT = "azure-native:keyvault:Vault"
_ACCOUNT = "azure-native:storage:StorageAccount"
_CLASS, _STATEFUL = "kubernetes:storage.k8s.io/v1:StorageClass", "kubernetes:apps/v1:StatefulSet"
_CLAIMED = "spec.volumeClaimTemplates[].spec.storageClassName"
_KEEPING = re.compile(r"raft|consul|vault|nomad|boundary|postgres|database|data\b|\bdb\b", re.IGNORECASE)
"""Names of storage classes for what must not be lost."""
_WEEK = optional(at_least(604800, " seconds"))


def _protected(resource: Resource, _: Context) -> Iterator[Finding]:
    if not resource.options.protect:
        yield Finding("", "must be protected (`protect=True`)")


def _mount(mount: Resource, context: Context) -> Iterator[Finding]:
    if mount.get("type") in _KEPT_MOUNTS:
        yield from _protected(mount, context)


def _class(storage: Resource, _: Context) -> Iterator[Finding]:
    """Whether it keeps volumes; only its name says what they are for, until a workload claims one."""
    if storage.get("reclaimPolicy") == "Retain":
        return
    if any(_KEEPING.search(str(name)) for name in (storage.name, storage.get("metadata.name"))):
        yield _DROPPED
    else:
        yield advice(_DROPPED.path, "should be Retain for what must outlive its claim")


_DROPPED = Finding("reclaimPolicy", "must be Retain")


def _claimed(world: World, _: Context) -> Iterator[Finding]:
    """Classes from which voters and databases claim their volumes."""
    for workload in world.of(_STATEFUL):
        if not voters(workload) and not holds_postgresql(workload):
            continue
        names = [node.value for node in workload.each(_CLAIMED)]
        for storage in world.of(_CLASS):
            known = storage.at("metadata.name")
            named = not known.unknown and known.value in names
            if (named or storage.urn in workload.dependencies.get("spec", ())) and (
                storage.get("reclaimPolicy") != "Retain"
            ):
                yield about(storage, _DROPPED)


def _machines(world: World, _: Context) -> Iterator[Finding]:
    """A rollout lifts the guard of the server that it names: Google deletes no guarded machine."""
    rolled = {name for cluster in declared(world, *CLUSTERS) for name in cluster.rolled}
    for machine in world.of(_MACHINE):
        if serving(machine) and machine.name not in rolled and as_bool(machine.get("deletionProtection")) is not True:
            yield about(machine, Finding("deletionProtection", f"{TRUE.says} on a server that no rollout names"))


def _locked(world: World, _: Context) -> Iterator[Finding]:
    kept = list(world.of(_VAULT, _ACCOUNT))
    if kept and not list(world.of(_LOCK)):
        yield about(kept[0], advice("", "has no management lock (`CanNotDelete`) on its resource group"))


RULE = Rule(
    "delete-guarded",
    (
        Check(PROTECTED, _protected),
        Check((_MOUNT,), _mount, ("type",), unknown="fail"),
        on(("aws:s3/bucket:Bucket", _BUCKET), need("forceDestroy", NOT_TRUE), unknown="fail"),
        # AWS takes the last backups along where nobody says that it must not.
        on(
            _AWS_DATABASES,
            need("deletionProtection", TRUE),
            need("skipFinalSnapshot", NOT_TRUE),
            need("deleteAutomatedBackups", FALSE),
            unknown="fail",
        ),
        on(
            ("aws:eks/cluster:Cluster", "gcp:container/cluster:Cluster"),
            need("deletionProtection", TRUE),
            unknown="fail",
        ),
        on("aws:ec2/instance:Instance", need("disableApiTermination", TRUE), when=serving, unknown="fail"),
        on("aws:lb/loadBalancer:LoadBalancer", need("enableDeletionProtection", TRUE), unknown="fail"),
        on(_LOCK, need("level", one_of("CanNotDelete", "ReadOnly")), unknown="fail"),
        on(_BUCKET, need("softDeletePolicy?.retentionDurationSeconds", _WEEK), unknown="fail"),
        on(
            "gcp:sql/databaseInstance:DatabaseInstance",
            need("deletionProtection", TRUE),
            need("settings.deletionProtectionEnabled", TRUE),
            unknown="fail",
        ),
        Check((_CLASS,), _class, ("reclaimPolicy", "metadata.name"), unknown="fail"),
        on("nomad:index/job:Job", need("purgeOnDestroy", NOT_TRUE), unknown="fail"),
        across(
            _machines,
            (_MACHINE, ("deletionProtection",)),
            *((token, (ROLLOUT,)) for token in CLUSTERS),
            unknown="fail",
        ),
        across(_locked, (_VAULT, ()), (_ACCOUNT, ()), (_LOCK, ())),
        across(
            _claimed,
            (_CLASS, ("reclaimPolicy", "metadata.name")),
            (_STATEFUL, (_CLAIMED, *WORKLOAD_READS)),
            unknown="fail",
        ),
    ),
)
