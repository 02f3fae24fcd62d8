from policies.values import ABSENT
from tests.policies.case import Case
from tests.policies.cases.exposure import doors

_MESH = ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"]
_FOREIGN = ("10.0.0.0/8", "10.4.0.0/16", "0.0.0.0/0", "*", "VirtualNetwork")

CASES = (
    *(
        Case(
            f"hashicorp:products:{product}Cluster",
            {"access": {"gossipFrom": _MESH, "rpcFrom": ["10.1.0.0/16", "10.2.1.0/24"]}},
            {
                "access.gossipFrom[2]": _FOREIGN,
                "access.rpcFrom[0]": _FOREIGN,
                "access.gossipFrom": ([], ABSENT),
                "access.rpcFrom": ([], ABSENT),
                "access": (ABSENT,),
            },
        )
        for product in ("Consul", "Nomad")
    ),
    *doors.cases(8301, "10.2.0.0/16", _FOREIGN, world_only=False),
    Case(
        "azure-native:network:SecurityRule",
        {
            "resourceGroupName": "rg",
            "networkSecurityGroupName": "servers",
            "priority": 100,
            "direction": "Inbound",
            "access": "Allow",
            "protocol": "*",
            "destinationPortRange": "*",
            "sourceAddressPrefix": "AzureLoadBalancer",
        },
        {"sourceAddressPrefix": ("VirtualNetwork", "Internet", "GatewayManager")},
        indifferent=("protocol", "destinationPortRange?"),
    ),
)
