from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case

_ABOVE = ("hashicorp:products:ConsulCluster", "hashicorp:clouds:ServerGroup")
_ELSEWHERE = (
    ("hashicorp:products:NomadCluster", "hashicorp:clouds:ClientGroup"),
    ("hashicorp:products:BoundaryCluster", "hashicorp:clouds:ServerGroup"),
    (),
)
_ASG = "aws:autoscaling/group:Group"
_SCALE_SET = "azure-native:compute:VirtualMachineScaleSet"
_MANAGER = "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager"


def _zones(*voters: int) -> list[dict[str, object]]:
    return [{"name": f"z{index}", "voters": number} for index, number in enumerate(voters)]


_POD = {
    "containers": [{"name": "a", "image": "hashicorp/vault", "command": ["vault"], "args": ["server"]}],
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
    ],
}
_FIRST = "spec.template.spec.topologySpreadConstraints[0]"
_GROUP = {
    "baseInstanceName": "b",
    "versions": [{"instanceTemplate": "t"}],
    "targetSize": 5,
    "distributionPolicyZones": ["a", "b", "c"],
}
_SIZES = {"desiredSize": 3, "maxSize": 3, "minSize": 3}

# An element that is not known yet is a zone all the same.
CASES = (
    Case(
        "hashicorp:products:ConsulCluster",
        {"nodes": 5, "zones": _zones(2, 2, 1)},
        {
            "zones": (_zones(3, 1, 1), _zones(3, 2), _zones(2, 2, 0), _zones(5), [], ABSENT),
            "zones[1].name": ("z0",),
            "nodes": (3, 0, "five", ABSENT),
        },
    ),
    Case(
        "hashicorp:products:VaultCluster",
        {"nodes": 3, "zones": _zones(1, 1, 1)},
        {"zones": (_zones(2, 1, 0), _zones(2, 1)), "zones[2].voters": ("one", ABSENT)},
    ),
    Case("hashicorp:products:VaultCluster", {"nodes": 4, "zones": _zones(2, 1, 1)}, {"nodes": (3,)}),
    Case("hashicorp:products:NomadCluster", {"nodes": 7, "zones": _zones(3, 2, 2)}, {"zones[0].voters": (4,)}),
    Case(
        "hashicorp:products:NomadCluster",
        {"nodes": 7, "zones": [*_zones(2, 2, 2), {"name": "z0", "voters": 1}]},
        {"zones[3].voters": (2,)},
    ),
    *(
        Case(
            _ASG,
            {"maxSize": 3, "minSize": 3, prop: ["a", "b", "c"]},
            {prop: (["a", "b"], ["a", "b", "b"], ["a", UNKNOWN], ABSENT)},
            indifferent=(f"{prop}[]",),
            above=_ABOVE,
        )
        for prop in ("vpcZoneIdentifiers", "availabilityZones")
    ),
    Case(
        _ASG,
        {"maxSize": 1, "minSize": 1, "vpcZoneIdentifiers": ["a"]},
        {"maxSize": (2,)},
        indifferent=("vpcZoneIdentifiers[]",),
        above=_ABOVE,
    ),
    *(
        Case(
            _ASG,
            {"maxSize": 3, "minSize": 3, "vpcZoneIdentifiers": ["a"]},
            indifferent=("maxSize", "vpcZoneIdentifiers[]"),
            above=above,
        )
        for above in _ELSEWHERE
    ),
    Case(
        _SCALE_SET,
        {"resourceGroupName": "rg", "sku": {"capacity": 5}, "zones": ["1", "2", "3"], "zoneBalance": True},
        {"zones": (["1", "2"], ["1", "2", "2"], ABSENT), "zoneBalance": (False, ABSENT)},
        indifferent=("zones[]",),
        above=_ABOVE,
    ),
    Case(
        _SCALE_SET,
        {"resourceGroupName": "rg", "sku": {"capacity": 1}, "zones": ["1"]},
        {"sku.capacity": (3, ABSENT)},
        indifferent=("zones[]",),
        above=_ABOVE,
    ),
    Case(_SCALE_SET, {"resourceGroupName": "rg", "zones": ["1"]}, indifferent=("zones[]",), above=_ELSEWHERE[0]),
    *(
        Case(
            "azure-native:compute:VirtualMachine",
            {"resourceGroupName": "rg", "zones": ["1"]},
            {"zones": ([], ["1", "2"], ABSENT)},
            indifferent=("zones[]",),
            above=above,
        )
        for above in (_ABOVE, _ELSEWHERE[1])
    ),
    Case("azure-native:compute:VirtualMachine", {"resourceGroupName": "rg", "vmName": "bastion"}),
    Case(
        "azure-native:containerservice:ManagedCluster",
        {
            "resourceGroupName": "rg",
            "agentPoolProfiles": [{"name": name, "availabilityZones": ["1", "2", "3"]} for name in ("a", "b")],
        },
        {
            "agentPoolProfiles[0].availabilityZones": (["1"], ["1", "2"], ABSENT),
            "agentPoolProfiles[1].availabilityZones": (["1"], ABSENT),
        },
        indifferent=("agentPoolProfiles[].availabilityZones[]",),
    ),
    Case(
        "azure-native:containerservice:AgentPool",
        {"resourceGroupName": "rg", "resourceName": "cluster", "availabilityZones": ["1", "2", "3"]},
        {"availabilityZones": (["1", "2"], ABSENT)},
        indifferent=("availabilityZones[]",),
    ),
    *(
        Case(
            _MANAGER,
            {**_GROUP, "distributionPolicyTargetShape": shape},
            {"distributionPolicyZones": (["a", "b"], ABSENT), "distributionPolicyTargetShape": ("ANY",)},
            indifferent=("distributionPolicyZones[]",),
            above=_ABOVE,
        )
        for shape in ("EVEN", "BALANCED")
    ),
    Case(
        _MANAGER,
        _GROUP,
        {"distributionPolicyZones": (["a"],)},
        indifferent=("distributionPolicyZones[]",),
        above=_ABOVE,
    ),
    Case(
        _MANAGER,
        {**_GROUP, "targetSize": 1, "distributionPolicyZones": ["a"]},
        {"targetSize": (3, ABSENT)},
        indifferent=("distributionPolicyZones[]",),
        above=_ABOVE,
    ),
    Case(
        _MANAGER,
        {**_GROUP, "distributionPolicyTargetShape": "ANY"},
        indifferent=("targetSize", "distributionPolicyZones[]", "distributionPolicyTargetShape"),
        above=_ELSEWHERE[0],
    ),
    Case(
        "gcp:container/nodePool:NodePool",
        {"cluster": "c", "nodeLocations": ["a", "b", "c"]},
        {"nodeLocations": (["a", "b"], ABSENT)},
        indifferent=("nodeLocations[]",),
    ),
    Case(
        "aws:eks/nodeGroup:NodeGroup",
        {"clusterName": "c", "nodeRoleArn": "r", "scalingConfig": _SIZES, "subnetIds": ["a", "b", "c"]},
        {"subnetIds": (["a", "b"],)},
        indifferent=("subnetIds[]",),
    ),
    Case(
        "kubernetes:apps/v1:StatefulSet",
        {"spec": {"selector": {}, "serviceName": "s", "template": {"spec": _POD}}},
        {
            f"{_FIRST}.topologyKey": ("kubernetes.io/hostname",),
            f"{_FIRST}.whenUnsatisfiable": ("ScheduleAnyway",),
            _FIRST: (ABSENT,),
        },
    ),
    Case(
        "kubernetes:apps/v1:StatefulSet",
        {"spec": {"selector": {}, "template": {"spec": {"containers": [{"name": "a", "image": "postgres:16"}]}}}},
        {"spec.template.spec.containers[0].image": ("hashicorp/vault",)},
    ),
)
