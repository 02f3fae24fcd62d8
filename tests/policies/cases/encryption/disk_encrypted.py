from policies.values import ABSENT
from tests.policies.case import Case

_FALSE = (False, ABSENT)
_AWS_DISKS = {
    "rootBlockDevice": {"encrypted": True},
    "ebsBlockDevices": [{"deviceName": "/dev/sdf", "encrypted": True}],
}
_AWS_BREAKS = {
    "rootBlockDevice.encrypted": (False, "false", ABSENT),
    "rootBlockDevice": (ABSENT,),
    "ebsBlockDevices[0].encrypted": _FALSE,
}

CASES = (
    Case(
        "aws:ebs/volume:Volume",
        {"availabilityZone": "us-west-2a", "size": 100, "encrypted": True},
        {"encrypted": _FALSE},
    ),
    Case(
        "aws:ec2/instance:Instance",
        {"ami": "ami-0123456789abcdef0", "instanceType": "m6i.large", **_AWS_DISKS},
        _AWS_BREAKS,
    ),
    Case(
        "aws:ec2/launchConfiguration:LaunchConfiguration",
        {"imageId": "ami-0123456789abcdef0", "instanceType": "m6i.large", **_AWS_DISKS},
        _AWS_BREAKS,
    ),
    Case(
        "aws:ec2/launchTemplate:LaunchTemplate",
        {
            "blockDeviceMappings": [
                {"deviceName": "/dev/sda1", "ebs": {"encrypted": "true"}},
                {"deviceName": "/dev/sdb", "noDevice": "true"},
            ]
        },
        {"blockDeviceMappings[0].ebs.encrypted": ("false", False, ABSENT)},
    ),
    Case(
        "azure-native:compute:VirtualMachine",
        {"resourceGroupName": "rg", "securityProfile": {"encryptionAtHost": True}},
        {"securityProfile.encryptionAtHost": _FALSE, "securityProfile": (ABSENT,)},
    ),
    Case(
        "azure-native:compute:VirtualMachineScaleSet",
        {"resourceGroupName": "rg", "virtualMachineProfile": {"securityProfile": {"encryptionAtHost": True}}},
        {"virtualMachineProfile.securityProfile.encryptionAtHost": _FALSE},
    ),
    Case(
        "azure-native:containerservice:ManagedCluster",
        {
            "resourceGroupName": "rg",
            "agentPoolProfiles": [
                {"name": "a", "enableEncryptionAtHost": True},
                {"name": "b", "enableEncryptionAtHost": True},
            ],
        },
        {"agentPoolProfiles[1].enableEncryptionAtHost": _FALSE},
    ),
    Case(
        "azure-native:containerservice:AgentPool",
        {"resourceGroupName": "rg", "resourceName": "cluster", "enableEncryptionAtHost": True},
        {"enableEncryptionAtHost": _FALSE},
    ),
    Case(
        "kubernetes:storage.k8s.io/v1:StorageClass",
        {"provisioner": "ebs.csi.aws.com", "parameters": {"encrypted": "true"}},
        {"parameters.encrypted": ("false", ABSENT)},
    ),
    Case("kubernetes:storage.k8s.io/v1:StorageClass", {"provisioner": "pd.csi.storage.gke.io"}),
)
