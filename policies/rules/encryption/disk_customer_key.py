"""Data disks of servers and databases are encrypted with a customer-managed key."""

from __future__ import annotations

from policies.conditions import PRESENT, TRUE, one_of
from policies.rule import Rule, need, on

_CUSTOMER = one_of("EncryptionAtRestWithCustomerKey", "EncryptionAtRestWithPlatformAndCustomerKeys")
_DISKS = "storageProfile.osDisk.managedDisk.diskEncryptionSet.id"
_DATA_DISKS = "storageProfile.dataDisks[].managedDisk.diskEncryptionSet.id"

RULE = Rule(
    "disk-customer-key",
    (
        on("aws:ebs/volume:Volume", need("kmsKeyId", PRESENT)),
        on(
            "aws:ec2/instance:Instance",
            need("rootBlockDevice.kmsKeyId", PRESENT),
            need("ebsBlockDevices[].kmsKeyId", PRESENT),
        ),
        on("aws:ec2/launchTemplate:LaunchTemplate", need("blockDeviceMappings[].ebs?.kmsKeyId", PRESENT)),
        on(
            ("aws:rds/instance:Instance", "aws:rds/cluster:Cluster"),
            need("kmsKeyId", PRESENT),
            need("storageEncrypted", TRUE),
        ),
        on(
            "azure-native:compute:Disk",
            need("encryption.diskEncryptionSetId", PRESENT),
            need("encryption.type", _CUSTOMER),
        ),
        on("azure-native:compute:VirtualMachine", need(_DISKS, PRESENT), need(_DATA_DISKS, PRESENT)),
        on(
            "azure-native:compute:VirtualMachineScaleSet",
            need(f"virtualMachineProfile.{_DISKS}", PRESENT),
            need(f"virtualMachineProfile.{_DATA_DISKS}", PRESENT),
        ),
        on("azure-native:containerservice:ManagedCluster", need("diskEncryptionSetID", PRESENT)),
        on(
            "azure-native:dbforpostgresql:Server",
            need("dataEncryption.primaryKeyURI", PRESENT),
            need("dataEncryption.type", one_of("AzureKeyVault")),
        ),
        on("gcp:compute/disk:Disk", need("diskEncryptionKey.kmsKeySelfLink", PRESENT)),
        on(
            "gcp:compute/instance:Instance",
            need("bootDisk.kmsKeySelfLink", PRESENT),
            # A disk that is a resource of its own is judged there.
            need("attachedDisks[].kmsKeySelfLink?", PRESENT),
        ),
        on(
            "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
            need("disks[].diskEncryptionKey.kmsKeySelfLink", PRESENT),
        ),
        on("gcp:container/nodePool:NodePool", need("nodeConfig.bootDiskKmsKey", PRESENT)),
        on("gcp:sql/databaseInstance:DatabaseInstance", need("encryptionKeyName", PRESENT)),
    ),
)
