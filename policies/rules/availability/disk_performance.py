"""The raft's disk is its own, and fast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from policies.concepts.clusters import RAFT, voting
from policies.concepts.workloads import voters
from policies.conditions import at_least
from policies.context import Context
from policies.resource import Node, Resource
from policies.rule import Check, Finding, Rule, each, need, on
from policies.values import ABSENT, as_bool, as_int

_IOPS, _MBPS, _GIB = 3000, 125, 100
_LEAST = f"at least {_IOPS} operations and {_MBPS} MB a second"
_BASE = frozenset({"gp3"})
"""Types that have the least without being asked."""
_BOUGHT = frozenset({"gp3", "PremiumV2_LRS", "UltraSSD_LRS"})
"""Types whose operations and throughput are bought apart."""
_BOUGHT_IOPS = frozenset({"io1", "io2", "hyperdisk-balanced", "hyperdisk-extreme", "pd-extreme"})
"""Types whose throughput follows, unless it is said."""
_EARNED = {"gp2": 1000, "Premium_LRS": 1024, "Premium_ZRS": 1024, "pd-ssd": 100}
"""Types whose operations follow from the size, and from which size on they are enough, in GiB."""
_ROOTS = frozenset({"/dev/sda1", "/dev/xvda"})
_DATA = "server.dataDisk"
_DEFAULT_CLASSES = frozenset({"", "default", "standard", "standard-rwo", "gp2"})
"""Storage classes that the clouds make by themselves."""


@dataclass(frozen=True)
class _Disk:
    """A disk as a cloud spells it; `ABSENT` for what is not said."""

    type: object
    iops: object
    mbps: object
    size: object


def _slow(disk: _Disk) -> str:
    """What is wrong, as the end of a sentence; empty where nothing is."""
    kind = str(disk.type).rpartition("/")[2]
    if kind in _EARNED:
        size = as_int(disk.size)
        return "" if size is not None and size >= _EARNED[kind] else f"must be larger, to have {_LEAST}"
    if kind not in _BOUGHT | _BOUGHT_IOPS:
        return f"must be of a type that promises {_LEAST}"
    silent = (kind in _BASE, kind in _BASE | _BOUGHT_IOPS)
    for value, least, may in ((disk.iops, _IOPS, silent[0]), (disk.mbps, _MBPS, silent[1])):
        number = as_int(value)
        if not (may and value is ABSENT) and (number is None or number < least):
            return f"must have {_LEAST}"
    return ""


def _of(node: Node, kind: str, iops: str, mbps: str, size: str) -> Iterator[Finding]:
    problem = _slow(_Disk(*(node.get(path) for path in (kind, iops, mbps, size))))
    if problem:
        yield Finding(node.path, problem)


def _declared(cluster: Resource, _: Context) -> Iterator[Finding]:
    """The type; what the disk promises is judged figure by figure."""
    kind = cluster.at(f"{_DATA}.type")
    problem = _slow(_Disk(kind.known(), _IOPS, _MBPS, cluster.get(f"{_DATA}.sizeGb")))
    if problem:
        yield Finding(kind.path, problem)


def _disk(token: str, kind: str, iops: str, mbps: str, size: str) -> Check:
    """A check of a disk that is a resource of its own, below a cluster with voters."""

    def judge(disk: Resource, _: Context) -> Iterator[Finding]:
        if voting(disk):
            yield from _of(disk.node, kind, iops, mbps, size)

    return Check((token,), judge, (kind, iops, mbps, size), unknown="fail")


def _ebs(mapping: Node, template: Resource, _: Context) -> Iterator[Finding]:
    if voting(template) and mapping.get("deviceName") not in _ROOTS and not mapping.at("ebs").absent:
        yield from _of(mapping.at("ebs"), "volumeType", "iops", "throughput", "volumeSize")


def _attached(disk: Node, group: Resource, _: Context) -> Iterator[Finding]:
    if voting(group):
        yield from _of(disk, "managedDisk.storageAccountType", "diskIOPSReadWrite", "diskMBpsReadWrite", "diskSizeGB")


def _templated(disk: Node, template: Resource, _: Context) -> Iterator[Finding]:
    # One that exists already is judged where it is made.
    if voting(template) and not as_bool(disk.get("boot")) and disk.at("source").absent:
        yield from _of(disk, "diskType", "provisionedIops", "provisionedThroughput", "diskSizeGb")


def _claim(claim: Node, workload: Resource, _: Context) -> Iterator[Finding]:
    if voters(workload):
        storage = claim.at("spec.storageClassName")
        if storage.value is ABSENT or storage.known() in _DEFAULT_CLASSES:
            yield Finding(storage.path, "must be a class of the platform, and not the cloud's default")


_EBS = ("deviceName", *(f"ebs?.{name}" for name in ("volumeType", "iops", "throughput", "volumeSize")))

RULE = Rule(
    "disk-performance",
    (
        Check(
            RAFT,
            _declared,
            (f"{_DATA}.type", f"{_DATA}.sizeGb"),
            unknown="fail",
        ),
        on(
            RAFT,
            need(f"{_DATA}.iops", at_least(_IOPS)),
            need(f"{_DATA}.throughputMb", at_least(_MBPS)),
            need(f"{_DATA}.sizeGb", at_least(_GIB)),
            unknown="fail",
        ),
        _disk("aws:ebs/volume:Volume", "type", "iops", "throughput", "size"),
        each("aws:ec2/launchTemplate:LaunchTemplate", "blockDeviceMappings[]", _ebs, _EBS, unknown="fail"),
        _disk("azure-native:compute:Disk", "sku.name", "diskIOPSReadWrite", "diskMBpsReadWrite", "diskSizeGB"),
        each(
            "azure-native:compute:VirtualMachineScaleSet",
            "virtualMachineProfile?.storageProfile?.dataDisks[]",
            _attached,
            ("managedDisk.storageAccountType", "diskIOPSReadWrite", "diskMBpsReadWrite", "diskSizeGB"),
            unknown="fail",
        ),
        _disk("gcp:compute/disk:Disk", "type", "provisionedIops", "provisionedThroughput", "size"),
        each(
            "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
            "disks[]",
            _templated,
            ("boot", "diskType", "diskSizeGb", "provisionedIops", "provisionedThroughput"),
            unknown="fail",
        ),
        each(
            "kubernetes:apps/v1:StatefulSet",
            "spec.volumeClaimTemplates[]",
            _claim,
            ("spec.storageClassName",),
        ),
    ),
)
