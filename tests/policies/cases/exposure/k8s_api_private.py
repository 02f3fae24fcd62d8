from policies.settings import Settings
from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case

_ADMINS = Settings(admin_cidrs=("198.51.100.0/22",))
_OFF, _ON = (False, ABSENT, UNKNOWN), (True, ABSENT, UNKNOWN)
_FOREIGN = ("0.0.0.0/0", "198.51.96.0/21", "10.0.0.0/8", "the office")
_LISTED = ["198.51.100.0/24", "10.1.0.0/16"]
_EKS = {"roleArn": "arn:aws:iam::123456789012:role/eks"}
_AKS = {"resourceGroupName": "rg", "disableLocalAccounts": True, "enableRBAC": True}
_DNS = {"dnsEndpointConfig": {"allowExternalTraffic": False}}

CASES = (
    Case(
        "aws:eks/cluster:Cluster",
        {**_EKS, "vpcConfig": {"subnetIds": ["a"], "endpointPrivateAccess": True, "endpointPublicAccess": False}},
        {"vpcConfig.endpointPrivateAccess": _OFF, "vpcConfig.endpointPublicAccess": _ON},
    ),
    Case(
        "aws:eks/cluster:Cluster",
        {
            **_EKS,
            "vpcConfig": {
                "subnetIds": ["a"],
                "endpointPrivateAccess": True,
                "endpointPublicAccess": True,
                "publicAccessCidrs": _LISTED,
            },
        },
        {
            "vpcConfig.endpointPrivateAccess": _OFF,
            "vpcConfig.publicAccessCidrs[1]": _FOREIGN,
            "vpcConfig.publicAccessCidrs": (ABSENT, []),
        },
        settings=_ADMINS,
    ),
    Case(
        "azure-native:containerservice:ManagedCluster",
        {**_AKS, "apiServerAccessProfile": {"enablePrivateCluster": True}},
        {
            "disableLocalAccounts": _OFF,
            "enableRBAC": (False,),
            "apiServerAccessProfile.enablePrivateCluster": _OFF,
            "apiServerAccessProfile": (ABSENT,),
        },
    ),
    Case(
        "azure-native:containerservice:ManagedCluster",
        {**_AKS, "apiServerAccessProfile": {"enablePrivateCluster": False, "authorizedIPRanges": _LISTED}},
        {
            "apiServerAccessProfile.authorizedIPRanges[0]": _FOREIGN,
            "apiServerAccessProfile.authorizedIPRanges": (ABSENT, []),
        },
        settings=_ADMINS,
    ),
    Case(
        "gcp:container/cluster:Cluster",
        {
            "location": "us-west1",
            "privateClusterConfig": {"enablePrivateNodes": True, "enablePrivateEndpoint": True},
            "controlPlaneEndpointsConfig": _DNS,
            "enableLegacyAbac": False,
        },
        {
            "privateClusterConfig.enablePrivateNodes": _OFF,
            "privateClusterConfig.enablePrivateEndpoint": _OFF,
            "privateClusterConfig": (ABSENT,),
            "controlPlaneEndpointsConfig.dnsEndpointConfig.allowExternalTraffic": (True,),
            "enableLegacyAbac": (True,),
        },
    ),
    Case(
        "gcp:container/cluster:Cluster",
        {
            "location": "us-west1",
            "privateClusterConfig": {"enablePrivateNodes": True, "enablePrivateEndpoint": False},
            "masterAuthorizedNetworksConfig": {"cidrBlocks": [{"cidrBlock": network} for network in _LISTED]},
        },
        {
            "masterAuthorizedNetworksConfig.cidrBlocks[1].cidrBlock": _FOREIGN,
            "masterAuthorizedNetworksConfig.cidrBlocks": (ABSENT, []),
            "masterAuthorizedNetworksConfig": (ABSENT,),
        },
        settings=_ADMINS,
    ),
)
