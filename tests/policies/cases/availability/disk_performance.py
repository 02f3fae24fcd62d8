from policies.values import ABSENT, UNKNOWN
from tests.policies.case import Case

_ABOVE = ("hashicorp:products:VaultCluster", "hashicorp:clouds:ServerGroup")
_CLIENTS = ("hashicorp:products:NomadCluster", "hashicorp:clouds:ClientGroup")
_VOLUME, _DISK, _GOOGLE = "aws:ebs/volume:Volume", "azure-native:compute:Disk", "gcp:compute/disk:Disk"
_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
_IOPS, _MBPS = (2999, "many", ABSENT, UNKNOWN), (124, "much", ABSENT, UNKNOWN)
_SLOW_AWS = ("gp2", "st1", "sc1", "standard", "", UNKNOWN)
_IN_AWS = {"availabilityZone": "us-west-2a", "size": 200}
_IN_AZURE = {"resourceGroupName": "rg", "creationData": {"createOption": "Empty"}}
_DATA = "virtualMachineProfile.storageProfile.dataDisks[0]"


def _mapped(name: str, **ebs: object) -> dict[str, object]:
    return {"deviceName": name, "ebs": ebs}


def _set(**disk: object) -> dict[str, object]:
    profile = {"storageProfile": {"dataDisks": [{"createOption": "Empty", "lun": 0, **disk}]}}
    return {"resourceGroupName": "rg", "virtualMachineProfile": profile}


def _google(*disks: dict[str, object]) -> dict[str, object]:
    return {"machineType": "n2-standard-4", "disks": [{"source": "data"}, *disks]}


def _stateful(image: str) -> dict[str, object]:
    container = {"name": "a", "image": image, "command": ["vault"], "args": ["server"]}
    return {
        "spec": {
            "selector": {},
            "serviceName": "s",
            "template": {"spec": {"containers": [container]}},
            "volumeClaimTemplates": [{"spec": {"storageClassName": "raft"}}],
        }
    }


