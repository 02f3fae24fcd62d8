"""Boundary's database stands in two zones and can be brought back to any second of two weeks."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.workloads import WORKLOAD_READS, holds_postgresql
from policies.conditions import TRUE, at_least, one_of
from policies.context import Context
from policies.resource import World
from policies.rule import Finding, Rule, about, across, need, on
from policies.values import ABSENT, as_int

_CLUSTER = "aws:rds/cluster:Cluster"
_MEMBER = "aws:rds/clusterInstance:ClusterInstance"
_STATEFUL = "kubernetes:apps/v1:StatefulSet"
_PLAN = "hashicorp:backup:BackupPlan"
_INSTANCES = 2
_FORTNIGHT = at_least(14, " days")
_LOGS = at_least(7, " days")
_COPIES = at_least(14)
_BACKUPS = "settings.backupConfiguration"


def _every_cluster(world: World, _: Context) -> Iterator[Finding]:
    for cluster in world.of(_CLUSTER):
        # A class of instances makes a cluster of three by itself.
        if cluster.get("dbClusterInstanceClass") is not ABSENT:
            continue
        if len(list(world.depending(cluster, "clusterIdentifier", _MEMBER))) < _INSTANCES:
            yield about(cluster, Finding("", f"must have at least {_INSTANCES} instances"))


def _every_pod(world: World, _: Context) -> Iterator[Finding]:
    covered = any(spec.get("product") == "boundary" for _, spec in world.specs(_PLAN))
    for workload in world.of(_STATEFUL):
        alone = (as_int(workload.get("spec.replicas")) or 1) < _INSTANCES
        if alone and not covered and holds_postgresql(workload):
            yield about(workload, Finding("spec.replicas", "is one PostgreSQL without a backup plan of Boundary"))


RULE = Rule(
    "database-ha-pitr",
    (
        on(
            "aws:rds/instance:Instance",
            need("multiAz", TRUE),
            need("backupRetentionPeriod", _FORTNIGHT),
            unknown="fail",
        ),
        on(_CLUSTER, need("backupRetentionPeriod", _FORTNIGHT), unknown="fail"),
        on(
            "azure-native:dbforpostgresql:Server",
            need("highAvailability.mode", one_of("ZoneRedundant")),
            need("backup.backupRetentionDays", _FORTNIGHT),
            need("backup.geoRedundantBackup", one_of("Enabled")),
            unknown="fail",
        ),
        on(
            "gcp:sql/databaseInstance:DatabaseInstance",
            need("settings.availabilityType", one_of("REGIONAL")),
            need(f"{_BACKUPS}.enabled", TRUE),
            need(f"{_BACKUPS}.pointInTimeRecoveryEnabled", TRUE),
            need(f"{_BACKUPS}.transactionLogRetentionDays", _LOGS),
            need(f"{_BACKUPS}.backupRetentionSettings.retainedBackups", _COPIES),
            unknown="fail",
        ),
        across(
            _every_cluster,
            (_CLUSTER, ("dbClusterInstanceClass",)),
            (_MEMBER, ("clusterIdentifier",)),
            unknown="fail",
        ),
        across(
            _every_pod,
            (_STATEFUL, ("spec.replicas", WORKLOAD_READS[0])),
            (_PLAN, ("spec.product",)),
            unknown="fail",
        ),
    ),
)
