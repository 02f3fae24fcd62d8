from typing import Any

from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, changed, joined, without

_ABOVE = ("hashicorp:clouds:BackupBucket",)
_LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
_MANAGEMENT = "azure-native:storage:ManagementPolicy"
_GOOGLE = "gcp:storage/bucket:Bucket"
_AGENT = "vault:index/raftSnapshotAgentConfig:RaftSnapshotAgentConfig"
_PLAN = "hashicorp:backup:BackupPlan"


def _s3(days: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "bucket": "backups",
        "rules": [
            {
                "id": "keep",
                "status": "Enabled",
                "expiration": {"days": days},
                "noncurrentVersionExpiration": {"noncurrentDays": days},
                "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
            },
            {"id": "tidy", "status": "Enabled", "expiration": {"expiredObjectDeleteMarker": True}},
            {"id": "off", "status": "Disabled"},
        ],
    }


def _azure_rule(name: str, objects: dict[str, Any], *, enabled: bool = True, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    actions = {"baseBlob": objects, **more}
    return {"name": name, "type": "Lifecycle", "enabled": enabled, "definition": {"actions": actions}}


_CREATED = "daysAfterCreationGreaterThan"


def _azure(days: Any) -> dict[str, Any]:  # noqa: ANN401
    rules = [
        _azure_rule(
            "expire",
            {"delete": {_CREATED: days, "daysAfterModificationGreaterThan": days}},
            version={"delete": {_CREATED: days}},
        ),
        _azure_rule("cool", {"tierToCold": {_CREATED: 1}}),
    ]
    return {"resourceGroupName": "rg", "accountName": "backups", "policy": {"rules": rules}}


def _google(days: Any, retention: Any = "2592000") -> dict[str, Any]:  # noqa: ANN401
    return {
        "location": "US",
        "retentionPolicy": {"retentionPeriod": retention},
        "lifecycleRules": [
            {"action": {"type": "SetStorageClass", "storageClass": "COLDLINE"}, "condition": {"withState": "ANY"}},
            {"action": {"type": "Delete"}, "condition": {"age": days}},
            {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}},
        ],
    }


_ABORT = "rules[0].abortIncompleteMultipartUpload.daysAfterInitiation"
_DELETE = "policy.rules[0].definition.actions"
_SOON = (29, "soon")

