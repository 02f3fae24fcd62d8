from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, changed, independent, joined, without

_ABOVE = ("hashicorp:clouds:BackupBucket",)
_ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
_DEFAULT = "rules[0].applyServerSideEncryptionByDefault"
_READ = "rules[].applyServerSideEncryptionByDefault.kmsMasterKeyId"
_ACCOUNT = {"resourceGroupName": "rg", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}

CASES = (
    Case(
        _ENCRYPTION,
        {
            "bucket": "b",
            "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "k"}}],
        },
        {
            f"{_DEFAULT}.sseAlgorithm": ("AES256", ABSENT),
            f"{_DEFAULT}.kmsMasterKeyId": ("", ABSENT),
            _DEFAULT: (ABSENT,),
        },
        indifferent=(_READ,),
        above=_ABOVE,
    ),
    Case(
        _ENCRYPTION,
        {
            "bucket": "b",
            "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms:dsse", "kmsMasterKeyId": "k"}}],
        },
        indifferent=(_READ,),
        above=_ABOVE,
    ),
    Case(_ENCRYPTION, {"bucket": "logs", "rules": [{"bucketKeyEnabled": True}]}),
    Case(
        "azure-native:storage:StorageAccount",
        {**_ACCOUNT, "encryption": {"keySource": "Microsoft.Keyvault", "keyVaultProperties": {"keyName": "backup"}}},
        {
            "encryption.keySource": ("Microsoft.Storage", ABSENT),
            "encryption.keyVaultProperties.keyName": ("", ABSENT),
            "encryption": (ABSENT,),
        },
        indifferent=("encryption.keyVaultProperties.keyName",),
        above=_ABOVE,
    ),
    Case("azure-native:storage:StorageAccount", _ACCOUNT),
    Case(
        "gcp:storage/bucket:Bucket",
        {"location": "US", "encryption": {"defaultKmsKeyName": "projects/p/locations/us/keyRings/k/cryptoKeys/k"}},
        {"encryption.defaultKmsKeyName": ("", ABSENT), "encryption": (ABSENT,)},
        indifferent=("encryption.defaultKmsKeyName",),
        above=_ABOVE,
    ),
    Case("gcp:storage/bucket:Bucket", {"location": "US"}),
    StackCase(
        ("aws",),
        (
            Held("aws:s3/bucket:Bucket", "bucket", {"bucket": "b"}, above=_ABOVE),
            Held("aws:s3/bucket:Bucket", "logs", {"bucket": "l"}),
            Held(_ENCRYPTION, "encryption", {"bucket": "b"}, {"bucket": ["bucket"]}),
        ),
        breaks={
            "no encryption": without("encryption"),
            "encryption of another bucket": independent("encryption", "bucket"),
        },
    ),
    StackCase(
        ("component",),
        (
            Held("hashicorp:clouds:BackupBucket", "bucket", {"spec": {"cloud": "aws", "keyRef": "backup-aws"}}),
            Held("hashicorp:products:ConsulCluster", "consul", {"spec": {}}),
            Held("hashicorp:products:VaultCluster", "vault", {"spec": {"seal": {"keyRef": "seal-aws"}}}),
            Held("hashicorp:products:NomadCluster", "nomad", {"spec": {"keyring": {"keyRef": "keyring-aws"}}}),
            Held("hashicorp:products:BoundaryCluster", "boundary", {"spec": {"kms": [{"keyRef": "auth-aws"}, {}]}}),
            Held("hashicorp:clouds:Database", "database", {"spec": {"keyRef": "database-aws"}}),
            Held(
                "hashicorp:backup:BackupPlan",
                "plan",
                {
                    "spec": {
                        "cloud": "aws",
                        "targets": [
                            {"cloud": "aws", "keyRef": "backup-aws"},
                            {"cloud": "aws", "keyRef": "backup-aws"},
                            {"cloud": "gcp", "keyRef": "backup-gcp"},
                        ],
                    }
                },
            ),
            # What another plan waits for, this one does not hide.
            Held(
                "hashicorp:backup:BackupPlan",
                "home",
                {"spec": {"cloud": "aws", "targets": [{"cloud": "aws", "keyRef": "backup-aws"}]}},
            ),
            Held(
                "pulumi:pulumi:Stack",
                "root",
                {
                    "complianceFacts": {
                        "sealKeys": [{"keyRef": "own-seal"}],
                        "peers": {
                            "gcp": {
                                "sealKeys": [{"keyRef": "seal-gcp"}],
                                "buckets": [
                                    {"cloud": "gcp", "keyRef": "backup-gcp"},
                                    {"cloud": "aws", "keyRef": "backup-aws"},
                                ],
                            },
                            "azure": {},
                        },
                    }
                },
            ),
        ),
        breaks={
            "no key": changed("bucket", "spec.keyRef", ABSENT),
            "an empty key": changed("bucket", "spec.keyRef", ""),
            **{
                f"the key {key}": changed("bucket", "spec.keyRef", key)
                for key in (
                    "seal-aws",
                    "keyring-aws",
                    "auth-aws",
                    "database-aws",
                    "own-seal",
                    "seal-gcp",
                    "backup-gcp",
                )
            },
            "the key of another cloud's bucket here": joined(
                Held("hashicorp:clouds:BackupBucket", "other", {"spec": {"cloud": "azure", "keyRef": "backup-aws"}})
            ),
            "a new key of two clouds' buckets here": joined(
                *(
                    Held("hashicorp:clouds:BackupBucket", cloud, {"spec": {"cloud": cloud, "keyRef": "new"}})
                    for cloud in ("azure", "gcp")
                )
            ),
            "two clouds with one key": changed("plan", "spec.targets[2].keyRef", "backup-aws"),
            "a target without a key": changed("plan", "spec.targets[1].keyRef", ABSENT),
            "a peer that must have said something": changed(
                "root", "complianceFacts", {"peersRequired": True, "peers": {"gcp": {}}}
            ),
        },
        advises={"a peer that has said nothing yet": changed("root", "complianceFacts.peers.gcp", {})},
        defers={
            "a key that is not known yet": changed("bucket", "spec.keyRef", UNKNOWN),
            "a cluster's key that is not known yet": changed("vault", "spec.seal.keyRef", UNKNOWN),
            "a target's key that is not known yet": changed("plan", "spec.targets[2].keyRef", UNKNOWN),
        },
    ),
)
