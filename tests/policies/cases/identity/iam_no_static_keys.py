from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case

_KEY = ("AKIAEXAMPLE", UNKNOWN)

CASES = (
    Case("aws:iam/user:User", {"name": "break-glass"}, {"name": ("operator", ABSENT)}),
    Case(
        "azure-native:storage:StorageAccount",
        {
            "resourceGroupName": "rg",
            "kind": "StorageV2",
            "sku": {"name": "Standard_ZRS"},
            "allowSharedKeyAccess": False,
        },
        {"allowSharedKeyAccess": (True, ABSENT)},
    ),
    Case(
        "vault:aws/secretBackend:SecretBackend",
        {"path": "aws", "roleArn": "arn:aws:iam::1:role/vault", "identityTokenAudience": "vault"},
        {"accessKey": _KEY, "secretKey": _KEY, "identityTokenAudience": (ABSENT, "")},
        indifferent=("roleArn", "identityTokenAudience"),
    ),
    Case("vault:aws/secretBackend:SecretBackend", {"path": "aws"}, {"roleArn": ("arn:aws:iam::1:role/vault",)}),
    Case("vault:gcp/secretBackend:SecretBackend", {"path": "gcp"}, {"credentials": ("{}", UNKNOWN)}),
    Case(
        "vault:azure/backend:Backend",
        {"subscriptionId": "s", "tenantId": "t"},
        {"clientSecret": ("example", UNKNOWN)},
    ),
    Case(
        "vault:index/raftSnapshotAgentConfig:RaftSnapshotAgentConfig",
        {"intervalSeconds": 3600, "pathPrefix": "snapshots", "storageType": "aws-s3"},
        dict.fromkeys(("awsAccessKeyId", "awsSecretAccessKey", "azureAccountKey", "googleServiceAccountKey"), _KEY),
    ),
    Case("pulumi:providers:aws", {"region": "us-west-2"}, {"accessKey": _KEY, "secretKey": _KEY}),
    Case("pulumi:providers:azure-native", {"location": "westus2"}, {"clientSecret": ("example",)}),
    Case("pulumi:providers:gcp", {"region": "us-west1"}, {"credentials": ("{}", UNKNOWN)}),
)
