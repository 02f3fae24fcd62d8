from policies.values import ABSENT
from tests.policies.case import Case, Held, StackCase, independent, without

_FLAG = (False, ABSENT)
_ABOVE = ("hashicorp:clouds:BackupBucket",)

CASES = (
    Case(
        "aws:s3/bucketVersioning:BucketVersioning",
        {"bucket": "b", "versioningConfiguration": {"status": "Enabled"}},
        {"versioningConfiguration.status": ("Suspended", "Disabled", ABSENT)},
    ),
    Case("aws:s3/bucket:Bucket", {"versioning": {"enabled": True}}, {"versioning.enabled": (False,)}),
    Case("aws:s3/bucket:Bucket", {}, {"versioning": ({"enabled": False},)}),
    Case(
        "azure-native:storage:BlobServiceProperties",
        {
            "resourceGroupName": "rg",
            "accountName": "a",
            "isVersioningEnabled": True,
            "deleteRetentionPolicy": {"enabled": True, "days": 30},
            "containerDeleteRetentionPolicy": {"enabled": True, "days": 30},
            "changeFeed": {"enabled": True},
        },
        {
            "isVersioningEnabled": _FLAG,
            "deleteRetentionPolicy.enabled": _FLAG,
            "deleteRetentionPolicy.days": (29, ABSENT),
            "containerDeleteRetentionPolicy.enabled": _FLAG,
            "changeFeed.enabled": _FLAG,
        },
    ),
    Case(
        "gcp:storage/bucket:Bucket",
        {"location": "US", "versioning": {"enabled": True}},
        {"versioning.enabled": _FLAG},
        above=_ABOVE,
    ),
    Case(
        "gcp:storage/bucket:Bucket",
        {"location": "US", "retentionPolicy": {"retentionPeriod": "1"}},
        {"retentionPolicy": (ABSENT,), "retentionPolicy.retentionPeriod": ("0", "soon", ABSENT)},
        above=_ABOVE,
    ),
    Case("gcp:storage/bucket:Bucket", {"location": "US"}),
    Case("hashicorp:clouds:BackupBucket", {"versioned": True}, {"versioned": _FLAG}),
    StackCase(
        ("aws",),
        (
            Held("aws:s3/bucket:Bucket", "backups", above=_ABOVE),
            Held("aws:s3/bucketVersioning:BucketVersioning", "versions", {}, {"bucket": ["backups"]}),
            Held("aws:s3/bucket:Bucket", "other"),
        ),
        breaks={
            "no versioning": without("versions"),
            "versioning of another bucket": independent("versions", "bucket"),
        },
    ),
    StackCase(
        ("azure",),
        (
            Held("azure-native:storage:StorageAccount", "backups", above=_ABOVE),
            Held("azure-native:storage:BlobServiceProperties", "versions", {}, {"accountName": ["backups"]}),
            Held("azure-native:storage:StorageAccount", "other"),
        ),
        breaks={
            "no versioning": without("versions"),
            "versioning of another account": independent("versions", "accountName"),
        },
    ),
)
