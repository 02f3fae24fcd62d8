from policies.values import ABSENT
from tests.policies.case import Case

_VAULT = {"tenantId": "t", "sku": {"family": "A", "name": "standard"}, "enablePurgeProtection": True}

CASES = (
    Case("aws:kms/key:Key", {"deletionWindowInDays": 30}, {"deletionWindowInDays": (7, 29, "soon")}),
    Case("aws:kms/key:Key", {}, {"deletionWindowInDays": (7,)}),
    Case(
        "aws:kms/replicaKey:ReplicaKey",
        {"primaryKeyArn": "arn", "deletionWindowInDays": 30},
        {"deletionWindowInDays": (29,)},
    ),
    Case(
        "azure-native:keyvault:Vault",
        {
            "resourceGroupName": "rg",
            "properties": {**_VAULT, "enableSoftDelete": True, "softDeleteRetentionInDays": 30},
        },
        {
            "properties.enablePurgeProtection": (False, ABSENT),
            "properties.enableSoftDelete": (False,),
            "properties.softDeleteRetentionInDays": (29, 7),
        },
    ),
    Case(
        "azure-native:keyvault:Vault",
        {"resourceGroupName": "rg", "properties": _VAULT},
        {"properties.enablePurgeProtection": (ABSENT,)},
    ),
    Case(
        "gcp:kms/cryptoKey:CryptoKey",
        {"keyRing": "ring", "destroyScheduledDuration": "2592000s"},
        {"destroyScheduledDuration": ("2591999s", "86400s", "10368001s", "never")},
    ),
    Case("gcp:kms/cryptoKey:CryptoKey", {"keyRing": "ring"}, {"destroyScheduledDuration": ("0s",)}),
    Case(
        "vault:transit/secretBackendKey:SecretBackendKey",
        {"backend": "transit", "deletionAllowed": False, "exportable": False, "allowPlaintextBackup": False},
        {"deletionAllowed": (True,), "exportable": (True,), "allowPlaintextBackup": (True,)},
    ),
)
