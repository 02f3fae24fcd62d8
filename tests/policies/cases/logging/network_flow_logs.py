from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, independent, without

_FLOWS = "aws:ec2/flowLog:FlowLog"
_BUCKET = "arn:aws:s3:::hashicorp-multicloud-audit"
_NETWORK = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network/"
    "virtualNetworks/platform"
)
_AZURE = {
    "resourceGroupName": "NetworkWatcherRG",
    "networkWatcherName": "NetworkWatcher_westus2",
    "storageId": "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/audit",
    "targetResourceId": _NETWORK,
    "enabled": True,
}
_MACHINES = {
    "network": "platform",
    "ipCidrRange": "10.3.0.0/24",
    "purpose": "PRIVATE",
    "logConfig": {"aggregationInterval": "INTERVAL_1_MIN", "flowSampling": 0.5, "metadata": "INCLUDE_ALL_METADATA"},
}

CASES = (
    Case(
        _FLOWS,
        {"vpcId": "vpc-1", "trafficType": "ALL", "logDestination": _BUCKET, "maxAggregationInterval": 60},
        {
            "trafficType": ("ACCEPT", ABSENT),
            "logDestination": ("", ABSENT),
            "maxAggregationInterval": (600, 59, "often", ABSENT),
        },
        indifferent=("logDestination",),
    ),
    Case(
        _FLOWS,
        {"vpcId": "vpc-1", "trafficType": "REJECT", "logDestination": _BUCKET, "maxAggregationInterval": 60},
        {"trafficType": ("ACCEPT",)},
        indifferent=("logDestination",),
    ),
    *(
        Case(
            _FLOWS,
            {prop: "tgw-1", "logDestination": _BUCKET, "maxAggregationInterval": 60},
            {prop: (ABSENT,)},
            indifferent=(prop, "logDestination"),
        )
        for prop in ("transitGatewayId", "transitGatewayAttachmentId")
    ),
    Case(
        "azure-native:network:FlowLog",
        {**_AZURE, "retentionPolicy": {"enabled": True, "days": 365}},
        {
            "enabled": (False, ABSENT),
            "targetResourceId": (
                f"{_NETWORK}/subnets/server-1",
                _NETWORK.replace("virtualNetworks", "networkSecurityGroups"),
                "",
                ABSENT,
            ),
            "retentionPolicy.days": (364, 1, -1, "a year", ABSENT),
        },
        indifferent=("targetResourceId",),
    ),
    Case(
        "azure-native:network:FlowLog",
        {**_AZURE, "retentionPolicy": {"enabled": True, "days": 0}},
        {"retentionPolicy.days": (1,)},
        indifferent=("targetResourceId",),
    ),
    Case(
        "azure-native:network:FlowLog",
        {**_AZURE, "retentionPolicy": {"enabled": False, "days": 7}},
        {"retentionPolicy.enabled": (True,)},
        indifferent=("targetResourceId", "retentionPolicy.days"),
    ),
    Case(
        "azure-native:network:FlowLog",
        _AZURE,
        {"retentionPolicy": ({"enabled": True, "days": 30},)},
        indifferent=("targetResourceId",),
    ),
    Case(
        "gcp:compute/subnetwork:Subnetwork",
        _MACHINES,
        {"logConfig": (ABSENT,), "logConfig.flowSampling": (0.49, 0, "much", True)},
        advises={"logConfig.metadata": ("EXCLUDE_ALL_METADATA",), "logConfig.aggregationInterval": ("INTERVAL_5_MIN",)},
    ),
    Case(
        "gcp:compute/subnetwork:Subnetwork",
        {"network": "platform", "logConfig": {"flowSampling": 1}},
        {"logConfig": (ABSENT,)},
    ),
    *(
        Case(
            "gcp:compute/subnetwork:Subnetwork",
            {"network": "platform", "ipCidrRange": "10.3.0.0/24", "purpose": purpose, "role": "ACTIVE"},
            {"purpose": ("PRIVATE", ABSENT)},
        )
        for purpose in ("REGIONAL_MANAGED_PROXY", "GLOBAL_MANAGED_PROXY", "INTERNAL_HTTPS_LOAD_BALANCER")
    ),
    Case("hashicorp:clouds:Network", {"cloud": "aws", "flowLogs": True}, {"flowLogs": (False, ABSENT, UNKNOWN)}),
    StackCase(
        ("aws",),
        (
            Held("aws:ec2/vpc:Vpc", "network", {"cidrBlock": "10.1.0.0/16"}),
            Held(_FLOWS, "flows", {"vpcId": UNKNOWN, "maxAggregationInterval": 60}, {"vpcId": ["network"]}),
        ),
        breaks={"no flow log": without("flows"), "a flow log of another network": independent("flows", "vpcId")},
    ),
    StackCase(
        ("azure",),
        (
            Held(
                "azure-native:network:VirtualNetwork",
                "network",
                {"resourceGroupName": "rg", "addressSpace": {"addressPrefixes": ["10.2.0.0/16"]}},
            ),
            Held(
                "azure-native:network:FlowLog",
                "flows",
                {**_AZURE, "targetResourceId": UNKNOWN},
                {"targetResourceId": ["network"]},
            ),
        ),
        breaks={
            "no flow log": without("flows"),
            "a flow log of another network": independent("flows", "targetResourceId"),
        },
    ),
)
