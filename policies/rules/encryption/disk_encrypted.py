"""Every disk is encrypted by an explicit setting."""

from __future__ import annotations

from policies.conditions import TRUE
from policies.rule import Rule, need, on

RULE = Rule(
    "disk-encrypted",
    (
        on("aws:ebs/volume:Volume", need("encrypted", TRUE)),
        on(
            ("aws:ec2/instance:Instance", "aws:ec2/launchConfiguration:LaunchConfiguration"),
            need("rootBlockDevice.encrypted", TRUE),
            need("ebsBlockDevices[].encrypted", TRUE),
        ),
        on("aws:ec2/launchTemplate:LaunchTemplate", need("blockDeviceMappings[].ebs?.encrypted", TRUE)),
        on("azure-native:compute:VirtualMachine", need("securityProfile.encryptionAtHost", TRUE)),
        on(
            "azure-native:compute:VirtualMachineScaleSet",
            need("virtualMachineProfile.securityProfile.encryptionAtHost", TRUE),
        ),
        on(
            "azure-native:containerservice:ManagedCluster",
            need("agentPoolProfiles[].enableEncryptionAtHost", TRUE),
        ),
        on("azure-native:containerservice:AgentPool", need("enableEncryptionAtHost", TRUE)),
        on(
            "kubernetes:storage.k8s.io/v1:StorageClass",
            need("parameters.encrypted", TRUE),
            when=lambda storage: storage.get("provisioner") == "ebs.csi.aws.com",
            reads=("provisioner",),
        ),
    ),
)
