from policies.values import ABSENT
from tests.policies.case import Case

_NONE = ("", ABSENT)
_SET = {"diskEncryptionSet": {"id": "set"}}
_STORAGE = {
    "osDisk": {"createOption": "FromImage", "managedDisk": _SET},
    "dataDisks": [{"createOption": "Empty", "lun": 0, "managedDisk": _SET}],
}
_DB = {"instanceClass": "db.m6i.large", "kmsKeyId": "key", "storageEncrypted": True}

CASES = (
    Case(
        "aws:ebs/volume:Volume",
        {"availabilityZone": "us-west-2a", "size": 100, "kmsKeyId": "key"},
        {"kmsKeyId": _NONE},
        indifferent=("kmsKeyId",),
    ),
    Case(
        "aws:ec2/instance:Instance",
        {
            "ami": "ami-0123456789abcdef0",
            "instanceType": "m6i.large",
            "rootBlockDevice": {"kmsKeyId": "key"},
            "ebsBlockDevices": [{"deviceName": "/dev/sdf", "kmsKeyId": "key"}],
        },
        {"rootBlockDevice.kmsKeyId": _NONE, "ebsBlockDevices[0].kmsKeyId": _NONE},
        indifferent=("rootBlockDevice.kmsKeyId", "ebsBlockDevices[].kmsKeyId"),
    ),
    Case(
        "aws:ec2/launchTemplate:LaunchTemplate",
        {
            "blockDeviceMappings": [
                {"deviceName": "/dev/sda1", "ebs": {"kmsKeyId": "key"}},
                {"deviceName": "/dev/sdb", "noDevice": "true"},
            ]
        },
        {"blockDeviceMappings[0].ebs.kmsKeyId": _NONE},
        indifferent=("blockDeviceMappings[].ebs?.kmsKeyId",),
    ),
    Case(
        "aws:rds/instance:Instance",
        _DB,
        {"kmsKeyId": _NONE, "storageEncrypted": (False, ABSENT)},
        indifferent=("kmsKeyId",),
    ),
    Case(
        "aws:rds/cluster:Cluster",
        {"engine": "aurora-postgresql", "kmsKeyId": "key", "storageEncrypted": True},
        {"kmsKeyId": _NONE, "storageEncrypted": (False, ABSENT)},
        indifferent=("kmsKeyId",),
    ),
    *(
        Case(
            "azure-native:compute:Disk",
            {
                "resourceGroupName": "rg",
                "creationData": {"createOption": "Empty"},
                "encryption": {"diskEncryptionSetId": "set", "type": kind},
            },
            {
                "encryption.diskEncryptionSetId": _NONE,
                "encryption.type": ("EncryptionAtRestWithPlatformKey", ABSENT),
                "encryption": (ABSENT,),
            },
            indifferent=("encryption.diskEncryptionSetId",),
        )
        for kind in ("EncryptionAtRestWithCustomerKey", "EncryptionAtRestWithPlatformAndCustomerKeys")
    ),
    Case(
        "azure-native:compute:VirtualMachine",
        {"resourceGroupName": "rg", "storageProfile": _STORAGE},
        {
            "storageProfile.osDisk.managedDisk.diskEncryptionSet.id": _NONE,
            "storageProfile.dataDisks[0].managedDisk": (ABSENT,),
        },
        indifferent=(
            "storageProfile.osDisk.managedDisk.diskEncryptionSet.id",
            "storageProfile.dataDisks[].managedDisk.diskEncryptionSet.id",
        ),
    ),
    Case(
        "azure-native:compute:VirtualMachineScaleSet",
        {"resourceGroupName": "rg", "virtualMachineProfile": {"storageProfile": _STORAGE}},
        {
            "virtualMachineProfile.storageProfile.osDisk.managedDisk.diskEncryptionSet.id": _NONE,
            "virtualMachineProfile.storageProfile.dataDisks[0].managedDisk": (ABSENT,),
        },
        indifferent=(
            "virtualMachineProfile.storageProfile.osDisk.managedDisk.diskEncryptionSet.id",
            "virtualMachineProfile.storageProfile.dataDisks[].managedDisk.diskEncryptionSet.id",
        ),
    ),
    Case(
        "azure-native:containerservice:ManagedCluster",
        {"resourceGroupName": "rg", "diskEncryptionSetID": "set"},
        {"diskEncryptionSetID": _NONE},
        indifferent=("diskEncryptionSetID",),
    ),
    Case(
        "azure-native:dbforpostgresql:Server",
        {"resourceGroupName": "rg", "dataEncryption": {"primaryKeyURI": "uri", "type": "AzureKeyVault"}},
        {"dataEncryption.primaryKeyURI": _NONE, "dataEncryption.type": ("SystemManaged", ABSENT)},
        indifferent=("dataEncryption.primaryKeyURI",),
    ),
    Case(
        "gcp:compute/disk:Disk",
        {"diskEncryptionKey": {"kmsKeySelfLink": "key"}},
        {"diskEncryptionKey.kmsKeySelfLink": _NONE, "diskEncryptionKey": (ABSENT,)},
        indifferent=("diskEncryptionKey.kmsKeySelfLink",),
    ),
    Case(
        "gcp:compute/instance:Instance",
        {
            "machineType": "n2-standard-4",
            "networkInterfaces": [{"network": "n"}],
            "bootDisk": {"kmsKeySelfLink": "key"},
            "attachedDisks": [{"source": "disk"}, {"source": "disk", "kmsKeySelfLink": "key"}],
        },
        {"bootDisk.kmsKeySelfLink": _NONE, "attachedDisks[1].kmsKeySelfLink": ("",)},
        indifferent=("bootDisk.kmsKeySelfLink", "attachedDisks[].kmsKeySelfLink?"),
    ),
    Case(
        "gcp:compute/instanceTemplate:InstanceTemplate",
        {"machineType": "n2-standard-4", "disks": [{"diskEncryptionKey": {"kmsKeySelfLink": "key"}}]},
        {"disks[0].diskEncryptionKey.kmsKeySelfLink": _NONE, "disks[0].diskEncryptionKey": (ABSENT,)},
        indifferent=("disks[].diskEncryptionKey.kmsKeySelfLink",),
    ),
    Case(
        "gcp:container/nodePool:NodePool",
        {"cluster": "c", "nodeConfig": {"bootDiskKmsKey": "key"}},
        {"nodeConfig.bootDiskKmsKey": _NONE},
        indifferent=("nodeConfig.bootDiskKmsKey",),
    ),
    Case(
        "gcp:sql/databaseInstance:DatabaseInstance",
        {"databaseVersion": "POSTGRES_16", "encryptionKeyName": "key"},
        {"encryptionKeyName": _NONE},
        indifferent=("encryptionKeyName",),
    ),
)
