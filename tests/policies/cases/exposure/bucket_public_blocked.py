from typing import Any

from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, independent, without

_FLAGS: tuple[str, ...] = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_ON: dict[str, Any] = dict.fromkeys(_FLAGS, True)
_OFF: dict[str, Any] = dict.fromkeys(_FLAGS, (False, ABSENT, UNKNOWN))
_ACCOUNT = {
    "resourceGroupName": "rg",
    "kind": "StorageV2",
    "sku": {"name": "Standard_LRS"},
    "allowBlobPublicAccess": False,
}
_GRANT = [{"type": "Group", "uri": "http://acs.amazonaws.com/groups/global/AllUsers", "permissions": ["READ"]}]
_EVERYBODY = ("allUsers", "allAuthenticatedUsers")
_WRITER = "serviceAccount:writer@project.iam.gserviceaccount.com"

CASES = (
    Case("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", {"bucket": "backups", **_ON}, _OFF),
    Case("aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", _ON, _OFF),
    Case(
        "aws:s3/bucket:Bucket",
        {"bucket": "backups", "acl": "private"},
        {"acl": ("public-read", "public-read-write", "authenticated-read"), "grants": (_GRANT, UNKNOWN)},
    ),
    Case("aws:s3/bucket:Bucket", {"bucket": "backups", "grants": []}, {"grants": (_GRANT,)}),
    Case("aws:s3/bucketV2:BucketV2", {"bucket": "backups"}, {"acl": ("public-read", UNKNOWN), "grants": (_GRANT,)}),
    Case(
        "azure-native:storage:StorageAccount",
        {**_ACCOUNT, "publicNetworkAccess": "Enabled", "networkRuleSet": {"defaultAction": "Deny"}},
        {
            "allowBlobPublicAccess": (True, ABSENT, UNKNOWN),
            "publicNetworkAccess": (ABSENT, "SecuredByPerimeter", UNKNOWN),
            "networkRuleSet.defaultAction": ("Allow",),
            "networkRuleSet": (ABSENT,),
        },
    ),
    Case(
        "azure-native:storage:StorageAccount",
        {**_ACCOUNT, "publicNetworkAccess": "Disabled"},
        {"publicNetworkAccess": ("Enabled", ABSENT)},
    ),
    Case(
        "azure-native:storage:BlobContainer",
        {"resourceGroupName": "rg", "accountName": "backups", "publicAccess": "None"},
        {"publicAccess": ("Blob", "Container", UNKNOWN)},
    ),
    Case("azure-native:storage:BlobContainer", {"resourceGroupName": "rg", "accountName": "backups"}),
    Case(
        "gcp:storage/bucket:Bucket",
        {"location": "US", "publicAccessPrevention": "enforced", "uniformBucketLevelAccess": True},
        {"publicAccessPrevention": ("inherited", ABSENT, UNKNOWN), "uniformBucketLevelAccess": (False, ABSENT)},
    ),
    Case(
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        {"bucket": "backups", "role": "roles/storage.objectCreator", "member": _WRITER},
        {"member": _EVERYBODY},
    ),
    Case(
        "gcp:storage/bucketIAMBinding:BucketIAMBinding",
        {"bucket": "backups", "role": "roles/storage.objectCreator", "members": [_WRITER, _WRITER]},
        {"members[1]": _EVERYBODY},
    ),
    StackCase(
        ("aws",),
        (
            Held("aws:s3/bucket:Bucket", "backups"),
            Held("aws:s3/bucket:Bucket", "audit"),
            Held(
                "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
                "backups-closed",
                {"bucket": UNKNOWN},
                {"bucket": ["backups"]},
            ),
            Held(
                "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
                "audit-closed",
                {"bucket": UNKNOWN},
                {"bucket": ["audit"]},
            ),
        ),
        {"no block": without("audit-closed"), "a block of another bucket": independent("backups-closed", "bucket")},
    ),
)
