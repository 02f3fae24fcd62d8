"""What AWS refuses around machines, keys and balancers: each refusal beside its accepted neighbour."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.sandbox.cloud.client import Client, RefusedError, Resource

VPC, SUBNET, GROUP = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/securityGroup:SecurityGroup"
INSTANCE, VOLUME = "aws:ec2/instance:Instance", "aws:ebs/volume:Volume"
TEMPLATE, SCALED = "aws:ec2/launchTemplate:LaunchTemplate", "aws:autoscaling/group:Group"
ROLE, PERMISSIONS, ISSUER = (
    "aws:iam/role:Role",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
)
KEY, REPLICA, SECRET = "aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey", "aws:secretsmanager/secret:Secret"
BALANCER, TARGETS = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/targetGroup:TargetGroup"
LISTENER, TARGET = "aws:lb/listener:Listener", "aws:lb/targetGroupAttachment:TargetGroupAttachment"
AMI = "ami-0123456789abcdef0"
ACCOUNT = "123456789012"


def _network(cloud: Client, name: str = "one", cidr: str = "10.1.0.0/16") -> tuple[Resource, Resource, Resource]:
    """A VPC with one subnet and one group."""
    vpc = cloud.create(VPC, {"cidrBlock": cidr}, name)
    inside = {"vpcId": vpc.id, "cidrBlock": cidr.replace(".0.0/16", ".1.0/24"), "availabilityZone": "us-west-2a"}
    return vpc, cloud.create(SUBNET, inside, name), cloud.create(GROUP, {"vpcId": vpc.id, "name": name}, name)


def _policy(principal: dict[str, Any] | None, action: str, **more: object) -> str:
    named = {"Principal": principal} if principal else {}
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **named, **more}]})


def _role(cloud: Client, name: str = "it") -> Resource:
    trust = _policy({"Service": "ec2.amazonaws.com"}, "sts:AssumeRole")
    return cloud.create(ROLE, {"name": name, "assumeRolePolicy": trust}, name)


@pytest.mark.parametrize("type_", [INSTANCE, TEMPLATE])
def test_an_image_is_named_by_its_id(cloud: Client, type_: str) -> None:
    path = "ami" if type_ == INSTANCE else "imageId"
    assert "InvalidAMIID.Malformed" in str(cloud.failures(type_, {path: "ubuntu-noble", "instanceType": "m7i.large"}))
    assert cloud.failures(type_, {path: AMI, "instanceType": "m7i.large"}) == []


@pytest.mark.parametrize(("type_", "path"), [(INSTANCE, "userDataBase64"), (TEMPLATE, "userData")])
def test_user_data_has_a_limit_before_encoding(cloud: Client, type_: str, path: str) -> None:
    def said(size: int) -> str:
        image = {"ami": AMI} if type_ == INSTANCE else {"imageId": AMI}
        return str(cloud.failures(type_, {**image, path: base64.b64encode(b"x" * size).decode()}))

    assert "limited to 16384 bytes" in said(16_385)
    assert said(16_384) == "[]"


def test_a_machine_and_its_groups_are_of_one_network(cloud: Client) -> None:
    _, subnet, group = _network(cloud)
    _, _, stranger = _network(cloud, "two", "10.2.0.0/16")
    machine = {"ami": AMI, "instanceType": "m7i.large", "subnetId": subnet.id}
    with pytest.raises(RefusedError, match="belong to different networks"):
        cloud.create(INSTANCE, {**machine, "vpcSecurityGroupIds": [group.id, stranger.id]})
    assert cloud.create(INSTANCE, {**machine, "vpcSecurityGroupIds": [group.id]}).id.startswith("i-")


def test_a_guarded_machine_ends_only_by_force(cloud: Client) -> None:
    _, subnet, _ = _network(cloud)
    guarded = {"ami": AMI, "instanceType": "m7i.large", "subnetId": subnet.id, "disableApiTermination": True}
    kept, forced = cloud.create(INSTANCE, guarded, "kept"), cloud.create(INSTANCE, {**guarded, "forceDestroy": True})
    with pytest.raises(RefusedError, match="OperationNotPermitted"):
        cloud.delete(kept)
    cloud.delete(forced)


def test_a_disk_has_throughput_by_its_iops_and_only_grows(cloud: Client) -> None:
    disk = {"availabilityZone": "us-west-2a", "size": 100, "type": "gp3", "iops": 3000}
    assert "ratio is too high" in str(cloud.failures(VOLUME, {**disk, "throughput": 751}))
    assert cloud.failures(VOLUME, {**disk, "throughput": 750}) == []
    made = cloud.create(VOLUME, disk)
    with pytest.raises(RefusedError, match="smaller than existing"):
        cloud.update(made, {**disk, "size": 99})
    assert cloud.update(made, {**disk, "size": 101})["size"] == 101


def test_a_template_counts_changes_of_its_data_and_a_group_takes_a_version_that_exists(cloud: Client) -> None:
    _, subnet, _ = _network(cloud)
    data = {"name": "clients", "imageId": AMI, "instanceType": "m7i.large", "updateDefaultVersion": True}
    first = cloud.create(TEMPLATE, data)
    assert (first["latestVersion"], first["defaultVersion"]) == (1, 1)
    tagged = cloud.update(first, {**data, "tags": {"a": "b"}})
    assert tagged["latestVersion"] == 1
    second = cloud.update(tagged, {**data, "tags": {"a": "b"}, "instanceType": "m7i.xlarge"})
    assert (second["latestVersion"], second["defaultVersion"]) == (2, 2)

    def group(version: str, name: str) -> Resource:
        template = {"id": first.id, "version": version}
        bounds = {"minSize": 1, "maxSize": 3, "vpcZoneIdentifiers": [subnet.id]}
        return cloud.create(SCALED, {"name": name, **bounds, "launchTemplate": template}, name)

    with pytest.raises(RefusedError, match="Could not find launch template version 3"):
        group("3", "early")
    made = group("2", "fits")
    assert (made["desiredCapacity"], made["availabilityZones"]) == (1, ["us-west-2a"])


def test_a_groups_capacity_lies_within_its_bounds(cloud: Client) -> None:
    bounds = {"minSize": 3, "maxSize": 9, "vpcZoneIdentifiers": ["subnet-1"]}
    assert "must be between 3 and 9" in str(cloud.failures(SCALED, {**bounds, "desiredCapacity": 2}))
    assert "greater than or equal to min bound" in str(cloud.failures(SCALED, {**bounds, "minSize": 10}))
    assert cloud.failures(SCALED, {**bounds, "desiredCapacity": 3}) == []


def test_the_default_group_is_the_networks_own_and_adopted_once(cloud: Client) -> None:
    vpc, _, _ = _network(cloud)
    adopted = cloud.create("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", {"vpcId": vpc.id})
    assert adopted.id == vpc["defaultSecurityGroupId"]
    with pytest.raises(RefusedError, match="already exists"):
        cloud.create("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", {"vpcId": vpc.id}, "again")


@pytest.mark.parametrize(
    ("service", "kind", "said"),
    [
        ("com.amazonaws.us-west-2.s3", "Gateway", ""),
        ("com.amazonaws.us-east-1.s3", "Gateway", "does not exist"),
        ("com.amazonaws.us-west-2.kms", "Gateway", "no gateway endpoint"),
        ("com.amazonaws.us-west-2.kms", "Interface", ""),
    ],
)
def test_an_endpoint_is_for_a_service_of_the_region_in_a_form_it_has(
    cloud: Client, service: str, kind: str, said: str
) -> None:
    found = cloud.failures(
        "aws:ec2/vpcEndpoint:VpcEndpoint", {"vpcId": "vpc-1", "serviceName": service, "vpcEndpointType": kind}
    )
    assert said in str(found)
    assert bool(said) == bool(found)


def test_an_endpoint_takes_route_tables_of_its_network(cloud: Client) -> None:
    vpc, _, _ = _network(cloud)
    other, _, _ = _network(cloud, "two", "10.2.0.0/16")
    own = cloud.create("aws:ec2/routeTable:RouteTable", {"vpcId": vpc.id}, "own")
    stranger = cloud.create("aws:ec2/routeTable:RouteTable", {"vpcId": other.id}, "stranger")
    wanted = {"vpcId": vpc.id, "serviceName": "com.amazonaws.us-west-2.s3", "vpcEndpointType": "Gateway"}
    with pytest.raises(RefusedError, match="does not belong"):
        cloud.create("aws:ec2/vpcEndpoint:VpcEndpoint", {**wanted, "routeTableIds": [stranger.id]})
    cloud.create("aws:ec2/vpcEndpoint:VpcEndpoint", {**wanted, "routeTableIds": [own.id]})


def test_a_role_trusts_only_issuers_that_are_known(cloud: Client) -> None:
    url = "https://sts.windows.net/tenant-1/"
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/sts.windows.net/tenant-1/"
    trust = {"assumeRolePolicy": _policy({"Federated": arn}, "sts:AssumeRoleWithWebIdentity")}
    with pytest.raises(RefusedError, match="Invalid principal in policy"):
        cloud.create(ROLE, trust)
    issuer = cloud.create(ISSUER, {"url": url, "clientIdLists": ["audience"]})
    assert issuer.id == arn
    cloud.create(ROLE, trust)
    # Google is known to AWS without being told.
    google = _policy({"Federated": "accounts.google.com"}, "sts:AssumeRoleWithWebIdentity")
    cloud.create(ROLE, {"assumeRolePolicy": google}, "google")
    with pytest.raises(RefusedError, match="EntityAlreadyExists"):
        cloud.create(ISSUER, {"url": url, "clientIdLists": ["audience"]}, "again")
    assert "must begin with https" in str(cloud.failures(ISSUER, {"url": url[6:], "clientIdLists": ["audience"]}))


def test_a_roles_inline_policies_share_one_limit(cloud: Client) -> None:
    role = _role(cloud)

    def policy(name: str, size: int) -> Resource:
        text = _policy(None, "s3:GetObject", Resource="x" * (size - len(_policy(None, "s3:GetObject", Resource=""))))
        return cloud.create(PERMISSIONS, {"name": name, "role": role.id, "policy": text}, name)

    policy("first", 8000)
    with pytest.raises(RefusedError, match="LimitExceeded"):
        policy("large", 3000)
    policy("small", 2000)


def test_a_key_policy_names_who_exists_and_locks_nobody_out(cloud: Client) -> None:
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    with pytest.raises(RefusedError, match="not allow you to update the key policy"):
        cloud.create(KEY, {"policy": _policy(root, "kms:Decrypt", Resource="*")}, "locked")
    cloud.create(KEY, {"policy": _policy(root, "kms:*", Resource="*")}, "open")
    named = {"policy": _policy({"AWS": f"arn:aws:iam::{ACCOUNT}:role/vault"}, "kms:*", Resource="*")}
    with pytest.raises(RefusedError, match="invalid principals"):
        cloud.create(KEY, named, "early")
    _role(cloud, "vault")
    cloud.create(KEY, named, "named")


def test_a_secrets_keys_lie_where_they_serve(cloud: Client) -> None:
    key = cloud.create(KEY, {"multiRegion": True})
    replica = cloud.create(REPLICA, {"primaryKeyArn": key["arn"], "region": "us-east-2"})

    def secret(name: str, region: str, arn: str) -> Resource:
        copies = [{"region": region, "kmsKeyId": arn}]
        return cloud.create(SECRET, {"name": name, "kmsKeyId": key["arn"], "replicas": copies}, name)

    with pytest.raises(RefusedError, match="key must be in us-east-2"):
        secret("wrong", "us-east-2", key["arn"])
    with pytest.raises(RefusedError, match="own region"):
        secret("same", "us-west-2", key["arn"])
    secret("right", "us-east-2", replica["arn"])


def test_a_balancer_has_a_subnet_a_zone_and_groups_of_its_network(cloud: Client) -> None:
    vpc, subnet, group = _network(cloud)
    beside = {"vpcId": vpc.id, "cidrBlock": "10.1.2.0/24", "availabilityZone": "us-west-2a"}
    same, other = cloud.create(SUBNET, beside, "same"), cloud.create(
        SUBNET, {**beside, "cidrBlock": "10.1.3.0/24", "availabilityZone": "us-west-2b"}, "other"
    )  # fmt: skip
    _, _, stranger = _network(cloud, "two", "10.2.0.0/16")
    front = {"name": "vault", "internal": True, "loadBalancerType": "network"}
    with pytest.raises(RefusedError, match="same Availability Zone"):
        cloud.create(BALANCER, {**front, "subnets": [subnet.id, same.id]})
    with pytest.raises(RefusedError, match="of one VPC"):
        cloud.create(BALANCER, {**front, "subnets": [subnet.id, other.id], "securityGroups": [stranger.id]})
    made = cloud.create(BALANCER, {**front, "subnets": [subnet.id, other.id]})
    with pytest.raises(RefusedError, match="cannot get any later"):
        cloud.update(made, {**front, "subnets": [subnet.id, other.id], "securityGroups": [group.id]})


def test_listeners_and_targets_are_of_the_balancers_kind_and_network(cloud: Client) -> None:
    vpc, subnet, _ = _network(cloud)
    far, away, _ = _network(cloud, "two", "10.2.0.0/16")
    front = cloud.create(BALANCER, {"internal": True, "loadBalancerType": "network", "subnets": [subnet.id]})

    def pool(name: str, network: Resource) -> Resource:
        return cloud.create(TARGETS, {"name": name, "port": 8200, "protocol": "TCP", "vpcId": network.id}, name)

    near, distant = pool("near", vpc), pool("distant", far)

    def listener(target: Resource, protocol: str) -> Resource:
        actions = [{"type": "forward", "targetGroupArn": target["arn"]}]
        told = {"loadBalancerArn": front["arn"], "port": 8200, "protocol": protocol, "defaultActions": actions}
        return cloud.create(LISTENER, told, f"{target.name}-{protocol}")

    with pytest.raises(RefusedError, match="is not supported by"):
        listener(near, "HTTPS")
    with pytest.raises(RefusedError, match="not of the VPC"):
        listener(distant, "TCP")
    listener(near, "TCP")

    machine = {"ami": AMI, "instanceType": "m7i.large"}
    inside = cloud.create(INSTANCE, {**machine, "subnetId": subnet.id}, "inside")
    outside = cloud.create(INSTANCE, {**machine, "subnetId": away.id}, "outside")
    with pytest.raises(RefusedError, match="not in the target group VPC"):
        cloud.create(TARGET, {"targetGroupArn": near["arn"], "targetId": outside.id})
    cloud.create(TARGET, {"targetGroupArn": near["arn"], "targetId": inside.id})
