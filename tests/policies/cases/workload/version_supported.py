from policies.settings import Settings
from policies.values import ABSENT
from tests.policies.case import Case

CASES = (
    *(
        Case(f"hashicorp:products:{product}Cluster", {"version": floor}, {"version": (*below, "x", "1.x.0", ABSENT)})
        for product, floor, below in (
            ("Consul", "1.18.0", ("1.17.9", "1.9.0", "0.99.0")),
            ("Vault", "1.16.0", ("1.15.0", "1.15.99")),
            ("Nomad", "1.9.0", ("1.8.9", "1.7.0")),
            ("Boundary", "0.17.0", ("0.16.9",)),
        )
    ),
    Case(
        "hashicorp:products:VaultCluster",
        {"version": "1.20.0"},
        {"version": ("1.19.9",)},
        settings=Settings(floors={"vault": "1.20.0"}),
    ),
    Case(
        "hashicorp:products:NomadCluster",
        {"version": "1.9.0"},
        {"version": ("1.8.0",)},
        settings=Settings(floors={"nomad": "1.9.0"}),
    ),
    Case(
        "aws:eks/cluster:Cluster",
        {"roleArn": "a", "vpcConfig": {"subnetIds": ["s"]}, "version": "1.33"},
        {"version": ("1.32",)},
        settings=Settings(kubernetes_floor="1.33"),
    ),
    Case(
        "aws:eks/cluster:Cluster",
        {"roleArn": "a", "vpcConfig": {"subnetIds": ["s"]}, "version": "1.31"},
        {"version": ("1.30", "1.9", ABSENT)},
    ),
    Case(
        "azure-native:containerservice:ManagedCluster",
        {"resourceGroupName": "rg", "kubernetesVersion": "1.31.4"},
        {"kubernetesVersion": ("1.30.9", ABSENT)},
    ),
    *(
        Case(
            "gcp:container/cluster:Cluster",
            {"minMasterVersion": "1.32.1-gke.100", "releaseChannel": {"channel": channel}},
            {"minMasterVersion": ("1.30.1-gke.1", ABSENT), "releaseChannel.channel": ("RAPID", "UNSPECIFIED", ABSENT)},
        )
        for channel in ("REGULAR", "STABLE")
    ),
)
