from collections.abc import Mapping

from policies.resource import Options
from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case, Held, StackCase, changed, joined, without

_ON, _OFF = Options(protect=True), (Options(),)
_FLAG = (False, "false", ABSENT, UNKNOWN)
_ABOVE = ("hashicorp:products:ConsulCluster",)
_RG = {"resourceGroupName": "rg"}


def _kept(type_: str, good: Mapping[str, object], breaks: Mapping[str, tuple[object, ...]] | None = None) -> Case:
    return Case(type_, good, breaks or {}, options=_ON, broken_options=_OFF)


_RDS = {"deletionProtection": _FLAG, "skipFinalSnapshot": (True, UNKNOWN), "deleteAutomatedBackups": (True, ABSENT)}
_RDS_GOOD = {"deletionProtection": True, "skipFinalSnapshot": False, "deleteAutomatedBackups": False}

_CLASS, _STATEFUL = "kubernetes:storage.k8s.io/v1:StorageClass", "kubernetes:apps/v1:StatefulSet"
_LOCK = "azure-native:authorization:ManagementLockByScope"
_NOMAD = "hashicorp:products:NomadCluster"
_SERVER = Held("gcp:compute/instance:Instance", "consul-1", {"deletionProtection": True}, above=_ABOVE)


def _claiming(storage: object, image: str) -> dict[str, object]:
    template = {"spec": {"containers": [{"name": "a", "image": image}]}}
    return {"spec": {"template": template, "volumeClaimTemplates": [{"spec": {"storageClassName": storage}}]}}


