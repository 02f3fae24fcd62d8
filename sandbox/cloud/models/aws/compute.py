"""AWS machines and their disks.

Source: EC2 API reference, RunInstances, CreateVolume, AttachVolume, "Error codes"; EC2 user guide, "Run commands at
launch" (16 KiB of user data before encoding).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.aws.interfaces import place
from sandbox.cloud.models.aws.network import GROUP, SUBNET
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.truth.regions import aws_zones
from sandbox.cloud.wire import UNKNOWN, Value

INSTANCE: Final = "aws:ec2/instance:Instance"
VOLUME: Final = "aws:ebs/volume:Volume"
PROFILE: Final = "aws:iam/instanceProfile:InstanceProfile"
KEY: Final = "aws:kms/key:Key"
_KEY_REFERENCE: Final = "NotFoundException"
_USER_DATA_BYTES: Final = 16 * 1024
# Sizes in GiB by volume type (EBS user guide, "Amazon EBS volume types").
_SIZES: Final = {
    "gp2": (1, 16384), "gp3": (1, 65536), "io1": (4, 16384), "io2": (4, 65536), "st1": (125, 16384),
    "sc1": (125, 16384), "standard": (1, 1024),
}  # fmt: skip
_GP3_IOPS: Final = (3000, 80000)
_GP3_MBPS: Final = (125, 2000)
_IOPS_PER_GIB: Final = 500  # gp3
_IOPS_PER_MBPS: Final = 4  # gp3
_IMAGE: Final = re.compile(r"ami-([0-9a-f]{8}|[0-9a-f]{17})")

instance = model(
    INSTANCE,
    id="i-{hex17}",
    references=(
        Ref("subnetId", (SUBNET,), missing="InvalidSubnetID.NotFound"),
        Ref("vpcSecurityGroupIds[*]", (GROUP,), missing="InvalidGroup.NotFound"),
        Ref("iamInstanceProfile", (PROFILE,), missing="InvalidParameterValue"),
        Ref("rootBlockDevice.kmsKeyId", (KEY,), missing="InvalidKMSKey.NotFound"),
        Ref("placementGroup", ("aws:ec2/placementGroup:PlacementGroup",), missing="InvalidPlacementGroup.Unknown"),
    ),
    immutable=(
        "ami", "associatePublicIpAddress", "availabilityZone", "cpuOptions", "enclaveOptions", "hibernation",
        "ipv6AddressCount", "keyName", "networkInterfaces", "placementGroup", "privateIp", "rootBlockDevice.encrypted",
        "rootBlockDevice.kmsKeyId", "secondaryPrivateIps", "subnetId", "tenancy",
    ),
    outputs={
        "arn": "arn:aws:ec2:{region}:{account}:instance/{id}",
        "instanceState": "running",
        "primaryNetworkInterfaceId": "eni-{hex17}",
        "publicIp": "",
        "publicDns": "",
        "tenancy": "default",
        "instanceInitiatedShutdownBehavior": "stop",
        "vpcSecurityGroupIds": [],
    },
)  # fmt: skip
volume = model(
    VOLUME,
    id="vol-{hex17}",
    references=(Ref("kmsKeyId", (KEY,), missing="InvalidKMSKey.NotFound"),),
    immutable=("availabilityZone", "encrypted", "kmsKeyId", "snapshotId", "outpostArn", "multiAttachEnabled"),
    outputs={
        "arn": "arn:aws:ec2:{region}:{account}:volume/{id}",
        "createTime": "2026-01-01T00:00:00Z",
        "type": "gp2",
        "iops": 3000,
        "throughput": 125,
    },
    in_use="VolumeInUse",
)
attachment = model(
    "aws:ec2/volumeAttachment:VolumeAttachment",
    id="vai-{digits10}",
    unique=(("volumeId",), ("instanceId", "deviceName")),
    references=(
        Ref("instanceId", (INSTANCE,), missing="InvalidInstanceID.NotFound"),
        Ref("volumeId", (VOLUME,), missing="InvalidVolume.NotFound"),
    ),
    immutable=("deviceName", "instanceId", "volumeId"),
    exists="VolumeInUse",
)
placement_group = model(
    "aws:ec2/placementGroup:PlacementGroup",
    id="{name}",
    name=Name("name", max=255),
    unique=(("region", "name"),),
    immutable=("name", "strategy", "partitionCount", "spreadLevel"),
    outputs={
        "arn": "arn:aws:ec2:{region}:{account}:placement-group/{name}",
        "placementGroupId": "pg-{hex17}",
        "spreadLevel": "",
    },
    exists="InvalidPlacementGroup.Duplicate",
)


@instance.renew
def _new_user_data(draft: Draft) -> Iterator[str]:
    """`userDataReplaceOnChange` makes a change of user data, else a stop and start in place, a replacement."""
    if draft.get("userDataReplaceOnChange") is True and draft.old:
        yield from (name for name in ("userData", "userDataBase64") if draft.changed(name))


@instance.check
def _instance_fits(draft: Draft) -> Iterator[Failure]:
    text = draft.known("userData")
    if isinstance(text, str) and len(text.encode()) > _USER_DATA_BYTES:
        yield _too_long(draft, "userData", len(text.encode()))
    yield from user_data_failures(draft, "userDataBase64")
    yield from image_failures(draft, "ami")
    if text is not None and draft.get("userDataBase64") is not None:
        yield draft.fail("userData", "conflicts with userDataBase64")
    if draft.get("ami") is None and draft.get("launchTemplate") is None:
        yield draft.fail("ami", "one of ami and launchTemplate must be given")


def image_failures(draft: Draft, path: str) -> Iterator[Failure]:
    """What is wrong with an image id."""
    image = draft.known(path)
    if isinstance(image, str) and not _IMAGE.fullmatch(image):
        yield draft.fail(path, f'InvalidAMIID.Malformed: Invalid id: "{image}" (expecting "ami-...")')


def user_data_failures(draft: Draft, path: str) -> Iterator[Failure]:
    """What is wrong with user data that is already encoded."""
    encoded = draft.known(path)
    if not isinstance(encoded, str):
        return
    try:
        size = len(base64.b64decode(encoded, validate=True))
    except binascii.Error:
        yield draft.fail(path, "the value is not valid base64")
        return
    if size > _USER_DATA_BYTES:
        yield _too_long(draft, path, size)


def _too_long(draft: Draft, path: str, size: int) -> Failure:
    return draft.fail(path, f"User data is limited to {_USER_DATA_BYTES} bytes, got {size}")


@instance.admit
def _one_network(draft: Draft) -> None:
    subnet = draft.find(SUBNET, draft.get("subnetId"))
    for _, value in draft.each("vpcSecurityGroupIds[*]"):
        group = draft.find(GROUP, value)
        if subnet and group and group.type == GROUP and group["vpcId"] != subnet["vpcId"]:
            raise draft.refuse(
                "InvalidParameter", f"Security group {value} and subnet {subnet.id} belong to different networks."
            )


@instance.compute
def _placed(draft: Draft) -> dict[str, Value]:
    subnet = draft.find(SUBNET, draft.get("subnetId"))
    address = draft.kept("privateIp") or place(draft, draft.get("subnetId"), draft.get("privateIp"))
    region = draft.scope("region")
    zone = subnet["availabilityZone"] if subnet else aws_zones(region)[0]
    wanted = draft.get("availabilityZone")
    if wanted not in (None, zone):
        raise draft.refuse(
            "InvalidParameterValue", f"The availability zone '{wanted}' is not that of the subnet, {zone}"
        )
    return {
        "privateIp": address,
        "availabilityZone": zone,
        "privateDns": f"ip-{address.replace('.', '-')}.{region}.compute.internal",
    }


@instance.guard
def _not_protected(draft: Draft) -> None:
    if draft.get("disableApiTermination") is True and draft.get("forceDestroy") is not True:
        raise draft.refuse(
            "OperationNotPermitted",
            f"The instance '{draft.id}' may not be terminated. Modify its 'disableApiTermination' instance attribute "
            "and try again.",
        )


@volume.check
def _volume_size(draft: Draft) -> Iterator[Failure]:
    zone, region, kind = draft.known("availabilityZone"), draft.scope("region"), draft.get("type", "gp2")
    if zone and region and zone not in aws_zones(region):
        yield draft.fail("availabilityZone", f"The zone '{zone}' does not exist.")
    size, iops = draft.known("size"), draft.known("iops")
    low, high = _SIZES.get(kind, (1, 65536)) if isinstance(kind, str) else (1, 65536)
    if isinstance(size, int) and not low <= size <= high:
        yield draft.fail("size", f"Volume of {size}GiB is not valid for {kind}: {low} to {high} GiB")
    if size is None and draft.get("size") is not UNKNOWN and draft.get("snapshotId") is None:
        yield draft.fail("size", "one of size and snapshotId must be given")
    if isinstance(iops, int) and kind == "gp3":
        least, most = _GP3_IOPS
        if not least <= iops <= most:
            yield draft.fail("iops", f"gp3 takes {least} to {most} IOPS, got {iops}")
        elif isinstance(size, int) and iops > least and iops > size * _IOPS_PER_GIB:
            yield draft.fail("iops", f"Iops to volume size ratio of {iops / size:.0f} is too high; maximum is 500")
    if kind == "gp3":
        yield from _throughput(draft)
    if iops is not None and kind in ("gp2", "st1", "sc1", "standard"):
        yield draft.fail("iops", f"the parameter iops is not supported for {kind} volumes")


def _throughput(draft: Draft) -> Iterator[Failure]:
    mbps, (least, most) = draft.known("throughput"), _GP3_MBPS
    if not isinstance(mbps, int):
        return
    if not least <= mbps <= most:
        yield draft.fail("throughput", f"gp3 takes {least} to {most} MiB/s, got {mbps}")
    iops = draft.known("iops")
    if mbps > least and mbps * _IOPS_PER_MBPS > (iops if isinstance(iops, int) else _GP3_IOPS[0]):
        yield draft.fail("throughput", "Throughput (MiBps) to iops ratio is too high; maximum is 0.25")


@volume.admit
def _only_grows(draft: Draft) -> None:
    before, size = draft.kept("size"), draft.get("size")
    if isinstance(before, int) and isinstance(size, int) and size < before:
        raise draft.refuse("InvalidParameterValue", "New size cannot be smaller than existing size")


@attachment.admit
def _same_zone(draft: Draft) -> None:
    machine, disk = draft.find(INSTANCE, draft.get("instanceId")), draft.find(VOLUME, draft.get("volumeId"))
    if machine and disk and machine["availabilityZone"] != disk["availabilityZone"]:
        raise draft.refuse(
            "InvalidVolume.ZoneMismatch",
            f"The volume '{disk.id}' is not in the same availability zone as instance '{machine.id}'",
        )
