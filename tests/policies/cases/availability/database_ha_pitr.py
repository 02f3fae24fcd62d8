from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, changed, independent, joined, without

_FLAG = (False, "false", ABSENT, UNKNOWN)
_DAYS = (13, 0, "two weeks", ABSENT, UNKNOWN)
_MEMBER = "aws:rds/clusterInstance:ClusterInstance"
_STATEFUL = "kubernetes:apps/v1:StatefulSet"
_GOOGLE = {
    "enabled": True,
    "pointInTimeRecoveryEnabled": True,
    "transactionLogRetentionDays": 7,
    "backupRetentionSettings": {"retainedBackups": 14},
}
_IN = "settings.backupConfiguration"


def _pods(image: str, **spec: object) -> Held:
    return Held(_STATEFUL, "db", {"spec": {**spec, "template": {"spec": {"containers": [{"image": image}]}}}})


_PLAN = Held("hashicorp:backup:BackupPlan", "plan", {"spec": {"product": "boundary"}})
_OTHER_PLAN = Held("hashicorp:backup:BackupPlan", "vault", {"spec": {"product": "vault"}})

CASES = (
    Case(
        "aws:rds/instance:Instance",
        {"instanceClass": "db.m6i.large", "multiAz": True, "backupRetentionPeriod": 14},
        {"multiAz": _FLAG, "backupRetentionPeriod": _DAYS},
    ),
    Case(
        "aws:rds/cluster:Cluster",
        {"engine": "aurora-postgresql", "backupRetentionPeriod": 14},
        {"backupRetentionPeriod": _DAYS},
    ),
    Case(
        "azure-native:dbforpostgresql:Server",
        {
            "resourceGroupName": "rg",
            "highAvailability": {"mode": "ZoneRedundant"},
            "backup": {"backupRetentionDays": 14, "geoRedundantBackup": "Enabled"},
        },
        {
            "highAvailability.mode": ("SameZone", "Disabled", ABSENT, UNKNOWN),
            "backup.backupRetentionDays": _DAYS,
            "backup.geoRedundantBackup": ("Disabled", ABSENT, UNKNOWN),
        },
    ),
    Case(
        "gcp:sql/databaseInstance:DatabaseInstance",
        {
            "databaseVersion": "POSTGRES_16",
            "settings": {"tier": "t", "availabilityType": "REGIONAL", "backupConfiguration": _GOOGLE},
        },
        {
            "settings.availabilityType": ("ZONAL", ABSENT, UNKNOWN),
            f"{_IN}.enabled": _FLAG,
            f"{_IN}.pointInTimeRecoveryEnabled": _FLAG,
            f"{_IN}.transactionLogRetentionDays": (6, ABSENT, UNKNOWN),
            f"{_IN}.backupRetentionSettings.retainedBackups": _DAYS,
        },
    ),
    StackCase(
        ("aws",),
        (
            Held("aws:rds/cluster:Cluster", "cluster", {"engine": "aurora-postgresql"}),
            *(Held(_MEMBER, f"member-{n}", {}, {"clusterIdentifier": ["cluster"]}) for n in (0, 1)),
        ),
        breaks={
            "one instance": without("member-1"),
            "an instance of another cluster": independent("member-1", "clusterIdentifier"),
            "a second cluster": joined(Held("aws:rds/cluster:Cluster", "bare")),
        },
    ),
    StackCase(
        ("aws",),
        (
            Held(
                "aws:rds/cluster:Cluster", "cluster", {"engine": "postgres", "dbClusterInstanceClass": "db.m6gd.large"}
            ),
        ),
        breaks={
            "without instances of its own": changed("cluster", "dbClusterInstanceClass", ABSENT),
            "not known": changed("cluster", "dbClusterInstanceClass", UNKNOWN),
            "a second cluster": joined(Held("aws:rds/cluster:Cluster", "bare")),
        },
    ),
    *(
        StackCase(
            ("kubernetes",),
            (_pods(image, replicas=1), _PLAN, _OTHER_PLAN),
            breaks={
                "no plan": without("plan"),
                "a plan of another product": changed("plan", "spec.product", "vault"),
                "an image that is not known": lambda stack: [
                    changed("db", "spec.template.spec.containers[0].image", UNKNOWN)(stack)[0]
                ],
                "a product that is not known": changed("plan", "spec.product", UNKNOWN),
            },
        )
        for image in ("docker.io/postgres:16", "bitnami/postgresql-repmgr", "timescale/timescaledb-ha@sha256:00")
    ),
    StackCase(
        ("kubernetes",),
        (_pods("postgis/postgis", replicas=2),),
        breaks={
            "one": changed("db", "spec.replicas", 1),
            "no replicas said": changed("db", "spec.replicas", ABSENT),
            "not known": changed("db", "spec.replicas", UNKNOWN),
        },
    ),
    StackCase(("kubernetes",), (_pods("quay.io/prometheuscommunity/postgres-exporter", replicas=1),)),
)
