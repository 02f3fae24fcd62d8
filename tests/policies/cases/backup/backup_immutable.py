from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, changed, independent, without

_ABOVE = ("hashicorp:clouds:BackupBucket",)
_ACCOUNT = {"resourceGroupName": "rg", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
_POLICY = "immutableStorageWithVersioning.immutabilityPolicy"


def _immutable(*, enabled: bool | None) -> dict[str, object]:
    return {} if enabled is None else {"immutableStorageWithVersioning": {"enabled": enabled}}


_LOCKS = (
    Held(
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        "lock",
        {"rule": {"defaultRetention": {"mode": "COMPLIANCE", "days": 30}}},
    ),
    Held("hashicorp:clouds:BackupBucket", "bucket", {"spec": {"lockMode": "compliance"}}),
    Held("azure-native:storage:BlobContainerImmutabilityPolicy", "container", {"state": "Locked"}),
)
_LOOSE = (
    Held(
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        "lock",
        {"rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 30}}},
    ),
    Held("hashicorp:clouds:BackupBucket", "bucket", {"spec": {"lockMode": "governance"}}),
    Held("azure-native:storage:BlobContainerImmutabilityPolicy", "container", {"state": "Unlocked"}),
)

CASES = (
    Case(
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        {
            "bucket": "b",
            "objectLockEnabled": "Enabled",
            "rule": {"defaultRetention": {"mode": "COMPLIANCE", "days": 30}},
        },
        {
            "objectLockEnabled": (ABSENT, "Disabled"),
            "rule.defaultRetention.mode": ("NONE", ABSENT),
            "rule.defaultRetention.days": (29, ABSENT),
            "rule": (ABSENT,),
        },
    ),
    Case(
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        {
            "bucket": "b",
            "objectLockEnabled": "Enabled",
            "rule": {"defaultRetention": {"mode": "GOVERNANCE", "years": 1}},
        },
        {"rule.defaultRetention.years": (0, ABSENT)},
    ),
    Case("aws:s3/bucket:Bucket", {"objectLockEnabled": True}, {"objectLockEnabled": (False, ABSENT)}, above=_ABOVE),
    Case("aws:s3/bucket:Bucket", {"objectLockEnabled": False}, indifferent=("objectLockEnabled",)),
    Case(
        "azure-native:storage:StorageAccount",
        {
            **_ACCOUNT,
            "immutableStorageWithVersioning": {
                "enabled": True,
                "immutabilityPolicy": {"state": "Locked", "immutabilityPeriodSinceCreationInDays": 30},
            },
        },
        {
            "immutableStorageWithVersioning.enabled": (False, ABSENT),
            f"{_POLICY}.immutabilityPeriodSinceCreationInDays": (29, ABSENT),
            "immutableStorageWithVersioning": (ABSENT,),
        },
        advises={f"{_POLICY}.state": ("Unlocked", ABSENT)},
        above=_ABOVE,
    ),
    Case("azure-native:storage:StorageAccount", _ACCOUNT),
    *(
        Case(
            "azure-native:storage:StorageAccount",
            {
                **_ACCOUNT,
                "tags": {"Environment": environment},
                "immutableStorageWithVersioning": {
                    "enabled": True,
                    "immutabilityPolicy": {"state": state, "immutabilityPeriodSinceCreationInDays": 30},
                },
            },
            indifferent=(f"{_POLICY}.state",) if state == "Unlocked" else (),
            advises={"tags.Environment": ("production", "Prod", "", ABSENT)} if state == "Unlocked" else {},
            above=_ABOVE,
        )
        for environment, state in (("dev", "Unlocked"), ("preprod", "Unlocked"), ("production", "Locked"))
    ),
    Case(
        "azure-native:storage:BlobContainerImmutabilityPolicy",
        {
            "resourceGroupName": "rg",
            "accountName": "a",
            "containerName": "c",
            "immutabilityPeriodSinceCreationInDays": 30,
        },
        {"immutabilityPeriodSinceCreationInDays": (29, ABSENT)},
    ),
    Case(
        "gcp:storage/bucket:Bucket",
        {"location": "US", "retentionPolicy": {"retentionPeriod": "2592000", "isLocked": True}},
        {
            "retentionPolicy.retentionPeriod": ("2591999", ABSENT),
            "retentionPolicy.isLocked": (False, ABSENT),
            "retentionPolicy": (ABSENT,),
        },
        above=_ABOVE,
    ),
    Case("gcp:storage/bucket:Bucket", {"location": "US"}),
    Case(
        "gcp:storage/bucket:Bucket",
        {
            "location": "US",
            "labels": {"environment": "dev"},
            "retentionPolicy": {"retentionPeriod": "2592000", "isLocked": False},
        },
        {"labels.environment": ("production", ABSENT), "retentionPolicy.retentionPeriod": ("2591999",)},
        above=_ABOVE,
    ),
    *(
        Case(
            "hashicorp:clouds:BackupBucket",
            {"lockMode": mode, "lockDays": 30},
            {"lockMode": ("unlocked", ABSENT), "lockDays": (29, ABSENT)},
        )
        for mode in ("compliance", "locked", "governance")
    ),
    StackCase(
        ("aws",),
        (
            Held("aws:s3/bucket:Bucket", "backups", above=_ABOVE),
            Held(
                "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
                "lock",
                {},
                {"bucket": ["backups"]},
            ),
            Held("aws:s3/bucket:Bucket", "other"),
        ),
        breaks={"no lock": without("lock"), "a lock of another bucket": independent("lock", "bucket")},
    ),
    *(
        StackCase(
            ("azure",),
            (
                Held("azure-native:storage:StorageAccount", "account", _immutable(enabled=account), above=_ABOVE),
                Held(
                    "azure-native:storage:BlobContainer",
                    "container",
                    {"publicAccess": "None", **_immutable(enabled=container)},
                    {"accountName": ["account"]},
                    above=_ABOVE,
                ),
                Held("azure-native:storage:BlobContainer", "elsewhere"),
            ),
            breaks={"no lock": changed(holder, "immutableStorageWithVersioning.enabled", value=False)},
            defers={"a lock that is not known yet": changed(holder, "immutableStorageWithVersioning", UNKNOWN)},
        )
        for account, container, holder in ((True, None, "account"), (False, True, "container"))
    ),
    StackCase(
        ("aws", "component", "azure"),
        _LOCKS,
        breaks={
            "a lock that administrators lift": changed("lock", "rule.defaultRetention.mode", "GOVERNANCE"),
            "a bucket's lock that they lift": changed("bucket", "spec.lockMode", "governance"),
            "a container's lock that is open": changed("container", "state", "Unlocked"),
            "a container without one": changed("container", "state", ABSENT),
        },
        defers={
            "a mode that is not known yet": changed("lock", "rule.defaultRetention.mode", UNKNOWN),
            "a state that is not known yet": changed("container", "state", UNKNOWN),
        },
    ),
    StackCase(
        ("aws", "component", "azure"),
        (*_LOOSE, Held("hashicorp:compliance:Facts", "facts", {"spec": {"environment": "staging"}})),
        breaks={
            "production": changed("facts", "spec.environment", "production"),
            "nobody knows what": changed("facts", "spec.environment", ABSENT),
            "nobody knows yet": changed("facts", "spec.environment", UNKNOWN),
            "no facts": without("facts"),
        },
    ),
)
