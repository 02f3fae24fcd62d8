"""What RDS refuses, each refusal beside its accepted neighbour."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.cloud.client import Client, RefusedError, Resource

VPC, SUBNET, GROUP = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/securityGroup:SecurityGroup"
KEY, REPLICA, ROLE = "aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey", "aws:iam/role:Role"
INSTANCE, SUBNETS = "aws:rds/instance:Instance", "aws:rds/subnetGroup:SubnetGroup"
PARAMETERS = "aws:rds/parameterGroup:ParameterGroup"
REPLICATION = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
LEAST: dict[str, Any] = {
    "identifier": "it",
    "engine": "postgres",
    "engineVersion": "16.9",
    "instanceClass": "db.m7g.large",
    "allocatedStorage": 100,
    "username": "boundary",
    "password": "hush-hush",
    "skipFinalSnapshot": True,
}
"""An instance that is accepted."""


def _subnet(cloud: Client, zone: str, cidr: str = "10.1.0.0/16", third: int = 1) -> Resource:
    """In a network of the range, which is made once."""
    vpc = cloud.create(VPC, {"cidrBlock": cidr}, f"{cidr}-{zone}")
    block = cidr.replace(".0.0/16", f".{third}.0/24")
    return cloud.create(SUBNET, {"vpcId": vpc.id, "cidrBlock": block, "availabilityZone": f"us-west-2{zone}"}, zone)


def _subnets(cloud: Client, zones: str = "ab", name: str = "it", cidr: str = "10.1.0.0/16") -> Resource:
    vpc = cloud.create(VPC, {"cidrBlock": cidr}, name)
    ids = [
        cloud.create(
            SUBNET,
            {
                "vpcId": vpc.id,
                "cidrBlock": cidr.replace(".0.0/16", f".{number}.0/24"),
                "availabilityZone": f"us-west-2{zone}",
            },
            f"{name}-{number}",
        ).id
        for number, zone in enumerate(zones)
    ]
    return cloud.create(SUBNETS, {"name": name, "subnetIds": ids}, name)


def _said(cloud: Client, **other: object) -> str:
    return "; ".join(cloud.failures(INSTANCE, {**LEAST, **other}))


@pytest.mark.parametrize(
    ("name", "refused", "accepted"),
    [
        ("identifier", "a--b", "a-b"),
        ("identifier", "a-", "a1"),
        ("identifier", "9a", "a9"),
        ("identifier", "A", "a"),
        ("identifier", "a" * 64, "a" * 63),
        ("username", "rdsadmin", "rds_admin"),
        ("username", "1st", "first"),
        ("dbName", "my-db", "my_db"),
        ("password", "short", "longenough"),
        ("password", "with space in", "without-space"),
        ("password", "x" * 129, "x" * 128),
        ("password", "ends/slash", "ends-slash"),
        ("password", "with@sign", "with-sign"),
        ("engine", "mysql", "postgres"),
        ("engineVersion", "16.9.0", "16.9"),
        ("engineVersion", "v16", "16"),
        ("engineVersion", "9.6", "15.4"),
        ("instanceClass", "m7g.large", "db.m7g.xlarge"),
        ("allocatedStorage", 19, 20),
        ("maxAllocatedStorage", 100, 101),
        ("backupRetentionPeriod", 36, 35),
        ("backupRetentionPeriod", -1, 0),
        ("port", 22, 5432),
        ("performanceInsightsRetentionPeriod", 30, 31),
        ("enabledCloudwatchLogsExports", ["error"], ["postgresql", "upgrade"]),
        ("finalSnapshotIdentifier", "a--b", "A-b"),
        ("backupWindow", "08:00", "08:00-08:30"),
        ("backupWindow", "08:00-08:29", "23:45-00:15"),
        ("maintenanceWindow", "09:00-10:00", "sun:09:00-sun:10:00"),
        ("databaseInsightsMode", "none", "standard"),
    ],
)
def test_an_argument_outside_its_rules_is_refused(cloud: Client, name: str, refused: object, accepted: object) -> None:
    assert name in _said(cloud, **{name: refused})
    assert _said(cloud, **{name: accepted}) == ""


def test_a_refused_password_is_not_repeated(cloud: Client) -> None:
    assert "hu/sh-hush" not in _said(cloud, password="hu/sh-hush")


def test_windows_do_not_overlap_even_over_midnight(cloud: Client) -> None:
    night = "sat:23:30-sun:00:30"
    assert "must not overlap" in _said(cloud, backupWindow="00:00-01:00", maintenanceWindow=night)
    assert _said(cloud, backupWindow="00:30-01:00", maintenanceWindow=night) == ""


def test_there_is_one_password_and_a_write_only_one_has_an_edition(cloud: Client) -> None:
    assert "exactly one of" in _said(cloud, manageMasterUserPassword=True)
    assert "exactly one of" in _said(cloud, password=None)
    assert "together" in _said(cloud, password=None, passwordWo="hush-hush")
    assert _said(cloud, password=None, passwordWo="hush-hush", passwordWoVersion=1) == ""


def test_small_storage_has_the_baseline_and_a_key_needs_encryption(cloud: Client) -> None:
    assert "iops" in _said(cloud, storageType="gp3", iops=6000)
    assert _said(cloud, storageType="gp3", allocatedStorage=400, iops=12000) == ""
    assert "storageEncrypted" in _said(cloud, kmsKeyId="arn:aws:kms:us-west-2:123456789012:key/1")


def test_monitoring_needs_a_role_that_the_service_may_assume(cloud: Client) -> None:
    def role(service: str, name: str) -> str:
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return str(cloud.create(ROLE, {"name": name, "assumeRolePolicy": trust}, name)["arn"])

    assert "monitoringRoleArn" in _said(cloud, monitoringInterval=60)
    assert "monitoringInterval" in _said(cloud, monitoringInterval=7)
    with pytest.raises(RefusedError, match="required trust"):
        cloud.create(
            INSTANCE, {**LEAST, "monitoringInterval": 60, "monitoringRoleArn": role("ec2.amazonaws.com", "one")}
        )
    right = role("monitoring.rds.amazonaws.com", "two")
    cloud.create(INSTANCE, {**LEAST, "monitoringInterval": 60, "monitoringRoleArn": right})


def test_a_subnet_group_covers_two_zones_of_one_network(cloud: Client) -> None:
    with pytest.raises(RefusedError, match="DBSubnetGroupDoesNotCoverEnoughAZs"):
        _subnets(cloud, "aa", "narrow")
    near, far = _subnet(cloud, "a"), _subnet(cloud, "b", "10.2.0.0/16")
    with pytest.raises(RefusedError, match="one VPC"):
        cloud.create(SUBNETS, {"name": "mixed", "subnetIds": [near.id, far.id]})
    assert _subnets(cloud, "ab", "wide")["vpcId"]
    assert cloud.failures(SUBNETS, {"name": "default", "subnetIds": [near.id]})


def test_parameters_are_of_a_family_and_of_their_values(cloud: Client) -> None:
    def said(name: str, value: str, family: str = "postgres16") -> str:
        given = {"name": "it", "family": family, "parameters": [{"name": name, "value": value}]}
        return "; ".join(cloud.failures(PARAMETERS, given))

    assert "postgres9.6" in said("rds.force_ssl", "1", "postgres9.6")
    assert "allowed values" in said("rds.force_ssl", "on")
    assert "allowed values" in said("ssl_min_protocol_version", "1.2")
    assert "cannot be modified" in said("ssl", "1")
    assert said("rds.force_ssl", "1") == ""
    assert said("work_mem", "4096") == ""
    twice = [{"name": "work_mem", "value": "1"}, {"name": "work_mem", "value": "2"}]
    assert "twice" in str(cloud.failures(PARAMETERS, {"name": "it", "family": "postgres16", "parameters": twice}))


def test_a_parameter_group_is_of_the_instances_major_version(cloud: Client) -> None:
    for family in ("postgres15", "postgres16"):
        cloud.create(PARAMETERS, {"name": family, "family": family}, family)
    with pytest.raises(RefusedError, match="DBParameterGroupFamily postgres15 can't be used"):
        cloud.create(INSTANCE, {**LEAST, "parameterGroupName": "postgres15"})
    cloud.create(INSTANCE, {**LEAST, "parameterGroupName": "postgres16"})


def test_an_instance_and_its_groups_are_of_one_network(cloud: Client) -> None:
    placed, other = _subnets(cloud, name="one"), _subnets(cloud, name="two", cidr="10.2.0.0/16")
    stranger = cloud.create(GROUP, {"vpcId": other["vpcId"], "name": "stranger"}, "stranger")
    own = cloud.create(GROUP, {"vpcId": placed["vpcId"], "name": "own"}, "own")
    with pytest.raises(RefusedError, match="different VPCs"):
        cloud.create(INSTANCE, {**LEAST, "dbSubnetGroupName": "one", "vpcSecurityGroupIds": [own.id, stranger.id]})
    cloud.create(INSTANCE, {**LEAST, "dbSubnetGroupName": "one", "vpcSecurityGroupIds": [own.id]})
    with pytest.raises(RefusedError, match="InvalidDBSubnetGroupStateFault"):
        cloud.delete(placed)


def test_an_identifier_is_taken_once_and_a_renamed_instance_has_another_address(cloud: Client) -> None:
    made = cloud.create(INSTANCE, LEAST, "one")
    with pytest.raises(RefusedError, match="DBInstanceAlreadyExists"):
        cloud.create(INSTANCE, LEAST, "two")
    assert str(made["address"]).startswith("it.")
    renamed = cloud.update(made, {**LEAST, "identifier": "other"})
    assert renamed.id == made.id
    assert str(renamed["address"]) == str(made["address"]).replace("it.", "other.", 1)


@pytest.mark.parametrize("name", ["username", "dbName", "storageEncrypted", "identifierPrefix"])
def test_what_cannot_change_replaces(cloud: Client, name: str) -> None:
    made = cloud.create(INSTANCE, {**LEAST, "dbName": "first"})
    changed: object = True if name == "storageEncrypted" else "another"
    assert name in cloud.diff(made, {**LEAST, "dbName": "first", name: changed}).replaces
    assert not cloud.diff(made, {**LEAST, "dbName": "first", "multiAz": True}).replaces


def test_a_version_only_rises_and_a_major_one_by_intent(cloud: Client) -> None:
    made = cloud.create(INSTANCE, LEAST)
    with pytest.raises(RefusedError, match=r"Cannot upgrade postgres from 16\.9 to 16\.8"):
        cloud.update(made, {**LEAST, "engineVersion": "16.8"})
    with pytest.raises(RefusedError, match="AllowMajorVersionUpgrade"):
        cloud.update(made, {**LEAST, "engineVersion": "17.5"})
    cloud.update(made, {**LEAST, "engineVersion": "16.10"})


def test_storage_never_shrinks(cloud: Client) -> None:
    made = cloud.create(INSTANCE, LEAST)
    with pytest.raises(RefusedError, match="smaller"):
        cloud.update(made, {**LEAST, "allocatedStorage": 50})
    cloud.update(made, {**LEAST, "allocatedStorage": 200})


def test_a_guarded_instance_stays_and_another_leaves_a_snapshot(cloud: Client) -> None:
    guarded = cloud.create(INSTANCE, {**LEAST, "deletionProtection": True})
    with pytest.raises(RefusedError, match="Cannot delete protected DB Instance"):
        cloud.delete(guarded)
    silent = cloud.create(INSTANCE, {**LEAST, "identifier": "silent", "skipFinalSnapshot": False}, "silent")
    with pytest.raises(RefusedError, match="FinalDBSnapshotIdentifier is required"):
        cloud.delete(silent)
    last = {**LEAST, "identifier": "last", "skipFinalSnapshot": False, "finalSnapshotIdentifier": "last-words"}
    cloud.delete(cloud.create(INSTANCE, last, "last"))


def test_backups_are_copied_to_another_region_under_a_key_of_that_region(cloud: Client) -> None:
    key = cloud.create(KEY, {"multiRegion": True})
    far = cloud.create(REPLICA, {"region": "us-east-2", "primaryKeyArn": key["arn"]}, "far")
    sealed = {**LEAST, "storageEncrypted": True, "kmsKeyId": key["arn"]}
    bare = cloud.create(INSTANCE, {**sealed, "identifier": "bare"}, "bare")
    kept = cloud.create(INSTANCE, {**sealed, "backupRetentionPeriod": 35}, "kept")
    there = {"region": "us-east-2", "sourceDbInstanceArn": kept["arn"], "kmsKeyId": far["arn"], "retentionPeriod": 35}
    for wrong, match in (
        ({"sourceDbInstanceArn": bare["arn"]}, "Automated backups are not enabled"),
        ({"region": "us-west-2"}, "other than the source's"),
        ({"kmsKeyId": None}, "KmsKeyId"),
        ({"kmsKeyId": key["arn"]}, "must be in us-east-2"),
        ({"retentionPeriod": 36}, "retentionPeriod"),
    ):
        with pytest.raises(RefusedError, match=match):
            cloud.create(REPLICATION, {**there, **wrong}, "wrong")
    assert ":us-east-2:" in cloud.create(REPLICATION, there).id
