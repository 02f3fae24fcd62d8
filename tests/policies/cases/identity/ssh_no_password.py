from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case

_FLAG = (False, ABSENT)
_KEY = ("shared", UNKNOWN)
_CLIENT = ("hashicorp:products:NomadCluster", "hashicorp:clouds:ClientGroup")
_OS = {"linuxConfiguration": {"disablePasswordAuthentication": True}}
_METADATA = {"enable-oslogin": "TRUE", "serial-port-enable": "FALSE"}
_GCP = {
    "metadata": ({}, ABSENT),
    "metadata.enable-oslogin": ("FALSE", ABSENT, UNKNOWN),
    "metadata.serial-port-enable": (True, "TRUE", "1", UNKNOWN),
    "metadata.ssh-keys": ("ops:ssh-ed25519 AAAA", UNKNOWN),
    "metadata.sshKeys": ("ops:ssh-ed25519 AAAA",),
}

CASES = (
    Case("aws:ec2/instance:Instance", {"ami": "i", "instanceType": "m6i.large"}, {"keyName": _KEY}),
    Case("aws:ec2/launchTemplate:LaunchTemplate", {"imageId": "i"}, {"keyName": ("shared",)}),
    Case(
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"imageId": "i"},
        {"keyName": ("shared",)},
        above=("hashicorp:products:NomadCluster",),
    ),
    Case("aws:ec2/launchTemplate:LaunchTemplate", {"imageId": "i"}, advises={"keyName": ("shared",)}, above=_CLIENT),
    Case(
        "azure-native:compute:VirtualMachine",
        {"resourceGroupName": "rg", "osProfile": _OS},
        {
            "osProfile.linuxConfiguration.disablePasswordAuthentication": _FLAG,
            "osProfile.adminPassword": ("example", UNKNOWN),
        },
    ),
    Case(
        "azure-native:compute:VirtualMachineScaleSet",
        {"resourceGroupName": "rg", "virtualMachineProfile": {"osProfile": _OS}},
        {
            "virtualMachineProfile.osProfile.linuxConfiguration.disablePasswordAuthentication": _FLAG,
            "virtualMachineProfile.osProfile.adminPassword": ("example", UNKNOWN),
        },
    ),
    Case(
        "gcp:compute/instance:Instance",
        {
            "machineType": "n2-standard-4",
            "bootDisk": {},
            "networkInterfaces": [{"network": "n"}],
            "metadata": _METADATA,
        },
        _GCP,
    ),
    Case(
        "gcp:compute/instanceTemplate:InstanceTemplate",
        {"machineType": "n2-standard-4", "disks": [{}], "metadata": {"enable-oslogin": "true"}},
        _GCP,
    ),
    Case(
        "gcp:compute/projectMetadata:ProjectMetadata",
        {"metadata": {"enable-oslogin": "TRUE"}},
        {"metadata.ssh-keys": ("ops:ssh-ed25519 AAAA", UNKNOWN), "metadata.sshKeys": ("a",)},
    ),
    *(
        Case(
            f"hashicorp:products:{product}Cluster",
            {"server": {"sshPasswordAuth": False}},
            {"server.sshPasswordAuth": (True, ABSENT)},
        )
        for product in ("Consul", "Vault", "Nomad", "Boundary")
    ),
)
