from policies.settings import Settings
from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, Stack, StackCase, changed, joined

_BAD = ("10.4.0.0/16", "10.0.0.0/8", "192.168.0.0/24", "10.1.0.1/16", ABSENT)
_NETWORK = "hashicorp:clouds:Network"
_FACTS = {
    "complianceFacts": {
        "networks": [{"cidr": "10.1.0.0/16"}],
        "peersRequired": False,
        "peers": {"azure": {"networks": [{"cidr": "10.2.0.0/16"}]}, "gcp": {"networks": [{"cidr": "10.3.0.0/16"}]}},
    }
}
_STACK = (
    Held(_NETWORK, "network", {"spec": {"cloud": "aws", "cidr": "10.1.0.0/16"}}),
    Held("pulumi:pulumi:Stack", "root", _FACTS),
)
_VPC = "aws:ec2/vpc:Vpc"
_SILENT = changed("root", "complianceFacts.peers.gcp", {})


def _required(stack: Stack) -> Stack:
    return changed("root", "complianceFacts.peersRequired", value=True)(_SILENT(stack))


def _services(type_: str, props: dict[str, object], *paths: str, own: bool) -> StackCase:
    """A cluster's ranges; `own` where they must not lie in the stack's own network either."""
    elsewhere = {f"{path} in a peer's network": changed("cluster", path, "10.3.64.0/20") for path in paths}
    here = {f"{path} in its own network": changed("cluster", path, "10.1.64.0/20") for path in paths if own}
    odd = {f"{path} that is no range": changed("cluster", path, "10.3.64.1/20") for path in paths}
    both = {"pods among services": changed("cluster", paths[0], "172.22.0.0/20")} if len(paths) > 1 else {}
    return StackCase(
        (type_.partition(":")[0].removesuffix("-native"),),
        (*_STACK, Held(type_, "cluster", props)),
        breaks={**elsewhere, **here, **odd, **both},
        defers={
            **{f"an unknown {path}": changed("cluster", path, UNKNOWN) for path in paths},
            **{f"only the size of {path}": changed("cluster", path, "/16") for path in paths},
        },
    )


