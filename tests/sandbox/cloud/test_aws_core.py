"""AWS refuses what a real account refuses: each refusal beside the neighbour that is accepted."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.sandbox.cloud.client import Client, RefusedError, Resource

VPC, SUBNET = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet"
GROUP, ROUTE = "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/route:Route"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
INSTANCE, VOLUME = "aws:ec2/instance:Instance", "aws:ebs/volume:Volume"
ATTACHMENT = "aws:ec2/volumeAttachment:VolumeAttachment"
KEY, ALIAS, REPLICA = "aws:kms/key:Key", "aws:kms/alias:Alias", "aws:kms/replicaKey:ReplicaKey"
BUCKET, LOCK = "aws:s3/bucket:Bucket", "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
ZONE, RECORD = "aws:route53/zone:Zone", "aws:route53/record:Record"
BALANCER, TARGETS = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/targetGroup:TargetGroup"
LISTENER, TARGET = "aws:lb/listener:Listener", "aws:lb/targetGroupAttachment:TargetGroupAttachment"
ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
PROFILE, ATTACHED = "aws:iam/instanceProfile:InstanceProfile", "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
SECRET, VERSION = "aws:secretsmanager/secret:Secret", "aws:secretsmanager/secretVersion:SecretVersion"
AMI = "ami-0123456789abcdef0"


def policy(principal: bool = False, **more: object) -> str:  # noqa: FBT001, FBT002
    target = {"Principal": {"Service": "ec2.amazonaws.com"}} if principal else {"Resource": "*"}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", **target, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass
class Ground:
    """A small account that the cases stand on."""

    cloud: Client
    vpc: Resource
    subnet: Resource
    far: Resource
    group: Resource
    role: Resource
    instance: Resource
    volume: Resource
    balancer: Resource
    targets: Resource
    bucket: Resource
    zone: Resource
    key: Resource
    secret: Resource


@pytest.fixture
def ground(cloud: Client) -> Ground:
    vpc = cloud.create(VPC, {"cidrBlock": "10.1.0.0/16", "enableDnsSupport": True, "enableDnsHostnames": True})
    subnets = [
        cloud.create(SUBNET, {"vpcId": vpc.id, "cidrBlock": f"10.1.{n}.0/24", "availabilityZone": f"us-west-2{zone}"})
        for n, zone in ((1, "a"), (2, "b"))
    ]
    return Ground(
        cloud,
        vpc,
        *subnets,
        group=cloud.create(GROUP, {"vpcId": vpc.id, "name": "web"}),
        role=cloud.create(ROLE, {"name": "server", "assumeRolePolicy": policy(principal=True)}),
        instance=cloud.create(
            INSTANCE,
            {"ami": AMI, "instanceType": "m7i.large", "subnetId": subnets[0].id, "privateIp": "10.1.1.10"},
        ),
        volume=cloud.create(VOLUME, {"availabilityZone": "us-west-2a", "size": 10, "type": "gp3"}),
        balancer=cloud.create(
            BALANCER,
            {
                "name": "lb",
                "internal": True,
                "loadBalancerType": "network",
                "subnetMappings": [{"subnetId": subnets[0].id, "privateIpv4Address": "10.1.1.60"}],
            },
        ),
        targets=cloud.create(TARGETS, {"name": "tg", "port": 8200, "protocol": "TCP", "vpcId": vpc.id}),
        bucket=cloud.create(BUCKET, {"bucket": "backups-of-the-platform"}),
        zone=cloud.create(ZONE, {"name": "hashicorp.example.com", "vpcs": [{"vpcId": vpc.id}]}),
        key=cloud.create(KEY, {"multiRegion": True}),
        secret=cloud.create(SECRET, {"name": "gossip"}),
    )


Inputs = dict[str, Any]
Case = tuple[str, str, Callable[[Ground], Inputs], Inputs, str]


def subnet(g: Ground) -> Inputs:
    return {"vpcId": g.vpc.id, "cidrBlock": "10.1.3.0/24", "availabilityZone": "us-west-2c"}


def rule(g: Ground) -> Inputs:
    return {
        "securityGroupId": g.group.id,
        "ipProtocol": "tcp",
        "fromPort": 8300,
        "toPort": 8302,
        "cidrIpv4": "10.0.0.0/8",
    }


def instance(g: Ground) -> Inputs:
    return {"ami": AMI, "instanceType": "m7i.large", "subnetId": g.subnet.id, "privateIp": "10.1.1.11"}


def volume(_: Ground) -> Inputs:
    return {"availabilityZone": "us-west-2a", "size": 10, "type": "gp3"}


def balancer(g: Ground) -> Inputs:
    return {"name": "a" * 32, "internal": True, "loadBalancerType": "network",
            "subnetMappings": [{"subnetId": g.subnet.id, "privateIpv4Address": "10.1.1.61"}]}  # fmt: skip


def at(address: str) -> Callable[[Ground], Inputs]:
    return lambda g: {"subnetMappings": [{"subnetId": g.subnet.id, "privateIpv4Address": address}]}


def targets(g: Ground) -> Inputs:
    return {"name": "other", "port": 8200, "protocol": "TCP", "vpcId": g.vpc.id,
            "healthCheck": {"protocol": "HTTPS", "path": "/v1/sys/health", "interval": 10}}  # fmt: skip


def record(g: Ground) -> Inputs:
    return {"zoneId": g.zone.id, "name": "vault", "type": "A", "ttl": 60, "records": ["10.1.1.60"]}


def role(_: Ground) -> Inputs:
    return {"name": "a" * 64, "assumeRolePolicy": policy(principal=True)}


def role_policy(g: Ground) -> Inputs:
    return {"role": g.role.id, "name": "p", "policy": policy()}


CASES: list[tuple[str, str, Callable[[Ground], Inputs], Inputs | Callable[[Ground], Inputs], str]] = [
    ("network too large", VPC, lambda _: {"cidrBlock": "10.2.0.0/16"}, {"cidrBlock": "10.2.0.0/15"}, "between /16"),
    ("network with host bits", VPC, lambda _: {"cidrBlock": "10.2.0.0/16"}, {"cidrBlock": "10.2.0.1/16"}, "did you mean"),
    ("subnet of no network", SUBNET, subnet, {"vpcId": "vpc-0123456789abcdef0"}, "InvalidVpcID.NotFound"),
    ("subnet outside its network", SUBNET, subnet, {"cidrBlock": "10.2.3.0/24"}, "InvalidSubnet.Range"),
    ("subnet over its sibling", SUBNET, subnet, {"cidrBlock": "10.1.1.128/25"},
     "InvalidSubnet.Conflict: The CIDR '10.1.1.128/25' conflicts with another subnet"),
    ("zone of another region", SUBNET, subnet, {"availabilityZone": "us-east-1a"}, "us-west-2a, us-west-2b"),
    ("group name twice", GROUP, lambda g: {"vpcId": g.vpc.id, "name": "db"}, {"name": "web"}, "InvalidGroup.Duplicate"),
    ("ports with all protocols", INGRESS, rule, {"ipProtocol": "-1"}, "all protocols"),
    ("ports upside down", INGRESS, rule, {"fromPort": 8303}, "Invalid TCP/UDP port range"),
    ("two peers", INGRESS, rule, {"cidrIpv6": "::/0"}, "exactly one of"),
    ("rule for no group", INGRESS, rule, {"securityGroupId": "sg-0123456789abcdef0"}, "InvalidGroup.NotFound"),
    ("address in use", INSTANCE, instance, {"privateIp": "10.1.1.10"}, "InvalidIPAddress.InUse"),
    ("address of a balancer", INSTANCE, instance, {"privateIp": "10.1.1.60"}, "InvalidIPAddress.InUse"),
    ("address outside the subnet", INSTANCE, instance, {"privateIp": "10.1.2.10"}, "does not fall within"),
    ("address that AWS keeps", INSTANCE, instance, {"privateIp": "10.1.1.3"}, "reserved address range"),
    ("user data too long", INSTANCE, lambda g: {**instance(g), "userData": "a" * 16384}, {"userData": "a" * 16385},
     "limited to 16384 bytes"),
    ("user data not base64", INSTANCE,
     lambda g: {**instance(g), "userDataBase64": base64.b64encode(b"#!/bin/sh").decode()}, {"userDataBase64": "%"},
     "not valid base64"),
    ("machine in no subnet", INSTANCE, instance, {"subnetId": "subnet-0123456789abcdef0"}, "InvalidSubnetID.NotFound"),
    ("disk too small for its kind", VOLUME, volume, {"type": "st1"}, "125 to 16384"),
    ("disk too fast for its size", VOLUME, lambda g: {**volume(g), "iops": 5000}, {"iops": 6000}, "ratio"),
    ("disk in no zone", VOLUME, volume, {"availabilityZone": "us-west-2z"}, "does not exist"),
    ("key deleted too soon", KEY, lambda _: {"deletionWindowInDays": 7}, {"deletionWindowInDays": 6}, "7 - 30"),
    ("key policy that is no JSON", KEY, lambda _: {"description": "a"}, {"policy": "{"}, "invalid JSON"),
    ("alias of no key", ALIAS, lambda g: {"name": "alias/seal", "targetKeyId": g.key["arn"]},
     {"targetKeyId": "12345678-1234-4123-8123-123456789012"}, "NotFoundException"),
    ("alias without its prefix", ALIAS, lambda g: {"name": "alias/seal", "targetKeyId": g.key.id}, {"name": "seal"},
     "starts with alias/"),
    ("replica in the region of its key", REPLICA,
     lambda g: {"primaryKeyArn": g.key["arn"], "region": "us-east-1"}, {"region": "us-west-2"}, "AlreadyExists"),
    ("bucket name in capitals", BUCKET, lambda _: {"bucket": "abc"}, {"bucket": "Abc"}, "not a valid name"),
    ("bucket name too short", BUCKET, lambda _: {"bucket": "abc"}, {"bucket": "ab"}, "not a valid name"),
    ("bucket name like an address", BUCKET, lambda _: {"bucket": "10.1.1.a"}, {"bucket": "10.1.1.1"}, "not a valid"),
    ("bucket of others", BUCKET, lambda _: {"bucket": "backups"}, {"bucket": "backups-of-the-platform"}, "AlreadyOwned"),
    ("setting of no bucket", VERSIONING,
     lambda g: {"bucket": g.bucket.id, "versioningConfiguration": {"status": "Enabled"}}, {"bucket": "nobodys"},
     "NoSuchBucket"),
    ("record twice", RECORD, lambda g: {**record(g), "name": "nomad"}, lambda g: earlier(g, record(g)), "already exists"),
    ("record of no address", RECORD, record, {"records": ["10.1.1"]}, "not a valid IPv4"),
    ("record in no zone", RECORD, record, {"zoneId": "Z0"}, "NoSuchHostedZone"),
    ("record without lifetime", RECORD, record, {"ttl": None}, "needs a ttl"),
    ("balancer name too long", BALANCER, balancer, {"name": "a" * 33}, "at most 32"),
    ("balancer name with a hyphen at the end", BALANCER, balancer, {"name": "a-"}, "no hyphen at either end"),
    ("balancer on a taken address", BALANCER, balancer, at("10.1.1.10"), "InvalidIPAddress.InUse"),
    ("balancer name twice", BALANCER, balancer, {"name": "lb"}, "DuplicateLoadBalancerName"),
    ("target group name twice", TARGETS, targets, {"name": "tg"}, "DuplicateTargetGroupName"),
    ("health check too often", TARGETS, targets, {"healthCheck": {"interval": 4}}, "at least 5"),
    ("path in a TCP check", TARGETS, targets, {"healthCheck": {"protocol": "TCP", "path": "/"}}, "no path"),
    ("target that is no machine", TARGET, lambda g: {"targetGroupArn": g.targets["arn"], "targetId": g.instance.id},
     {"targetId": "i-0123456789abcdef0"}, "InvalidTarget"),
    ("listener to no group", LISTENER,
     lambda g: {"loadBalancerArn": g.balancer["arn"], "port": 8200, "protocol": "TCP",
                "defaultActions": [{"type": "forward", "targetGroupArn": g.targets["arn"]}]},
     {"defaultActions": [{"type": "forward", "targetGroupArn": "arn:aws:none"}]}, "TargetGroupNotFound"),
    ("role name too long", ROLE, role, {"name": "a" * 65}, "at most 64"),
    ("role name twice", ROLE, role, {"name": "server"}, "EntityAlreadyExists"),
    ("trust without a principal", ROLE, role, {"assumeRolePolicy": policy()}, "MalformedPolicyDocument"),
    ("policy with a wrong effect", ROLE_POLICY, role_policy, {"policy": policy(Effect="Alow")}, "Allow or Deny"),
    ("policy with an unknown element", ROLE_POLICY, role_policy, {"policy": policy(Resources="*")}, "Resources"),
    ("policy of no role", ROLE_POLICY, role_policy, {"role": "nobody"}, "NoSuchEntity"),
    ("policy that is not AWS's", ATTACHED,
     lambda g: {"role": g.role.id, "policyArn": "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"},
     {"policyArn": "arn:aws:iam::123456789012:policy/none"}, "NoSuchEntity"),
    ("profile of no role", PROFILE, lambda g: {"role": g.role.id}, {"role": "nobody"}, "NoSuchEntity"),
    ("secret kept too shortly", SECRET, lambda _: {"recoveryWindowInDays": 7}, {"recoveryWindowInDays": 6}, "between 7"),
    ("secret under another's key", SECRET, lambda g: {"kmsKeyId": g.key["arn"]}, {"kmsKeyId": "alias/none"}, "kmsKeyId"),
    ("two values of a secret", VERSION, lambda g: {"secretId": g.secret.id, "secretString": "x"},
     {"secretBinary": "eA=="}, "exactly one of"),
    ("value of no secret", VERSION, lambda g: {"secretId": g.secret.id, "secretString": "x"}, {"secretId": "none"},
     "ResourceNotFoundException"),
]  # fmt: skip


def earlier(g: Ground, inputs: Inputs) -> Inputs:
    """Make the record first, so that the refused one is the second of its name."""
    g.cloud.create(RECORD, inputs, "earlier")
    return inputs


@pytest.mark.parametrize(("type_", "good", "change", "reason"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_aws_refuses_is_refused_and_its_neighbour_is_not(
    ground: Ground,
    type_: str,
    good: Callable[[Ground], Inputs],
    change: Inputs | Callable[[Ground], Inputs],
    reason: str,
) -> None:
    changed = change if isinstance(change, dict) else change(ground)
    inputs = {name: value for name, value in {**good(ground), **changed}.items() if value is not None}
    with pytest.raises(RefusedError) as caught:
        ground.cloud.create(type_, inputs, "bad")
    assert reason in caught.value.message, caught.value.message
    ground.cloud.create(type_, good(ground), "good")


def test_a_disk_goes_only_to_a_machine_of_its_zone_and_to_one_machine(ground: Ground) -> None:
    cloud = ground.cloud
    attach = {"deviceName": "/dev/sdf", "instanceId": ground.instance.id, "volumeId": ground.volume.id}
    far = cloud.create(VOLUME, {"availabilityZone": "us-west-2b", "size": 10, "type": "gp3"}, "far")
    with pytest.raises(RefusedError, match=r"InvalidVolume\.ZoneMismatch"):
        cloud.create(ATTACHMENT, {**attach, "volumeId": far.id})
    cloud.create(ATTACHMENT, attach)
    with pytest.raises(RefusedError, match="VolumeInUse"):
        cloud.create(ATTACHMENT, {**attach, "deviceName": "/dev/sdg"}, "twice")


def test_what_is_in_use_or_protected_cannot_be_deleted(ground: Ground) -> None:
    cloud = ground.cloud
    for thing, code in ((ground.vpc, "DependencyViolation"), (ground.subnet, "DependencyViolation")):
        with pytest.raises(RefusedError, match=code):
            cloud.delete(thing)
    kept = cloud.create(INSTANCE, {**instance(ground), "disableApiTermination": True}, "kept")
    with pytest.raises(RefusedError, match="OperationNotPermitted"):
        cloud.delete(kept)
    freed = cloud.update(kept, {**instance(ground), "disableApiTermination": False})
    cloud.delete(freed)
    cloud.delete(ground.far)


def test_object_lock_needs_versioning(ground: Ground) -> None:
    lock = {"bucket": ground.bucket.id, "rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 1}}}
    with pytest.raises(RefusedError, match="InvalidBucketState"):
        ground.cloud.create(LOCK, lock)
    ground.cloud.create(VERSIONING, {"bucket": ground.bucket.id, "versioningConfiguration": {"status": "Enabled"}})
    ground.cloud.create(LOCK, lock)


def test_a_replacement_that_must_coexist_with_its_own_name_is_refused(ground: Ground) -> None:
    """An alias has to be named, so nothing can make room for a second one."""
    name = {"name": "alias/seal", "targetKeyId": ground.key.id}
    made = ground.cloud.create(ALIAS, name)
    assert not ground.cloud.diff(made, {**name, "targetKeyId": ground.key["arn"]}).replaces
    with pytest.raises(RefusedError, match="AlreadyExistsException"):
        ground.cloud.create(ALIAS, name, "again")


def test_an_address_comes_free_when_its_machine_goes(ground: Ground) -> None:
    ground.cloud.delete(ground.instance)
    again = ground.cloud.create(INSTANCE, {**instance(ground), "privateIp": "10.1.1.10"}, "again")
    assert again["privateDns"] == "ip-10-1-1-10.us-west-2.compute.internal"
    assert again["availabilityZone"] == "us-west-2a"


def test_machines_without_a_given_address_get_different_ones_that_are_not_reserved(ground: Ground) -> None:
    inputs = {name: value for name, value in instance(ground).items() if name != "privateIp"}
    made = [ground.cloud.create(INSTANCE, inputs, f"m{n}")["privateIp"] for n in range(3)]
    assert made == ["10.1.1.4", "10.1.1.5", "10.1.1.6"]


def test_changed_user_data_replaces_only_when_asked_to(ground: Ground) -> None:
    plain = {**instance(ground), "userData": "a"}
    made = ground.cloud.create(INSTANCE, plain, "in-place")
    assert not ground.cloud.diff(made, {**plain, "userData": "b"}).replaces
    strict = {**plain, "privateIp": "10.1.1.12", "userDataReplaceOnChange": True}
    other = ground.cloud.create(INSTANCE, strict, "strict")
    assert "userData" in ground.cloud.diff(other, {**strict, "userData": "b"}).replaces
    assert not ground.cloud.diff(other, strict).replaces


def test_policy_documents_are_rendered_as_the_provider_does(cloud: Client) -> None:
    found = cloud.invoke(
        "aws:iam/getPolicyDocument:getPolicyDocument",
        {
            "statements": [
                {
                    "sid": "Read",
                    "actions": ["kms:Decrypt"],
                    "resources": ["b", "a"],
                    "conditions": [{"test": "StringEquals", "variable": "aws:x", "values": ["1"]}],
                },
                {"effect": "Deny", "actions": ["s3:*"], "principals": [{"type": "*", "identifiers": ["*"]}]},
            ]
        },
    )
    assert json.loads(found["json"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Read",
                "Effect": "Allow",
                "Action": "kms:Decrypt",
                "Resource": ["b", "a"],
                "Condition": {"StringEquals": {"aws:x": "1"}},
            },
            {"Effect": "Deny", "Action": "s3:*", "Principal": "*"},
        ],
    }


def test_an_image_must_be_named_exactly_or_the_newest_be_asked_for(cloud: Client) -> None:
    token, wild = "aws:ec2/getAmi:getAmi", [{"name": "name", "values": ["ubuntu/*"]}]
    exact = [{"name": "name", "values": ["ubuntu-24.04-20260101"]}]
    assert cloud.invoke(token, {"filters": exact})["id"].startswith("ami-")
    with pytest.raises(RefusedError, match="more than one result"):
        cloud.invoke(token, {"filters": wild})
    first, second = (cloud.invoke(token, {"filters": wild, "mostRecent": True})["id"] for _ in range(2))
    assert first == second
    with pytest.raises(RefusedError, match="no results"):
        cloud.invoke(token, {})
