from policies.values import ABSENT
from tests.policies.case import Case

_GALLERY = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/galleries/g/images/i"
_AMI = "ami-0123456789abcdef0"

CASES = (
    Case(
        "aws:ec2/instance:Instance",
        {"ami": _AMI, "instanceType": "m6i.large"},
        {"ami": ("resolve:ssm:/aws/service/x", "", ABSENT)},
    ),
    Case(
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"imageId": _AMI, "updateDefaultVersion": False},
        {"imageId": ("resolve:ssm:/aws/service/x", ABSENT)},
        advises={"updateDefaultVersion": (True,)},
    ),
    Case(
        "aws:autoscaling/group:Group",
        {"maxSize": 3, "minSize": 3, "launchTemplate": {"version": "7"}},
        {"launchTemplate.version": ("$Latest", "$Default", ABSENT)},
        indifferent=("launchTemplate?.version",),
    ),
    Case(
        "aws:autoscaling/group:Group",
        {
            "maxSize": 3,
            "minSize": 3,
            "mixedInstancesPolicy": {"launchTemplate": {"launchTemplateSpecification": {"version": "7"}}},
        },
        {"mixedInstancesPolicy.launchTemplate.launchTemplateSpecification.version": ("$Latest", ABSENT)},
        indifferent=("mixedInstancesPolicy?.launchTemplate.launchTemplateSpecification.version",),
    ),
    Case("aws:autoscaling/group:Group", {"maxSize": 3, "minSize": 3}, {"launchTemplate": ({"version": "$Latest"},)}),
    Case(
        "azure-native:compute:VirtualMachine",
        {"resourceGroupName": "rg", "storageProfile": {"imageReference": {"version": "24.04.202506100"}}},
        {"storageProfile.imageReference.version": ("latest", "Latest", ABSENT)},
    ),
    Case(
        "azure-native:compute:VirtualMachine",
        {"resourceGroupName": "rg", "storageProfile": {"imageReference": {"id": f"{_GALLERY}/versions/1.0.0"}}},
        {
            "storageProfile.imageReference.id": (
                _GALLERY,
                f"{_GALLERY}/versions/latest",
                f"{_GALLERY}/versions/1.0.0/x",
                "",
            )
        },
    ),
    *(
        Case(
            token,
            {"resourceGroupName": "rg", **({"virtualMachineProfile": profile} if token.endswith("Set") else profile)},
            {f"{place}storageProfile.imageReference.{kind}": ("/sharedGalleries/g/images/i", "", ABSENT)},
        )
        for token, place in (
            ("azure-native:compute:VirtualMachine", ""),
            ("azure-native:compute:VirtualMachineScaleSet", "virtualMachineProfile."),
        )
        for kind in ("sharedGalleryImageId", "communityGalleryImageId")
        for profile in ({"storageProfile": {"imageReference": {kind: "/sharedGalleries/g/images/i/Versions/1.0.0"}}},)
    ),
    Case(
        "azure-native:compute:VirtualMachineScaleSet",
        {
            "resourceGroupName": "rg",
            "virtualMachineProfile": {"storageProfile": {"imageReference": {"version": "1.2.3"}}},
            "upgradePolicy": {"automaticOSUpgradePolicy": {"enableAutomaticOSUpgrade": False}},
        },
        {
            "virtualMachineProfile.storageProfile.imageReference.version": ("latest", ABSENT),
            "upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade": (True,),
        },
    ),
    Case(
        "azure-native:compute:VirtualMachineScaleSet",
        {
            "resourceGroupName": "rg",
            "virtualMachineProfile": {"storageProfile": {"imageReference": {"id": f"{_GALLERY}/versions/1.0.0"}}},
        },
        {"virtualMachineProfile.storageProfile.imageReference.id": (_GALLERY,)},
    ),
    Case(
        "gcp:compute/instance:Instance",
        {
            "machineType": "n2-standard-4",
            "networkInterfaces": [{"network": "n"}],
            "bootDisk": {"initializeParams": {"image": "ubuntu-2404-noble-amd64-v20250606"}},
        },
        {
            "bootDisk.initializeParams.image": (
                "projects/ubuntu-os-cloud/global/images/family/ubuntu-2404-lts",
                "family/ubuntu",
                "ubuntu-os-cloud/ubuntu-2404-lts-amd64",
                "debian-12",
                "ubuntu-latest",
                "projects/p/global/images/ubuntu-latest",
                "ubuntu-v20250606-x",
                "",
                ABSENT,
            )
        },
    ),
    Case(
        "gcp:compute/instance:Instance",
        {
            "machineType": "n2-standard-4",
            "networkInterfaces": [{"network": "n"}],
            "bootDisk": {"initializeParams": {"image": "projects/p/global/images/our-own"}},
        },
        {"bootDisk.initializeParams.image": ("p/our-own",)},
    ),
    Case(
        "gcp:compute/instance:Instance",
        {"machineType": "n2-standard-4", "networkInterfaces": [{"network": "n"}], "bootDisk": {"source": "disk"}},
        {"bootDisk.initializeParams": ({"size": 50},)},
    ),
    Case(
        "gcp:compute/instanceTemplate:InstanceTemplate",
        {
            "machineType": "n2-standard-4",
            "disks": [{"sourceImage": "ubuntu-2404-noble-amd64-v20250606"}, {"source": "disk"}],
        },
        {"disks[0].sourceImage": ("family/ubuntu", "")},
    ),
    *(
        Case(
            f"hashicorp:products:{product}Cluster",
            {"server": {"image": {"ref": "i"}}},
            {"server.image.ref": ("", ABSENT)},
        )
        for product in ("Consul", "Vault", "Nomad", "Boundary")
    ),
)