CASES = (
    Case(_VPC, {"cidrBlock": "10.1.0.0/16"}, {"cidrBlock": _BAD}),
    Case(
        _VPC,
        {"cidrBlock": "10.9.0.0/16"},
        {"cidrBlock": ("10.1.0.0/16",)},
        settings=Settings(mesh_cidrs=("10.9.0.0/16",)),
    ),
    Case(
        "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation",
        {"vpcId": "vpc", "cidrBlock": "10.1.128.0/20"},
        {"cidrBlock": _BAD},
    ),
    Case(
        "azure-native:network:VirtualNetwork",
        {"resourceGroupName": "rg", "addressSpace": {"addressPrefixes": ["10.2.0.0/17", "10.2.128.0/17"]}},
        {
            "addressSpace.addressPrefixes[0]": _BAD[:-1],
            "addressSpace.addressPrefixes[1]": _BAD[:-1],
            "addressSpace.addressPrefixes": ([], ABSENT),
            "addressSpace": (ABSENT,),
        },
    ),
    Case(
        "gcp:compute/subnetwork:Subnetwork",
        {
            "network": "n",
            "ipCidrRange": "10.3.1.0/24",
            "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.3.128.0/17"}],
        },
        {"ipCidrRange": _BAD, "secondaryIpRanges[0].ipCidrRange": _BAD},
    ),
    Case("gcp:compute/subnetwork:Subnetwork", {"network": "n", "ipCidrRange": "10.3.0.0/16"}),
    Case(
        _NETWORK,
        {"cidr": "10.1.0.0/16", "subnets": [{"cidr": "10.1.0.0/24"}, {"cidr": "10.1.1.0/24"}]},
        {
            "subnets[0].cidr": ("10.1.1.0/25",),
            "subnets[1].cidr": ("10.1.0.0/25", "10.2.0.0/24", "10.1.1.1/24", "x", ABSENT),
            "cidr": ("10.1.0.0/24", "10.1.0.1/16", "x", ABSENT),
        },
    ),
    StackCase(
        ("component",),
        _STACK,
        breaks={
            "a network of a peer": changed("network", "spec.cidr", "10.3.0.0/16"),
            "a network that holds a peer's": changed("network", "spec.cidr", "10.0.0.0/8"),
            "a part of a peer's": changed("network", "spec.cidr", "10.2.255.0/24"),
            "two of its own": joined(Held(_NETWORK, "second", {"spec": {"cloud": "aws", "cidr": "10.1.5.0/24"}})),
            "peers among themselves": changed("root", "complianceFacts.peers.gcp.networks[0].cidr", "10.2.3.0/24"),
            "a peer that must have said something": _required,
        },
        advises={
            "a peer that has said nothing yet": _SILENT,
            "a peer that was never updated": changed("root", "complianceFacts.peers.gcp", None),
        },
        defers={
            "unknown facts": changed("root", "complianceFacts", UNKNOWN),
            "a peer's unknown network": changed("root", "complianceFacts.peers.gcp.networks[0].cidr", UNKNOWN),
            "an unknown range": changed("network", "spec.cidr", UNKNOWN),
        },
    ),
    # A peer's own mistake is the peer's stack to report.
    StackCase(
        ("component",),
        changed("root", "complianceFacts.peers.gcp.networks", [{"cidr": "10.3.0.0/16"}, {"cidr": "10.3.0.0/17"}])(
            _STACK
        ),
    ),
    *(
        StackCase(
            (place,),
            (*_STACK, Held(type_, "made", props)),
            breaks={
                f"{path} in the block of a peer": changed("made", path, value)
                for path, value in ((path, "10.2.0.0/17") for path in paths)
            },
            defers={f"an unknown {path}": changed("made", path, UNKNOWN) for path in paths},
        )
        for place, type_, props, paths in (
            ("aws", _VPC, {"cidrBlock": "10.1.0.0/16"}, ("cidrBlock",)),
            (
                "azure",
                "azure-native:network:VirtualNetwork",
                {"addressSpace": {"addressPrefixes": ["10.1.0.0/17", "10.1.128.0/17"]}},
                ("addressSpace.addressPrefixes[1]",),
            ),
            (
                "gcp",
                "gcp:compute/subnetwork:Subnetwork",
                {"ipCidrRange": "10.1.0.0/17", "secondaryIpRanges": [{"ipCidrRange": "10.1.128.0/17"}]},
                ("ipCidrRange", "secondaryIpRanges[0].ipCidrRange"),
            ),
        )
    ),
    # Its own facts, and its own components, each say which block is the stack's.
    *(
        StackCase(
            ("aws",),
            (told, Held(_VPC, "made", {"cidrBlock": "10.1.0.0/16"})),
            breaks={"another block": changed("made", "cidrBlock", "10.2.0.0/16")},
        )
        for told in (
            _STACK[0],
            Held("pulumi:pulumi:Stack", "root", {"complianceFacts": {"networks": [{"cidr": "10.1.0.0/16"}]}}),
        )
    ),
    StackCase(("aws",), (Held(_VPC, "made", {"cidrBlock": "10.7.0.0/16"}),)),
    _services(
        "aws:eks/cluster:Cluster",
        {"kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/16"}},
        "kubernetesNetworkConfig.serviceIpv4Cidr",
        own=True,
    ),
    _services(
        "azure-native:containerservice:ManagedCluster",
        {"networkProfile": {"podCidr": "172.21.0.0/16", "serviceCidr": "172.22.0.0/16"}},
        "networkProfile.podCidr",
        "networkProfile.serviceCidr",
        own=True,
    ),
    _services(
        "gcp:container/cluster:Cluster",
        {"ipAllocationPolicy": {"clusterIpv4CidrBlock": "10.1.128.0/17", "servicesIpv4CidrBlock": "172.22.0.0/16"}},
        "ipAllocationPolicy.clusterIpv4CidrBlock",
        "ipAllocationPolicy.servicesIpv4CidrBlock",
        own=False,
    ),
    StackCase(
        ("gcp",),
        (
            *_STACK,
            Held("gcp:container/cluster:Cluster", "named", {"ipAllocationPolicy": {"clusterIpv4CidrBlock": ""}}),
            Held("aws:eks/cluster:Cluster", "bare", {}),
        ),
    ),
)
