from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, changed, without

_VAULT, _BOUNDARY = "hashicorp:products:VaultCluster", "hashicorp:products:BoundaryCluster"
_INSTANCE, _SUBNET = "aws:ec2/instance:Instance", "aws:ec2/subnet:Subnet"
_TRUE = (True, "true", UNKNOWN)
_SERVER = {"ami": "ami-0123456789abcdef0", "instanceType": "m6i.large", "associatePublicIpAddress": False}
_ID = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/publicIPAddresses/a"
_INTERFACES = [{"name": "a", "ipConfigurations": [{"name": "a"}]}]
_AZURE = "networkProfile.networkInterfaceConfigurations[0].ipConfigurations[0].publicIPAddressConfiguration"
_GCP = [{"network": "platform"}, {"network": "platform", "accessConfigs": [], "ipv6AccessConfigs": []}]
_GCP_BREAKS = {
    f"networkInterfaces[0].{name}": ([{}], [{"networkTier": "PREMIUM"}], UNKNOWN)
    for name in ("accessConfigs", "ipv6AccessConfigs")
}

CASES = (
    Case(_INSTANCE, _SERVER, {"associatePublicIpAddress": _TRUE}, above=(_VAULT,)),
    Case(
        _INSTANCE, {**_SERVER, "associatePublicIpAddress": True}, name="nat", indifferent=("associatePublicIpAddress",)
    ),
    Case(
        "aws:ec2/launchTemplate:LaunchTemplate",
        {"networkInterfaces": [{"deviceIndex": 0}, {"associatePublicIpAddress": "false"}]},
        {
            "networkInterfaces[0].associatePublicIpAddress": ("true", UNKNOWN),
            "networkInterfaces[1].associatePublicIpAddress": ("true", True),
        },
    ),
    Case("aws:ec2/eip:Eip", {"domain": "vpc"}, {"instance": ("i-1", UNKNOWN), "networkInterface": ("eni-1", UNKNOWN)}),
    Case(
        "aws:ec2/eipAssociation:EipAssociation",
        {"allocationId": "eipalloc-1"},
        {"instanceId": ("i-1", UNKNOWN), "networkInterfaceId": ("eni-1", UNKNOWN)},
    ),
    Case(
        "azure-native:network:NetworkInterface",
        {"resourceGroupName": "rg", "ipConfigurations": [{"name": "a"}, {"name": "b"}]},
        {"ipConfigurations[1].publicIPAddress": ({"id": _ID}, {"id": UNKNOWN}, UNKNOWN)},
    ),
    Case(
        "azure-native:compute:VirtualMachine",
        {"resourceGroupName": "rg", "networkProfile": {"networkInterfaceConfigurations": _INTERFACES}},
        {_AZURE: ({"name": "a"}, UNKNOWN)},
    ),
    Case(
        "azure-native:compute:VirtualMachineScaleSet",
        {
            "resourceGroupName": "rg",
            "virtualMachineProfile": {"networkProfile": {"networkInterfaceConfigurations": _INTERFACES}},
        },
        {f"virtualMachineProfile.{_AZURE}": ({"name": "a"}, UNKNOWN)},
    ),
    Case(
        "azure-native:containerservice:ManagedCluster",
        {"resourceGroupName": "rg", "agentPoolProfiles": [{"name": "a", "enableNodePublicIP": False}]},
        {"agentPoolProfiles[0].enableNodePublicIP": _TRUE},
    ),
    Case(
        "azure-native:containerservice:AgentPool",
        {"resourceGroupName": "rg", "resourceName": "cluster", "enableNodePublicIP": False},
        {"enableNodePublicIP": _TRUE},
    ),
    Case(
        "gcp:compute/instance:Instance",
        {"machineType": "n2-standard-4", "bootDisk": {}, "networkInterfaces": _GCP},
        _GCP_BREAKS,
    ),
    *(
        Case(token, {"machineType": "n2-standard-4", "disks": [{}], "networkInterfaces": _GCP}, _GCP_BREAKS)
        for token in (
            "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
            "gcp:compute/instanceTemplate:InstanceTemplate",
        )
    ),
    *(
        Case(
            f"hashicorp:products:{product}Cluster",
            {"server": {"publicIp": False}},
            {"server.publicIp": (True, ABSENT, UNKNOWN), "server": (ABSENT,)},
        )
        for product in ("Consul", "Vault", "Nomad")
    ),
    Case(
        _BOUNDARY,
        {"server": {"publicIp": False}, "workers": {"publicProxy": False}},
        {"server.publicIp": (True, ABSENT, UNKNOWN)},
    ),
    Case(
        _BOUNDARY,
        {"server": {"publicIp": True}, "workers": {"publicProxy": True}},
        {"workers.publicProxy": (False, ABSENT)},
        indifferent=("server.publicIp",),
    ),
    Case(
        _INSTANCE,
        {**_SERVER, "associatePublicIpAddress": True},
        above=(_BOUNDARY,),
        indifferent=("associatePublicIpAddress",),
    ),
    StackCase(
        ("aws", "component"),
        (
            Held(_BOUNDARY, "boundary", {"spec": {"workers": {"publicProxy": True}}}),
            Held(_INSTANCE, "worker", {"associatePublicIpAddress": True}, above=(_BOUNDARY,)),
        ),
        {
            "workers that are not declared": changed("boundary", "spec.workers.publicProxy", value=False),
            "no cluster": without("boundary"),
        },
    ),
    StackCase(
        ("aws", "component"),
        (
            Held(
                "hashicorp:clouds:Network",
                "network",
                {
                    "spec": {
                        "subnets": [
                            {"name": "egress", "cidr": "10.1.21.0/24", "public": True},
                            {"name": "server", "cidr": "10.1.1.0/24", "public": False},
                            {"name": "client", "cidr": "10.1.11.0/24"},
                        ]
                    }
                },
            ),
            Held(_SUBNET, "egress", {"cidrBlock": "10.1.21.0/24", "mapPublicIpOnLaunch": True}),
            Held(_SUBNET, "server", {"cidrBlock": "10.1.1.0/24", "mapPublicIpOnLaunch": False}),
            Held(_SUBNET, "client", {"cidrBlock": "10.1.11.0/24"}),
        ),
        {
            "a server's subnet": changed("server", "mapPublicIpOnLaunch", value=True),
            "a client's subnet": changed("client", "mapPublicIpOnLaunch", value="true"),
            "a subnet that is no longer called public": changed("network", "spec.subnets[0].public", value=False),
            "a subnet of another range": changed("egress", "cidrBlock", "10.1.22.0/24"),
            "no network": without("network"),
            "a network of which nothing is known": changed("network", "spec.subnets", UNKNOWN),
        },
        defers={
            "an unknown setting": changed("server", "mapPublicIpOnLaunch", UNKNOWN),
            "an unknown range": changed("egress", "cidrBlock", UNKNOWN),
            "unknown ranges": lambda stack: changed("network", "spec.subnets[0].cidr", UNKNOWN)(
                changed("egress", "cidrBlock", UNKNOWN)(stack)
            ),
        },
    ),
)