CASES = (
    Case(
        _LIFECYCLE,
        _s3(30),
        {
            "rules[0].expiration.days": _SOON,
            "rules[0].noncurrentVersionExpiration.noncurrentDays": _SOON,
            _ABORT: (8, ABSENT, "soon"),
            "rules[0].abortIncompleteMultipartUpload": (ABSENT,),
            "rules[0].status": ("Disabled", ABSENT),
            "rules": (ABSENT, []),
        },
        above=_ABOVE,
    ),
    Case(
        _LIFECYCLE,
        {
            "bucket": "backups",
            "rules": [
                {"id": "abort", "status": "Enabled", "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7}},
                {"id": "off", "status": "Disabled", "expiration": {"days": 1}},
            ],
        },
        {"rules[1].status": ("Enabled",)},
        indifferent=("rules[].expiration?.days?",),
        above=_ABOVE,
    ),
    Case(
        _MANAGEMENT,
        {**_azure(30), "policy": {"rules": [_azure_rule("off", {"delete": {_CREATED: 1}}, enabled=False)]}},
        {"policy.rules[0].enabled": (True, ABSENT)},
        indifferent=(f"policy.rules[].definition?.actions?.baseBlob?.delete?.{_CREATED}?",),
        above=_ABOVE,
    ),
    Case(
        _MANAGEMENT,
        _azure(30),
        {
            f"{_DELETE}.baseBlob.delete.daysAfterCreationGreaterThan": _SOON,
            f"{_DELETE}.baseBlob.delete.daysAfterModificationGreaterThan": _SOON,
            f"{_DELETE}.version.delete.daysAfterCreationGreaterThan": _SOON,
        },
        above=_ABOVE,
    ),
    Case(
        _GOOGLE,
        _google(30),
        {
            "lifecycleRules[1].condition.age": (*_SOON, ABSENT),
            "lifecycleRules[1].condition": ({"numNewerVersions": 3},),
            "lifecycleRules[2].condition.age": (8, ABSENT),
            "lifecycleRules[2].action.type": ("SetStorageClass",),
            "lifecycleRules": (ABSENT, []),
            "retentionPolicy.retentionPeriod": ("2592001",),
        },
        above=_ABOVE,
    ),
    Case(
        _GOOGLE,
        _google(30, "1"),
        {"lifecycleRules[1].condition.age": (29,), "retentionPolicy.retentionPeriod": ("2592001",)},
        above=_ABOVE,
    ),
    Case(_GOOGLE, {key: value for key, value in _google(30).items() if key != "retentionPolicy"}, above=_ABOVE),
    *(
        Case(kind, {**props, **more})
        for kind, props, more in (
            (_LIFECYCLE, {"bucket": "logs"}, {}),
            (_MANAGEMENT, {"resourceGroupName": "rg", "accountName": "logs", "policy": {"rules": []}}, {}),
            (_GOOGLE, {"location": "US"}, {}),
        )
    ),
    StackCase(
        ("aws",),
        (
            Held("aws:s3/bucket:Bucket", "bucket", {"bucket": "backups"}, above=_ABOVE),
            Held(
                "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
                "lock",
                {"bucket": "backups", "rule": {"defaultRetention": {"mode": "COMPLIANCE", "days": 400}}},
                {"bucket": ["bucket"]},
                above=_ABOVE,
            ),
            Held(_LIFECYCLE, "lifecycle", _s3(400), {"bucket": ["bucket"]}, above=_ABOVE),
            Held(_LIFECYCLE, "logs", _s3(30), {"bucket": ["bucket"]}),
        ),
        breaks={
            "an expiry under the lock": changed("lifecycle", "rules[0].expiration.days", 399),
            "an expiry of versions under the lock": changed(
                "lifecycle", "rules[0].noncurrentVersionExpiration.noncurrentDays", 399
            ),
            "a longer lock": changed("lock", "rule.defaultRetention.days", 401),
            "a lock of years": changed("lock", "rule.defaultRetention", {"mode": "COMPLIANCE", "years": 2}),
            "a longer plan": joined(Held(_PLAN, "plan", {"spec": {"retentionDays": 401}})),
            "a longer promise": joined(
                Held("hashicorp:clouds:BackupBucket", "promise", {"spec": {"lockDays": 401, "expireDays": 401}})
            ),
        },
        defers={
            "a lock that is not known yet": changed("lock", "rule.defaultRetention.days", UNKNOWN),
            "an expiry that is not known yet": changed("lifecycle", "rules[0].expiration.days", UNKNOWN),
        },
    ),
    StackCase(
        ("aws",),
        (
            Held("aws:s3/bucket:Bucket", "bucket", {"bucket": "backups"}, above=_ABOVE),
            Held(
                "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
                "lock",
                {"bucket": "backups", "rule": {"defaultRetention": {"mode": "COMPLIANCE", "years": 1}}},
                {"bucket": ["bucket"]},
                above=_ABOVE,
            ),
            Held(_LIFECYCLE, "lifecycle", _s3(365), {"bucket": ["bucket"]}, above=_ABOVE),
        ),
        breaks={"a day too few": changed("lifecycle", "rules[0].expiration.days", 364)},
    ),
    StackCase(
        ("aws",),
        (
            Held("aws:s3/bucket:Bucket", "bucket", {"bucket": "backups"}, above=_ABOVE),
            Held(
                "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
                "lock",
                {"bucket": "backups", "rule": {"defaultRetention": {"mode": "COMPLIANCE", "days": 30}}},
                {"bucket": ["bucket"]},
                above=_ABOVE,
            ),
            Held(_LIFECYCLE, "lifecycle", _s3(30), {"bucket": ["bucket"]}, above=_ABOVE),
        ),
        breaks={"a longer lock": changed("lock", "rule.defaultRetention.days", 31)},
    ),
    StackCase(
        ("azure",),
        (
            Held(
                "azure-native:storage:StorageAccount",
                "account",
                {
                    "immutableStorageWithVersioning": {
                        "immutabilityPolicy": {"immutabilityPeriodSinceCreationInDays": 400}
                    }
                },
                above=_ABOVE,
            ),
            Held(_MANAGEMENT, "lifecycle", _azure(400), {"accountName": ["account"]}, above=_ABOVE),
            Held(_MANAGEMENT, "logs", _azure(30), {"accountName": ["account"]}),
        ),
        breaks={
            "an expiry under the lock": changed(
                "lifecycle", f"{_DELETE}.version.delete.daysAfterCreationGreaterThan", 399
            ),
            "a longer lock": changed(
                "account",
                "immutableStorageWithVersioning.immutabilityPolicy.immutabilityPeriodSinceCreationInDays",
                401,
            ),
            "a longer plan": joined(Held(_PLAN, "plan", {"spec": {"retentionDays": 401}})),
        },
        defers={"a lock that is not known yet": changed("account", "immutableStorageWithVersioning", UNKNOWN)},
    ),
    StackCase(
        ("azure",),
        (
            Held("azure-native:storage:StorageAccount", "account", {}, above=_ABOVE),
            Held(_MANAGEMENT, "lifecycle", _azure(30), {"accountName": ["account"]}, above=_ABOVE),
        ),
        breaks={"a longer plan": joined(Held(_PLAN, "plan", {"spec": {"retentionDays": 31}}))},
    ),
    StackCase(
        ("gcp",),
        (
            Held(_GOOGLE, "bucket", _google(400), above=_ABOVE),
            Held(_GOOGLE, "logs", _google(1)),
            Held(_PLAN, "plan", {"spec": {"retentionDays": 400}}),
        ),
        breaks={
            "an expiry under the plan": changed("bucket", "lifecycleRules[1].condition.age", 399),
            "a longer plan": changed("plan", "spec.retentionDays", 401),
        },
        defers={"an expiry that is not known yet": changed("bucket", "lifecycleRules[1].condition.age", UNKNOWN)},
    ),
    StackCase(
        ("component",),
        (
            Held("hashicorp:clouds:BackupBucket", "b", {"spec": {"name": "b", "lockDays": 35, "expireDays": 35}}),
            Held(
                _PLAN,
                "plan",
                {
                    "spec": {
                        "cloud": "aws",
                        "retentionDays": 35,
                        "targets": [{"cloud": "aws", "bucket": "b"}, {"cloud": "gcp", "bucket": "g"}],
                    }
                },
            ),
            # What another plan waits for, this one does not hide.
            Held(_PLAN, "home", {"spec": {"cloud": "aws", "retentionDays": 1, "targets": [{"cloud": "aws"}]}}),
            Held(
                "pulumi:pulumi:Stack",
                "root",
                {"complianceFacts": {"peers": {"gcp": {"buckets": [{"name": "g", "lockDays": 35}]}, "azure": {}}}},
            ),
        ),
        breaks={
            "an expiry under the lock": changed("b", "spec.expireDays", 34),
            "no expiry": changed("b", "spec.expireDays", ABSENT),
            "no lock": changed("b", "spec.lockDays", ABSENT),
            "a lock shorter than the plan": changed("b", "spec.lockDays", 34),
            "a longer plan": changed("plan", "spec.retentionDays", 36),
            "a plan without days": changed("plan", "spec.retentionDays", ABSENT),
            "a peer's shorter lock": changed("root", "complianceFacts.peers.gcp.buckets[0].lockDays", 34),
            "a peer's bucket without a lock": changed("root", "complianceFacts.peers.gcp.buckets[0].lockDays", ABSENT),
            "the shortest plan in a bucket without a lock": lambda stack: changed("plan", "spec.retentionDays", 1)(
                changed("root", "complianceFacts.peers.gcp.buckets[0].lockDays", ABSENT)(stack)
            ),
            "a peer that must have said something": changed(
                "root", "complianceFacts", {"peersRequired": True, "peers": {"gcp": {}}}
            ),
            "a lock that is not known yet": changed("b", "spec.lockDays", UNKNOWN),
            "peers that are not known yet": changed("root", "complianceFacts.peers", UNKNOWN),
        },
        advises={
            "a peer that has said nothing yet": changed("root", "complianceFacts.peers.gcp", {}),
            "no facts": without("root"),
        },
    ),
    StackCase(
        ("vault",),
        (
            Held(_AGENT, "agent", {"intervalSeconds": 3600, "pathPrefix": "/", "storageType": "local", "retain": 840}),
            Held(_PLAN, "plan", {"spec": {"product": "vault", "retentionDays": 35}}),
            Held(_PLAN, "other", {"spec": {"product": "consul", "retentionDays": 36}}),
        ),
        breaks={
            "too few": changed("agent", "retain", 839),
            "too often": changed("agent", "intervalSeconds", 3595),
            "no number": changed("agent", "retain", ABSENT),
            "no interval": changed("agent", "intervalSeconds", ABSENT),
        },
        defers={"a number that is not known yet": changed("agent", "retain", UNKNOWN)},
    ),
    StackCase(
        ("vault",),
        (Held(_AGENT, "agent", {"intervalSeconds": 3600, "pathPrefix": "/", "storageType": "local", "retain": 720}),),
        breaks={"too few": changed("agent", "retain", 719)},
    ),
)
