from policies.values import ABSENT
from tests.policies.case import Case

_NONE = ("", ABSENT)

CASES = (
    Case(
        "aws:eks/cluster:Cluster",
        {
            "roleArn": "arn",
            "vpcConfig": {"subnetIds": ["s"]},
            "encryptionConfig": {"provider": {"keyArn": "key"}, "resources": ["secrets"]},
        },
        {
            "encryptionConfig.provider.keyArn": _NONE,
            "encryptionConfig.resources": ([], ["pods"]),
            "encryptionConfig": (ABSENT,),
        },
        indifferent=("encryptionConfig.provider.keyArn",),
    ),
    Case(
        "azure-native:containerservice:ManagedCluster",
        {"resourceGroupName": "rg", "securityProfile": {"azureKeyVaultKms": {"enabled": True, "keyId": "key"}}},
        {"securityProfile.azureKeyVaultKms.enabled": (False, ABSENT), "securityProfile.azureKeyVaultKms.keyId": _NONE},
        indifferent=("securityProfile.azureKeyVaultKms.keyId",),
    ),
    *(
        Case(
            "gcp:container/cluster:Cluster",
            {"databaseEncryption": {"state": state, "keyName": "key"}},
            {"databaseEncryption.state": ("DECRYPTED", ABSENT), "databaseEncryption.keyName": _NONE},
            indifferent=("databaseEncryption.keyName",),
        )
        for state in ("ENCRYPTED", "ALL_OBJECTS_ENCRYPTION_ENABLED")
    ),
)