CASES = (
    *(
        Case(
            f"hashicorp:products:{product}Cluster",
            {"server": {"dataDisk": {"type": kind, "iops": 3000, "throughputMb": 125, "sizeGb": 100}}},
            {
                "server.dataDisk.iops": _IOPS,
                "server.dataDisk.throughputMb": _MBPS,
                "server.dataDisk.sizeGb": (99, ABSENT, UNKNOWN),
                "server.dataDisk.type": ("gp2", "Premium_LRS", "pd-balanced", "Standard_LRS", ABSENT, UNKNOWN),
                "server.dataDisk": (ABSENT,),
            },
        )
        for product, kind in (("Consul", "gp3"), ("Vault", "PremiumV2_LRS"), ("Nomad", "pd-ssd"))
    ),
    Case(
        "hashicorp:products:VaultCluster",
        {"server": {"dataDisk": {"type": "Premium_LRS", "iops": 5000, "throughputMb": 200, "sizeGb": 1024}}},
        {"server.dataDisk.sizeGb": (1023,)},
    ),
    *(
        Case(
            _VOLUME,
            {**_IN_AWS, "type": kind, "iops": 3000, "throughput": 125},
            {"type": (*_SLOW_AWS, ABSENT), "iops": (2999, "many", UNKNOWN), "throughput": (124, UNKNOWN)},
            above=_ABOVE,
        )
        for kind in ("gp3", "io1", "io2")
    ),
    Case(_VOLUME, {**_IN_AWS, "type": "gp3"}, {"iops": (100,), "throughput": (100,)}, above=_ABOVE),
    Case(_VOLUME, {**_IN_AWS, "type": "io2", "iops": 3000}, {"iops": _IOPS}, above=_ABOVE),
    Case(
        _VOLUME,
        {**_IN_AWS, "type": "gp2", "size": 1000},
        {"size": (999, ABSENT)},
        above=_ABOVE,
    ),
    *(
        Case(_VOLUME, {**_IN_AWS, "type": "st1"}, above=above, indifferent=("type", "size"))
        for above in (_CLIENTS, ("hashicorp:products:BoundaryCluster",), ())
    ),
    Case(
        _TEMPLATE,
        {
            "blockDeviceMappings": [
                _mapped("/dev/sdf", volumeType="gp3", iops=3000, throughput=125, volumeSize=100),
                {"deviceName": "/dev/sdb", "noDevice": "true"},
            ]
        },
        {
            "blockDeviceMappings[0].ebs.volumeType": (*_SLOW_AWS, ABSENT),
            "blockDeviceMappings[0].ebs.iops": (2999, UNKNOWN),
            "blockDeviceMappings[0].ebs.throughput": (124, UNKNOWN),
            "blockDeviceMappings[0].deviceName": (UNKNOWN,),
        },
        above=_ABOVE,
    ),
    *(
        Case(
            _TEMPLATE,
            {"blockDeviceMappings": [_mapped(root, volumeType="gp2", volumeSize=50)]},
            {"blockDeviceMappings[0].deviceName": ("/dev/sdf", UNKNOWN)},
            above=_ABOVE,
            indifferent=tuple(f"blockDeviceMappings[].ebs?.{name}" for name in ("volumeType", "volumeSize")),
        )
        for root in ("/dev/sda1", "/dev/xvda")
    ),
    Case(
        _TEMPLATE,
        {"blockDeviceMappings": [_mapped("/dev/sdf", volumeType="standard")]},
        above=_CLIENTS,
        indifferent=("blockDeviceMappings[].deviceName", "blockDeviceMappings[].ebs?.volumeType"),
    ),
    *(
        Case(
            _DISK,
            {
                **_IN_AZURE,
                "sku": {"name": kind},
                "diskIOPSReadWrite": 3000,
                "diskMBpsReadWrite": 125,
                "diskSizeGB": 100,
            },
            {
                "sku.name": ("Premium_LRS", "Standard_LRS", "StandardSSD_LRS", ABSENT, UNKNOWN),
                "diskIOPSReadWrite": _IOPS,
                "diskMBpsReadWrite": _MBPS,
            },
            above=_ABOVE,
        )
        for kind in ("PremiumV2_LRS", "UltraSSD_LRS")
    ),
    *(
        Case(
            _DISK,
            {**_IN_AZURE, "sku": {"name": kind}, "diskSizeGB": 1024},
            {"diskSizeGB": (1023, ABSENT, UNKNOWN)},
            above=_ABOVE,
        )
        for kind in ("Premium_LRS", "Premium_ZRS")
    ),
    Case(
        "azure-native:compute:VirtualMachineScaleSet",
        _set(
            managedDisk={"storageAccountType": "PremiumV2_LRS"},
            diskIOPSReadWrite=3000,
            diskMBpsReadWrite=125,
            diskSizeGB=100,
        ),
        {
            f"{_DATA}.managedDisk.storageAccountType": ("Standard_LRS", "Premium_LRS", ABSENT),
            f"{_DATA}.diskIOPSReadWrite": _IOPS,
            f"{_DATA}.diskMBpsReadWrite": _MBPS,
        },
        above=_ABOVE,
    ),
    Case(
        "azure-native:compute:VirtualMachineScaleSet",
        _set(managedDisk={"storageAccountType": "Standard_LRS"}),
        above=_CLIENTS,
        indifferent=("virtualMachineProfile?.storageProfile?.dataDisks[].managedDisk.storageAccountType",),
    ),
    Case(
        _GOOGLE,
        {"type": "pd-ssd", "size": 100},
        {"size": (99, ABSENT, UNKNOWN), "type": ("pd-standard", "pd-balanced", ABSENT, UNKNOWN)},
        above=_ABOVE,
    ),
    *(
        Case(
            _GOOGLE,
            {"type": kind, "size": 10, "provisionedIops": 3000, "provisionedThroughput": 125},
            {"provisionedIops": _IOPS, "provisionedThroughput": (124,), "type": ("pd-ssd",)},
            above=_ABOVE,
        )
        for kind in ("projects/p/zones/z/diskTypes/hyperdisk-balanced", "hyperdisk-extreme", "pd-extreme")
    ),
    Case(_GOOGLE, {"type": "hyperdisk-balanced", "provisionedIops": 3000}, {"provisionedIops": (2999,)}, above=_ABOVE),
    Case(
        "gcp:compute/instanceTemplate:InstanceTemplate",
        _google(
            {
                "boot": False,
                "diskType": "hyperdisk-balanced",
                "diskSizeGb": 100,
                "provisionedIops": 3000,
                "provisionedThroughput": 125,
            }
        ),
        {
            "disks[1].diskType": ("pd-standard", ABSENT),
            "disks[1].provisionedIops": _IOPS,
            "disks[1].provisionedThroughput": (124,),
            "disks[0].source": (ABSENT,),
        },
        above=_ABOVE,
    ),
    Case(
        "gcp:compute/instanceTemplate:InstanceTemplate",
        {
            "machineType": "n2-standard-4",
            "disks": [{"boot": True, "diskType": "pd-balanced", "diskSizeGb": 50, "sourceImage": "debian"}],
        },
        {"disks[0].boot": (False, ABSENT, UNKNOWN)},
        above=_ABOVE,
        indifferent=("disks[].diskType", "disks[].diskSizeGb"),
    ),
    Case(
        "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
        _google({"diskType": "pd-ssd", "diskSizeGb": 100}),
        {"disks[1].diskSizeGb": (99, ABSENT)},
        above=_ABOVE,
    ),
    Case(
        "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
        _google({"diskType": "pd-standard"}),
        above=_CLIENTS,
        indifferent=tuple(f"disks[].{name}" for name in ("boot", "diskType", "diskSizeGb")),
    ),
    Case(
        "kubernetes:apps/v1:StatefulSet",
        _stateful("hashicorp/vault"),
        {
            "spec.volumeClaimTemplates[0].spec.storageClassName": (
                *("default", "standard", "standard-rwo", "gp2", ""),
                ABSENT,
            ),
        },
    ),
    Case(
        "kubernetes:apps/v1:StatefulSet",
        _stateful("grafana/loki"),
        indifferent=("spec.volumeClaimTemplates[].spec.storageClassName",),
    ),
)