CASES = (
    _kept("aws:kms/key:Key", {}),
    _kept("aws:kms/replicaKey:ReplicaKey", {"primaryKeyArn": "arn:aws:kms:us-west-2:111122223333:key/mrk-1"}),
    _kept("aws:s3/bucketV2:BucketV2", {"forceDestroy": False}, {"forceDestroy": (True, "true", UNKNOWN)}),
    _kept("aws:s3/bucket:Bucket", {"forceDestroy": False}, {"forceDestroy": (True,)}),
    _kept("aws:rds/instance:Instance", {"instanceClass": "db.m6i.large", **_RDS_GOOD}, _RDS),
    _kept("aws:rds/cluster:Cluster", {"engine": "aurora-postgresql", **_RDS_GOOD}, _RDS),
    _kept("aws:ebs/volume:Volume", {"availabilityZone": "us-west-2a", "size": 1}),
    _kept("aws:ec2/vpnGateway:VpnGateway", {}),
    _kept("aws:ec2transitgateway/transitGateway:TransitGateway", {"amazonSideAsn": 64512}),
    _kept(
        "azure-native:keyvault:Vault",
        {**_RG, "properties": {"tenantId": "t", "sku": {"family": "A", "name": "standard"}}},
    ),
    _kept("azure-native:keyvault:Key", {**_RG, "vaultName": "v", "properties": {}}),
    _kept("azure-native:storage:StorageAccount", {**_RG, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}),
    _kept("azure-native:dbforpostgresql:Server", _RG),
    _kept("azure-native:network:VirtualNetworkGateway", _RG),
    _kept("azure-native:compute:Disk", {**_RG, "creationData": {"createOption": "Empty"}}),
    _kept("gcp:compute/disk:Disk", {"type": "pd-ssd", "size": 100}),
    _kept("gcp:kms/cryptoKey:CryptoKey", {"keyRing": "r"}),
    _kept("gcp:kms/keyRing:KeyRing", {"location": "us"}),
    _kept(
        "gcp:storage/bucket:Bucket",
        {"location": "US", "forceDestroy": False, "softDeletePolicy": {"retentionDurationSeconds": 604800}},
        {"forceDestroy": (True,), "softDeletePolicy.retentionDurationSeconds": (604799, 0, "week", UNKNOWN)},
    ),
    _kept("gcp:storage/bucket:Bucket", {"location": "US"}, {"softDeletePolicy": ({"retentionDurationSeconds": 1},)}),
    _kept(
        "gcp:sql/databaseInstance:DatabaseInstance",
        {
            "databaseVersion": "POSTGRES_16",
            "deletionProtection": True,
            "settings": {"tier": "t", "deletionProtectionEnabled": True},
        },
        {"deletionProtection": _FLAG, "settings.deletionProtectionEnabled": _FLAG},
    ),
    _kept("gcp:compute/haVpnGateway:HaVpnGateway", {"network": "n"}),
    Case(
        "aws:eks/cluster:Cluster",
        {"roleArn": "r", "vpcConfig": {"subnetIds": ["s"]}, "deletionProtection": True},
        {"deletionProtection": _FLAG},
    ),
    Case("gcp:container/cluster:Cluster", {"deletionProtection": True}, {"deletionProtection": _FLAG}),
    Case(
        "aws:ec2/instance:Instance",
        {"ami": "ami-0123456789abcdef0", "disableApiTermination": True},
        {"disableApiTermination": _FLAG},
        above=_ABOVE,
    ),
    Case(
        "aws:ec2/instance:Instance",
        {"ami": "ami-0123456789abcdef0", "disableApiTermination": False},
        indifferent=("disableApiTermination",),
    ),
    Case("aws:lb/loadBalancer:LoadBalancer", {"enableDeletionProtection": True}, {"enableDeletionProtection": _FLAG}),
    *(
        Case(
            "azure-native:authorization:ManagementLockByScope",
            {"level": level, "scope": "s"},
            {"level": ("NotSpecified",)},
        )
        for level in ("CanNotDelete", "ReadOnly")
    ),
    *(
        Case(
            _CLASS,
            {"provisioner": "p", "reclaimPolicy": "Retain", "metadata": {"name": name}},
            {"reclaimPolicy": ("Delete", ABSENT, UNKNOWN)},
            indifferent=("metadata.name",),
        )
        for name in ("raft", "vault-data", "consul", "nomad", "boundary-db", "Postgres", "db", "fast-database")
    ),
    Case(_CLASS, {"provisioner": "p", "reclaimPolicy": "Retain"}, {"reclaimPolicy": ("Delete",)}, name="raft"),
    Case(
        _CLASS,
        {"provisioner": "p", "reclaimPolicy": "Retain", "metadata": {"name": "scratch"}},
        advises={"reclaimPolicy": ("Delete", ABSENT)},
        indifferent=("metadata.name",),
    ),
    *(
        _kept("vault:index/mount:Mount", {"path": "p", "type": kind})
        for kind in ("kv", "kv-v2", "generic", "transit", "pki")
    ),
    Case("vault:index/mount:Mount", {"path": "p", "type": "ssh"}, {"type": ("kv", "transit", UNKNOWN)}),
    Case("nomad:index/job:Job", {"jobspec": "j", "purgeOnDestroy": False}, {"purgeOnDestroy": (True, UNKNOWN)}),
    StackCase(
        ("gcp",),
        (_SERVER, Held("gcp:compute/instance:Instance", "bastion", {"deletionProtection": False})),
        breaks={
            "no guard": changed("consul-1", "deletionProtection", value=False),
            "no guard said": changed("consul-1", "deletionProtection", ABSENT),
            "a guard that is not known": changed("consul-1", "deletionProtection", UNKNOWN),
            "an unguarded client": joined(Held(_SERVER.type, "client", {}, above=(_NOMAD, "hashicorp:clouds:Other"))),
        },
    ),
    *(
        StackCase(
            ("gcp",),
            (
                Held(_SERVER.type, _SERVER.name, {"deletionProtection": False}, above=(token,)),
                Held(token, "cluster", {"spec": {"replacement": {"rollout": ["consul-1"]}}}),
            ),
            breaks={
                "another server is rolled": changed("cluster", "spec.replacement.rollout", ["consul-2"]),
                "no server is rolled": changed("cluster", "spec", {}),
            },
        )
        for token in (_NOMAD, "hashicorp:products:BoundaryCluster")
    ),
    *(
        StackCase(
            ("azure",),
            (Held(token, "kept", _RG), Held(_LOCK, "lock", {"level": "CanNotDelete", "scope": "s"})),
            advises={"no lock": without("lock")},
        )
        for token in ("azure-native:keyvault:Vault", "azure-native:storage:StorageAccount")
    ),
    *(
        StackCase(
            ("kubernetes",),
            (
                Held(_CLASS, "class", {"metadata": {"name": "fast"}, "reclaimPolicy": "Retain"}),
                Held(_CLASS, "scratch", {"metadata": {"name": "scratch"}, "reclaimPolicy": "Delete"}),
                Held(_STATEFUL, "loki", _claiming("scratch", "grafana/loki")),
                Held(_STATEFUL, "raft", _claiming("fast", image)),
            ),
            breaks={
                "claims are dropped": changed("class", "reclaimPolicy", "Delete"),
                "nothing is said": changed("class", "reclaimPolicy", ABSENT),
                "not known": changed("class", "reclaimPolicy", UNKNOWN),
                "claims of another class": changed(
                    "raft", "spec.volumeClaimTemplates[0].spec.storageClassName", "scratch"
                ),
            },
        )
        for image in ("hashicorp/vault", "postgres:16")
    ),
    StackCase(
        ("kubernetes",),
        (
            Held(_CLASS, "class", {"metadata": {"name": UNKNOWN}, "reclaimPolicy": "Retain"}),
            Held(_STATEFUL, "raft", _claiming(UNKNOWN, "hashicorp/vault"), {"spec": ["class"]}),
        ),
        breaks={"claims are dropped": changed("class", "reclaimPolicy", "Delete")},
    ),
    StackCase(
        ("kubernetes",),
        (
            Held(_CLASS, "class", {"metadata": {"name": UNKNOWN}, "reclaimPolicy": "Delete"}),
            Held(_STATEFUL, "raft", _claiming(UNKNOWN, "hashicorp/vault")),
        ),
    ),
)
