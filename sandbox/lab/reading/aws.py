"""Network, machines, databases and security groups of AWS.

A group allows and never denies; a machine, or a balancer's front, lets through what any of its groups allows. Answers to what was let through
pass, as connection tracking does on the switch.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.lab.world import Balancer, Check, Database, Disk, Listener, Machine, Network, Protocol, Rule, World

from .fronts import open_to_all
from .placing import placed, unplanned
from .registered import NotReadError, Registered, Row

_INSTANCE, _TEMPLATE = "aws:ec2/instance:Instance", "aws:ec2/launchTemplate:LaunchTemplate"
_GROUP, _SUBNET, _VOLUME = "aws:autoscaling/group:Group", "aws:ec2/subnet:Subnet", "aws:ebs/volume:Volume"
_ATTACHMENT, _PROFILE = "aws:ec2/volumeAttachment:VolumeAttachment", "aws:iam/instanceProfile:InstanceProfile"
_INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
_ROLE, _VPC = "aws:iam/role:Role", "aws:ec2/vpc:Vpc"
_BALANCER, _LISTENER = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener"
_TARGETS, _TARGET = "aws:lb/targetGroup:TargetGroup", "aws:lb/targetGroupAttachment:TargetGroupAttachment"
_DATABASE, _SUBNETS = "aws:rds/instance:Instance", "aws:rds/subnetGroup:SubnetGroup"
_DIRECTIONS: tuple[tuple[Literal["in", "out"], str], ...] = (("in", _INGRESS), ("out", _EGRESS))
_KERNEL_NAMES = ("/dev/nvme1n1", "/dev/nvme2n1", "/dev/nvme3n1")
"""What the kernel calls data disks, in the order of their attachment."""


@dataclass(frozen=True)
class _Found:
    machine: Machine
    groups: tuple[str, ...]


def world(registered: Registered) -> World:
    """AWS's part.

    Raises:
        NotReadError: a rule's peer or protocol is of a kind that the lab does not know.
    """
    found = [*_instances(registered), *_scaled(registered)]
    members: dict[str, list[str]] = {}
    for each in found:
        for group in each.groups:
            members.setdefault(group, []).append(f"{each.machine.address}/32")
    for row in registered.of(_BALANCER):
        for group in row.get("securityGroups", ()):
            members.setdefault(group, []).extend(f"{place['privateIpv4Address']}/32" for place in row["subnetMappings"])
    rules = [
        _rule(each.machine.name, towards, row, members)
        for each in found
        for towards, kind in _DIRECTIONS
        for row in registered.of(kind)
        if row["securityGroupId"] in each.groups
    ]
    addresses = {each.machine.id: each.machine.address for each in found}
    return World(
        tuple(each.machine for each in found),
        (*rules, *_fronts(registered, members), *_clients(registered, members)),
        tuple(_balancers(registered, addresses)),
        tuple(Network("aws", row["cidrBlock"]) for row in registered.of(_VPC)),
        tuple(_databases(registered)),
    )


def _instances(registered: Registered) -> Iterator[_Found]:
    subnets, volumes = registered.by(_SUBNET, "id"), registered.by(_VOLUME, "id")
    roles = _roles(registered)
    attached: dict[str, list[Row]] = {}
    for row in sorted(registered.of(_ATTACHMENT), key=lambda row: row["deviceName"]):
        attached.setdefault(row["instanceId"], []).append(volumes[row["volumeId"]])
    for row in registered.of(_INSTANCE):
        subnet = subnets[row["subnetId"]]
        disks = zip(attached.get(row["id"], []), _KERNEL_NAMES, strict=False)
        yield _Found(
            Machine(
                id=row["id"],
                name=row["tags"]["Name"],
                cloud="aws",
                region=subnet["region"],
                zone=subnet["availabilityZone"],
                address=row["privateIp"],
                subnet=subnet["cidrBlock"],
                user_data=_unpacked(row["userDataBase64"]),
                identity=roles.get(row.get("iamInstanceProfile", ""), ""),
                disks=tuple(_disk(volume, kernel) for volume, kernel in disks),
            ),
            tuple(row["vpcSecurityGroupIds"]),
        )


def _scaled(registered: Registered) -> Iterator[_Found]:
    subnets, templates = registered.by(_SUBNET, "id"), registered.by(_TEMPLATE, "id")
    roles = _roles(registered)
    for group in registered.of(_GROUP):
        template = templates[group["launchTemplate"]["id"]]
        places = [subnets[each] for each in group["vpcZoneIdentifiers"]]
        where = placed([place["cidrBlock"] for place in places], int(group["desiredCapacity"]))
        for number, (index, address) in enumerate(where, start=1):
            yield _Found(
                Machine(
                    # A new version of the template is another machine, as after an instance refresh.
                    id=f"{group['name']}-{number}-{template['latestVersion']}",
                    name=f"{group['name']}-aws-{number}",
                    cloud="aws",
                    region=places[index]["region"],
                    zone=places[index]["availabilityZone"],
                    address=address,
                    subnet=places[index]["cidrBlock"],
                    user_data=_unpacked(template["userData"]),
                    identity=roles[template["iamInstanceProfile"]["name"]],
                ),
                tuple(template["vpcSecurityGroupIds"]),
            )


def _roles(registered: Registered) -> dict[str, str]:
    """ARNs of roles by the profile that hands them to machines."""
    roles = registered.by(_ROLE, "name")
    return {profile["name"]: roles[profile["role"]]["arn"] for profile in registered.of(_PROFILE)}


def _disk(volume: Row, kernel: str) -> Disk:
    name = volume["id"].replace("-", "")
    return Disk(volume["id"], int(volume["size"]), (f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{name}", kernel))


def _unpacked(data: str) -> bytes:
    """User data as the machine's cloud-init sees it; gzip is unpacked by cloud-init itself and stays."""
    return base64.b64decode(data)


