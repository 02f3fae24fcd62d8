import json

from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, independent, without


def _policy(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


_CLEAR = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
_OLD_TLS = {**_CLEAR, "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}}
_ALLOW = {**_CLEAR, "Effect": "Allow"}

CASES = (
    Case(
        "aws:s3/bucketPolicy:BucketPolicy",
        {"bucket": "backups", "policy": _policy(_CLEAR, _OLD_TLS)},
        breaks={
            "policy": (
                _policy(_OLD_TLS),
                _policy(_ALLOW, _OLD_TLS),
                _policy({**_CLEAR, "Action": "s3:GetObject"}),
                _policy({**_CLEAR, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}),
                "no json",
            )
        },
        advises={"policy": (_policy(_CLEAR),)},
    ),
    Case(
        "azure-native:storage:StorageAccount",
        {
            "resourceGroupName": "rg",
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS"},
            "enableHttpsTrafficOnly": True,
            "minimumTlsVersion": "TLS1_2",
        },
        {"enableHttpsTrafficOnly": (False,), "minimumTlsVersion": ("TLS1_0", "TLS1_1", ABSENT)},
    ),
    Case(
        "azure-native:storage:StorageAccount",
        {
            "resourceGroupName": "rg",
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS"},
            "minimumTlsVersion": "TLS1_3",
        },
    ),
    StackCase(
        ("aws",),
        (
            Held("aws:s3/bucket:Bucket", "backups", {"bucket": "backups"}),
            Held("aws:s3/bucketPolicy:BucketPolicy", "policy", {"bucket": UNKNOWN}, {"bucket": ["backups"]}),
        ),
        breaks={
            "no policy": without("policy"),
            "a policy of another bucket": independent("policy", "bucket"),
        },
    ),
)
