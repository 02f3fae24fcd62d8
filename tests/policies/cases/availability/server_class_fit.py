from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case

_ABOVE = ("hashicorp:products:ConsulCluster", "hashicorp:clouds:ServerGroup")
_AWS = (
    *("t2.large", "t3.xlarge", "t3a.large", "t4g.2xlarge"),
    *("m6i.medium", "r7g.medium", "m1.small", "m1.micro", "m5.nano", "c7i.large", "a1.large"),
    *("m7i", "m7i.huge", "large", "", 7, ABSENT, UNKNOWN),
)
_AZURE = (
    *("Standard_B2ms", "Standard_B4ls_v2", "Basic_A2"),
    *("Standard_D1_v2", "Standard_D2_v2", "Standard_DS2_v2", "Standard_D2", "Standard_A2_v2", "Standard_F2s_v2"),
    *("Standard_D2ls_v5", "Standard_E4-1s_v5", "Standard", "D4s_v5", "", ABSENT, UNKNOWN),
)
_GCP = (
    *("e2-micro", "e2-small", "e2-medium", "f1-micro", "g1-small"),
    *(
        "n1-standard-1",
        "n1-standard-2",
        "n2-highcpu-4",
        "n1-highcpu-8",
        "e2-highcpu-4",
        "n2d-highcpu-4",
        "c3-highcpu-2",
    ),
    *("n2-custom-1-8192", "n2-custom-2-8191", "custom-2-4096", "n2-standard", "n2", "", ABSENT, UNKNOWN),
)
_FIT_AWS = (
    *("m7i.large", "m7i-flex.large", "m7i.2xlarge", "c7i.xlarge", "r7g.large", "i4i.large", "m5.metal", "x1e.xlarge"),
    *("a1.xlarge", "u-6tb1.56xlarge", "c5.metal", "m7g.metal-48xl"),
)
_FIT_AZURE = (
    *("Standard_D2s_v5", "Standard_D8s_v5", "Standard_E2ds_v5", "Standard_F4s_v2", "Standard_D4ls_v5"),
    *("Standard_DS3_v2", "Standard_A2m_v2", "Standard_E4-2s_v5", "Standard_NC24ads_A100_v4", "Standard_F2as_v6"),
    *("Standard_A4_v2", "Standard_L8s_v3"),
)
_FIT_GCP = (
    *("n2-standard-2", "e2-standard-2", "n1-standard-4", "n2-highcpu-8", "c3-highcpu-4", "n1-highcpu-16"),
    *("n2-custom-2-8192", "custom-4-8192-ext", "c3-standard-4-lssd", "e2-highcpu-8", "n2d-highcpu-8", "e2-highmem-2"),
    "https://www.googleapis.com/compute/v1/projects/p/zones/z/machineTypes/n2-standard-4",
)
_MIXED = {
    "instancesDistribution": {"onDemandPercentageAboveBaseCapacity": 100},
    "launchTemplate": {
        "launchTemplateSpecification": {"launchTemplateName": "servers"},
        "overrides": [{"instanceType": "m7i.large"}, {"weightedCapacity": "1"}],
    },
}
_IN_GROUP = {"maxSize": 3, "minSize": 3}
_MARKET = {"marketType": "capacity-block"}
_SCHEDULING = {"preemptible": False, "provisioningModel": "STANDARD"}
_GOOGLE_BREAKS = {"scheduling.preemptible": (True, "yes", UNKNOWN), "scheduling.provisioningModel": ("SPOT", UNKNOWN)}
_NODES = {
    "clusterName": "c",
    "nodeRoleArn": "r",
    "scalingConfig": {"desiredSize": 3, "maxSize": 3, "minSize": 3},
    "subnetIds": ["a"],
}