def _rule(machine: str, towards: Literal["in", "out"], row: Row, members: dict[str, list[str]]) -> Rule:
    if re.fullmatch(r"\d+\.\d+\.\d+\.\d+/\d+", row.get("cidrIpv4") or ""):
        peers: tuple[str, ...] = (row["cidrIpv4"],)
    elif row.get("referencedSecurityGroupId"):
        peers = tuple(members.get(row["referencedSecurityGroupId"], ()))
    else:
        raise NotReadError(f"{row['id']}: a rule for neither a range nor a group")
    protocol = _protocol(row)
    return Rule(machine, towards, True, protocol, peers, _ports(protocol, row))  # noqa: FBT003 - groups only allow


def _protocol(row: Row) -> Protocol:
    known: dict[str, Protocol] = {"tcp": "tcp", "udp": "udp", "icmp": "icmp", "-1": "any"}
    if row["ipProtocol"] not in known:
        raise NotReadError(f"{row['id']}: protocol {row['ipProtocol']}")
    return known[row["ipProtocol"]]


def _ports(protocol: Protocol, row: dict[str, Any]) -> tuple[int, int] | None:
    return (int(row["fromPort"]), int(row["toPort"])) if protocol in ("tcp", "udp") else None


def _balancers(registered: Registered, addresses: Mapping[str, str]) -> Iterator[Balancer]:
    groups = registered.by(_TARGETS, "arn")
    members: dict[str, list[str]] = {}
    for row in registered.of(_TARGET):
        members.setdefault(row["targetGroupArn"], []).append(addresses[row["targetId"]])
    for row in registered.of(_BALANCER):
        listeners = [each for each in registered.of(_LISTENER) if each["loadBalancerArn"] == row["arn"]]
        yield Balancer(
            row["arn"],
            row["name"],
            "aws",
            tuple(place["privateIpv4Address"] for place in row["subnetMappings"]),
            tuple(_listener(each, groups, members) for each in listeners),
            last_resort=True,
        )


def _fronts(registered: Registered, members: dict[str, list[str]]) -> Iterator[Rule]:
    for row in registered.of(_BALANCER):
        groups = row.get("securityGroups", ())
        if not groups:
            yield open_to_all(row["arn"])
        for rule in registered.of(_INGRESS):
            if rule["securityGroupId"] in groups:
                yield _rule(row["arn"], "in", rule, members)


def _databases(registered: Registered) -> Iterator[Database]:
    subnets, groups = registered.by(_SUBNET, "id"), registered.by(_SUBNETS, "name")
    for row in registered.of(_DATABASE):
        if row["engine"] != "postgres":
            raise NotReadError(f"{row['id']}: a database of {row['engine']}")
        first = groups[row["dbSubnetGroupName"]]["subnetIds"][0]
        yield Database(
            id=row["arn"],
            cloud="aws",
            host=row["address"],
            address=unplanned(subnets[first]["cidrBlock"]),
            port=int(row["port"]),
            name=row["dbName"],
            user=row["username"],
            password=row["passwordWo"],
        )


def _clients(registered: Registered, members: dict[str, list[str]]) -> Iterator[Rule]:
    """Who may reach a database."""
    for row in registered.of(_DATABASE):
        for rule in registered.of(_INGRESS):
            if rule["securityGroupId"] in row["vpcSecurityGroupIds"]:
                yield _rule(row["arn"], "in", rule, members)


def _listener(row: Row, groups: Mapping[str, Row], members: Mapping[str, list[str]]) -> Listener:
    (action,) = row["defaultActions"]
    group = groups[action["targetGroupArn"]]
    asked = group["healthCheck"]
    if asked["protocol"] != "HTTPS" or asked["matcher"] != "200":
        raise NotReadError(f"{group['arn']}: a check other than HTTPS with the answer 200")
    check = Check(
        int(asked["port"]),
        asked["path"],
        int(asked["interval"]),
        int(asked["timeout"]),
        int(asked["healthyThreshold"]),
        int(asked["unhealthyThreshold"]),
    )
    return Listener(int(row["port"]), tuple(sorted(members.get(group["arn"], ()))), int(group["port"]), check)
