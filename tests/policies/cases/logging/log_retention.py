from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case

_GROUP = "aws:cloudwatch/logGroup:LogGroup"
_TABLE = "azure-native:operationalinsights:Table"
_BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
_RELEASE = "kubernetes:helm.sh/v3:Release"
_KEY = "arn:aws:kms:us-west-2:111122223333:key/1"
_DAYS = (364, 1, -1, "a year", 365.5, UNKNOWN)
_PLACE = {"resourceGroupName": "rg", "workspaceName": "platform"}

CASES = (
    Case(
        _GROUP,
        {"name": "/platform/audit", "retentionInDays": 365, "kmsKeyId": _KEY},
        {"retentionInDays": _DAYS, "kmsKeyId": ("", ABSENT)},
        indifferent=("name", "kmsKeyId"),
    ),
    *(
        Case(
            _GROUP,
            {"name": name, "retentionInDays": 0, "kmsKeyId": _KEY},
            {"kmsKeyId": (ABSENT,)},
            indifferent=("name", "kmsKeyId"),
        )
        for name in ("Audit-log", "/aws/cloudtrail/all", "/aws/eks/platform/cluster")
    ),
    Case(_GROUP, {"kmsKeyId": _KEY}, {"kmsKeyId": (ABSENT,)}, indifferent=("kmsKeyId",), name="vault-audit"),
    Case(
        _GROUP,
        {"name": "/aws/rds/instance/boundary/upgrade"},
        {"name": ("/platform/audit", UNKNOWN), "retentionInDays": (30, UNKNOWN)},
    ),
    Case(
        "azure-native:operationalinsights:Workspace",
        {"resourceGroupName": "rg", "retentionInDays": 365},
        {"retentionInDays": (*_DAYS, 0, ABSENT)},
    ),
    *(
        Case(
            _TABLE,
            {**_PLACE, "tableName": name, "totalRetentionInDays": 365, "retentionInDays": 30},
            {"totalRetentionInDays": (364, -1, ABSENT, "a year", UNKNOWN)},
        )
        for name in (
            "AuditLogs",
            "AzureActivity",
            "AzureDiagnostics",
            "SigninLogs",
            "StorageBlobLogs",
            "NTANetAnalytics",
            "Syslog",
        )
    ),
    *(
        Case(_TABLE, {**_PLACE, "tableName": "AuditLogs", **kept}, {"totalRetentionInDays": (30,)})
        for kept in ({"retentionInDays": 365}, {"totalRetentionInDays": -1, "retentionInDays": -1}, {})
    ),
    Case(
        _TABLE,
        {**_PLACE, "tableName": "Perf", "totalRetentionInDays": 30},
        {"tableName": ("AzureActivity", UNKNOWN)},
    ),
    Case(
        _BUCKET,
        {
            "project": "platform",
            "location": "us-west1",
            "bucketId": "audit",
            "retentionDays": 365,
            "locked": True,
            "cmekSettings": {"kmsKeyName": "projects/p/locations/us-west1/keyRings/r/cryptoKeys/audit"},
        },
        {"retentionDays": (*_DAYS, ABSENT)},
        advises={"locked": (False, ABSENT), "cmekSettings": (ABSENT,)},
        indifferent=("cmekSettings.kmsKeyName",),
    ),
    Case(
        _BUCKET,
        {"project": "platform", "location": "global", "bucketId": "_Required"},
        {"bucketId": ("_Default", UNKNOWN)},
    ),
    *(
        Case(
            _RELEASE,
            {
                "chart": chart,
                "values": {"loki": {"auth_enabled": False, "limits_config": {"retention_period": period}}},
            },
            {
                "values": (ABSENT, {}, UNKNOWN),
                "values.loki.limits_config.retention_period": (
                    "8759h",
                    "31535999s",
                    "1s",
                    "364d",
                    "52w",
                    "744h",
                    364,
                    "long",
                    UNKNOWN,
                ),
                "values.loki.limits_config": ({"max_streams": 5},),
                "chart": (UNKNOWN,),
            },
        )
        for chart, period in (
            ("loki", "8760h"),
            ("grafana/loki", "365d"),
            ("oci://ghcr.io/grafana/Loki/", "1y"),
            ("loki", "53w"),
            ("loki", 365),
            ("loki", "0s"),
        )
    ),
    Case(
        _RELEASE,
        {
            "chart": "elastic/elasticsearch",
            "values": {
                "policies": [
                    {"name": "audit", "phases": {"delete": {"min_age": "365d"}}},
                ],
                "audit.retentionDays": 365,
                "debug": {"retention": "7d"},
            },
        },
        {
            "values": (
                {"policies": {"audit": [{"min_age": "30d"}]}, "retention": "365d"},
                {"retention_time": "30d"},
                {"retention": {"delete": 5}},
            )
        },
    ),
    Case(
        _RELEASE, {"chart": "prometheus", "values": {"retention": "15d"}}, {"chart": ("loki",)}, indifferent=("values",)
    ),
)