CASES = (
    *(
        Case(
            f"hashicorp:products:{product}Cluster",
            {"server": {"instanceType": kind, "spot": False}},
            {"server.instanceType": (*_AWS, *_AZURE, *_GCP), "server.spot": (True, ABSENT, UNKNOWN)},
        )
        for product, kind in (
            ("Consul", "m7i.2xlarge"),
            ("Vault", "Standard_D8s_v5"),
            ("Nomad", "n2-standard-8"),
            ("Boundary", "m7i.large"),
        )
    ),
    *(
        Case("hashicorp:products:VaultCluster", {"server": {"instanceType": kind, "spot": False}})
        for kind in (*_FIT_AWS, *_FIT_AZURE, *_FIT_GCP)
    ),
    Case(
        "aws:ec2/instance:Instance",
        {"ami": "ami-0123456789abcdef0", "instanceType": "m7i.large", "instanceMarketOptions": _MARKET},
        {"instanceType": _AWS, "instanceMarketOptions.marketType": ("spot", UNKNOWN)},
        above=_ABOVE,
    ),
    Case(
        "aws:ec2/instance:Instance",
        {"ami": "ami-0123456789abcdef0", "instanceType": "t3.micro", "instanceMarketOptions": {"marketType": "spot"}},
        indifferent=("instanceType", "instanceMarketOptions?.marketType?"),
    ),
    Case(
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"instanceType": "m7i.large", "instanceMarketOptions": _MARKET},
        {"instanceType": _AWS, "instanceMarketOptions.marketType": ("spot",)},
        above=_ABOVE,
    ),
    Case(
        "aws:autoscaling/group:Group",
        {**_IN_GROUP, "mixedInstancesPolicy": _MIXED},
        {
            "mixedInstancesPolicy.instancesDistribution.onDemandPercentageAboveBaseCapacity": (99, 0, UNKNOWN),
            "mixedInstancesPolicy.launchTemplate.overrides[0].instanceType": ("t3.large", UNKNOWN),
        },
        above=_ABOVE,
    ),
    Case(
        "aws:autoscaling/group:Group",
        _IN_GROUP,
        {"mixedInstancesPolicy": ({"instancesDistribution": {"onDemandPercentageAboveBaseCapacity": 50}},)},
        above=_ABOVE,
    ),
    Case(
        "aws:eks/nodeGroup:NodeGroup",
        {**_NODES, "capacityType": "ON_DEMAND", "instanceTypes": ["m7i.large", "m7i.xlarge"]},
        {
            "capacityType": ("SPOT", UNKNOWN),
            "instanceTypes[0]": ("t3.medium", UNKNOWN),
            "instanceTypes": ([], ABSENT, UNKNOWN),
        },
    ),
    Case(
        "aws:eks/nodeGroup:NodeGroup",
        {**_NODES, "launchTemplate": {"name": "nodes", "version": "1"}},
        {"launchTemplate": (ABSENT,)},
    ),
    Case(
        "azure-native:compute:VirtualMachineScaleSet",
        {
            "resourceGroupName": "rg",
            "sku": {"name": "Standard_D4s_v5"},
            "virtualMachineProfile": {"priority": "Regular"},
        },
        {"sku.name": _AZURE, "virtualMachineProfile.priority": ("Spot", "Low", UNKNOWN)},
        above=_ABOVE,
    ),
    Case(
        "azure-native:compute:VirtualMachine",
        {"resourceGroupName": "rg", "hardwareProfile": {"vmSize": "Standard_D16s_v5"}, "priority": "Regular"},
        {"hardwareProfile.vmSize": _AZURE, "priority": ("Spot", "Low", UNKNOWN)},
        above=_ABOVE,
    ),
    Case(
        "gcp:compute/instance:Instance",
        {
            "machineType": "n2-standard-16",
            "bootDisk": {},
            "networkInterfaces": [{"network": "n"}],
            "scheduling": _SCHEDULING,
        },
        {"machineType": _GCP, **_GOOGLE_BREAKS},
        above=_ABOVE,
    ),
    *(
        Case(
            f"gcp:compute/{name}",
            {"machineType": "n2-standard-4", "disks": [{}], "scheduling": _SCHEDULING},
            {"machineType": _GCP, **_GOOGLE_BREAKS},
            above=_ABOVE,
        )
        for name in ("instanceTemplate:InstanceTemplate", "regionInstanceTemplate:RegionInstanceTemplate")
    ),
)
