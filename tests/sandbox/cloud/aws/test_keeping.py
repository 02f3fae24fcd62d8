"""What AWS refuses of locked buckets, trails, flow logs, log groups and alarms: each refusal beside its accepted neighbour."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.cloud.client import Client, RefusedError, Resource

BUCKET, KEY, ROLE = "aws:s3/bucket:Bucket", "aws:kms/key:Key", "aws:iam/role:Role"
POLICY, VERSIONING = "aws:s3/bucketPolicy:BucketPolicy", "aws:s3/bucketVersioning:BucketVersioning"
LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
CLOSED = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
REPLICATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
TRAIL, FLOWS = "aws:cloudtrail/trail:Trail", "aws:ec2/flowLog:FlowLog"
LOGS, ALARM = "aws:cloudwatch/logGroup:LogGroup", "aws:cloudwatch/metricAlarm:MetricAlarm"
ACCOUNT = "123456789012"
ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _bucket(cloud: Client, name: str, *, locked: bool = True, region: str = "us-west-2") -> Resource:
    return cloud.create(BUCKET, {"bucket": name, "objectLockEnabled": locked, "region": region}, name)


def _service(service: str, action: str, resource: str, **condition: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    said = {"Condition": condition} if condition else {}
    return {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": resource, **said}


def _key(cloud: Client, *services: str, name: str = "key") -> Resource:
    admitted = (_service(service, "kms:GenerateDataKey*", "*") for service in services)
    return cloud.create(KEY, {"policy": _document(ROOT, *admitted)}, name)


def test_a_locked_bucket_keeps_its_versions_and_its_lock(cloud: Client) -> None:
    made = _bucket(cloud, "locked")
    with pytest.raises(RefusedError, match="versioning state cannot be changed"):
        cloud.create(VERSIONING, {"bucket": made.id, "versioningConfiguration": {"status": "Suspended"}})
    cloud.create(VERSIONING, {"bucket": made.id, "versioningConfiguration": {"status": "Enabled"}})
    difference = cloud.diff(made, {"bucket": "locked", "objectLockEnabled": False, "region": "us-west-2"})
    assert list(difference.replaces) == ["objectLockEnabled"]
    assert difference.deleteBeforeReplace


@pytest.mark.parametrize(
    ("retention", "said"),
    [
        ({"mode": "COMPLIANCE", "days": 35}, ""),
        ({"mode": "GOVERNANCE", "years": 1}, ""),
        ({"mode": "compliance", "days": 35}, "mode"),
        ({"mode": "COMPLIANCE", "days": 35, "years": 1}, "exactly one"),
        ({"mode": "COMPLIANCE"}, "exactly one"),
        ({"mode": "COMPLIANCE", "days": 0}, "positive"),
    ],
)
def test_a_lock_has_a_mode_and_one_length(cloud: Client, retention: dict[str, Any], said: str) -> None:
    found = str(cloud.failures(LOCK, {"bucket": "locked", "rule": {"defaultRetention": retention}}))
    assert said in found if said else found == "[]"


def test_a_setting_is_asked_for_where_the_bucket_is(cloud: Client) -> None:
    _bucket(cloud, "far", region="us-east-2")
    wanted = {"bucket": "far", "blockPublicPolicy": True}
    with pytest.raises(RefusedError, match="PermanentRedirect"):
        cloud.create(CLOSED, wanted)
    cloud.create(CLOSED, {**wanted, "region": "us-east-2"})


def _rule(**ages: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"id": "keep", "status": "Enabled", "filter": {"prefix": ""}, **ages}


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([_rule(expiration={"days": 91}, transitions=[{"days": 90, "storageClass": "GLACIER_IR"}])], ""),
        ([_rule(expiration={"days": 90}, transitions=[{"days": 90, "storageClass": "GLACIER_IR"}])], "greater than"),
        ([_rule(transitions=[{"days": 90, "storageClass": "TAPE"}])], "got TAPE"),
        ([_rule(transitions=[{"days": 29, "storageClass": "STANDARD_IA"}])], "at least 30"),
        ([_rule(expiration={"days": 90, "expiredObjectDeleteMarker": True})], "cannot be specified with Days"),
        ([_rule(expiration={"days": 90}), _rule(expiration={"days": 90})], "must be unique"),
        ([_rule(expiration={"days": 90}), {**_rule(expiration={"days": 9}), "id": "two"}], ""),
    ],
)
def test_a_lifecycles_ages_follow_each_other(cloud: Client, rules: list[dict[str, Any]], said: str) -> None:
    found = str(cloud.failures(LIFECYCLE, {"bucket": "it", "rules": rules}))
    assert said in found if said else found == "[]"


def test_a_bucket_is_encrypted_by_a_key_of_its_region(cloud: Client) -> None:
    key = _key(cloud)
    rules = [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key["arn"]}}]
    _bucket(cloud, "far", region="us-east-2")
    with pytest.raises(RefusedError, match="must be in us-east-2"):
        cloud.create(ENCRYPTION, {"bucket": "far", "region": "us-east-2", "rules": rules}, "far")
    cloud.create(ENCRYPTION, {"bucket": _bucket(cloud, "near").id, "rules": rules}, "near")
    none = [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "arn:aws:kms:x"}}]
    with pytest.raises(RefusedError, match="KMS"):
        cloud.create(ENCRYPTION, {"bucket": _bucket(cloud, "other").id, "rules": none}, "other")


def test_a_closed_bucket_takes_no_public_policy_and_none_of_another_bucket(cloud: Client) -> None:
    made = _bucket(cloud, "closed")
    cloud.create(CLOSED, {"bucket": made.id, "blockPublicPolicy": True})

    def policy(resource: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource, **more}
        return {"bucket": made.id, "policy": _document(statement)}

    with pytest.raises(RefusedError, match="BlockPublicPolicy"):
        cloud.create(POLICY, policy(f"{made['arn']}/*"))
    with pytest.raises(RefusedError, match="invalid resource"):
        cloud.create(POLICY, policy("arn:aws:s3:::closed-other/*", Effect="Deny"))
    cloud.create(POLICY, policy(f"{made['arn']}/*", Effect="Deny"))


def _role(cloud: Client, service: str) -> Resource:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return cloud.create(ROLE, {"name": service, "assumeRolePolicy": _document(trust)}, service)


def _replicated(role: str, target: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    destination = {"bucket": f"arn:aws:s3:::{target}", **more}
    rule = _rule(deleteMarkerReplication={"status": "Disabled"}, destination=destination)
    return {"bucket": "source", "role": role, "rules": [rule]}


def test_a_locked_bucket_is_replicated_into_a_locked_one(cloud: Client) -> None:
    for name, locked in (("source", True), ("open", False), ("copy", True)):
        _bucket(cloud, name, locked=locked)
    role = str(_role(cloud, "s3.amazonaws.com")["arn"])
    with pytest.raises(RefusedError, match="Versioning must be 'Enabled' on the bucket open"):
        cloud.create(REPLICATION, _replicated(role, "open"))
    cloud.create(VERSIONING, {"bucket": "open", "versioningConfiguration": {"status": "Enabled"}})
    with pytest.raises(RefusedError, match="open must have Object Lock enabled"):
        cloud.create(REPLICATION, _replicated(role, "open"))
    cloud.create(REPLICATION, _replicated(role, "copy"))


def test_replication_needs_a_role_that_the_service_may_take(cloud: Client) -> None:
    for name in ("source", "copy"):
        _bucket(cloud, name)
    with pytest.raises(RefusedError, match="cannot assume the role"):
        cloud.create(REPLICATION, _replicated(str(_role(cloud, "ec2.amazonaws.com")["arn"]), "copy"))
    cloud.create(REPLICATION, _replicated(str(_role(cloud, "s3.amazonaws.com")["arn"]), "copy"))


@pytest.mark.parametrize(
    ("destination", "said"),
    [
        ({"replicationTime": {"status": "Enabled", "time": {"minutes": 15}}, "metrics": {"status": "Enabled"}}, ""),
        (
            {"replicationTime": {"status": "Enabled", "time": {"minutes": 5}}, "metrics": {"status": "Enabled"}},
            "only 15",
        ),
        ({"replicationTime": {"status": "Enabled", "time": {"minutes": 15}}}, "needs metrics"),
        ({"encryptionConfiguration": {"replicaKmsKeyId": "arn:aws:kms:x"}}, "specified together"),
    ],
)
def test_replication_in_time_and_of_encrypted_objects_is_asked_for_whole(
    cloud: Client, destination: dict[str, Any], said: str
) -> None:
    found = str(cloud.failures(REPLICATION, _replicated("arn:aws:iam::x:role/it", "copy", **destination)))
    assert said in found if said else found == "[]"


TRAIL_ARN = f"arn:aws:cloudtrail:us-west-2:{ACCOUNT}:trail/trail"


def _letting(cloud: Client, service: str, source: str) -> None:
    arn = "arn:aws:s3:::audit"
    own = {"ArnLike": {"aws:SourceArn": source}}
    admitted = [
        _service(service, "s3:GetBucketAcl", arn, **own),
        _service(service, "s3:PutObject", f"{arn}/AWSLogs/{ACCOUNT}/*", **own),
    ]
    cloud.create(POLICY, {"bucket": "audit", "policy": _document(*admitted)}, source[-10:])


def test_a_trail_writes_where_bucket_and_key_admit_it(cloud: Client) -> None:
    wanted = {"name": "trail", "s3BucketName": "audit", "isMultiRegionTrail": True}
    with pytest.raises(RefusedError, match="S3BucketDoesNotExistException"):
        cloud.create(TRAIL, wanted)
    _bucket(cloud, "audit")
    with pytest.raises(RefusedError, match="InsufficientS3BucketPolicyException"):
        cloud.create(TRAIL, wanted)
    _letting(cloud, "cloudtrail.amazonaws.com", TRAIL_ARN)
    with pytest.raises(RefusedError, match="InsufficientS3BucketPolicyException"):
        cloud.create(TRAIL, {**wanted, "name": "another"})
    closed, opened = _key(cloud, name="closed"), _key(cloud, "cloudtrail.amazonaws.com", name="opened")
    with pytest.raises(RefusedError, match="InsufficientEncryptionPolicyException"):
        cloud.create(TRAIL, {**wanted, "kmsKeyId": closed["arn"]})
    made = cloud.create(TRAIL, {**wanted, "kmsKeyId": opened["arn"]})
    assert made["arn"] == TRAIL_ARN


def test_a_trail_of_all_regions_records_global_services(cloud: Client) -> None:
    wanted = {"name": "trail", "s3BucketName": "audit", "isMultiRegionTrail": True}
    assert "must include global" in str(cloud.failures(TRAIL, {**wanted, "includeGlobalServiceEvents": False}))
    assert cloud.failures(TRAIL, {**wanted, "includeGlobalServiceEvents": True}) == []
    for value, said in (("arn:aws:s3:::backups", "slash"), ("arn:aws:s3:::backups/", "")):
        selector = {"dataResources": [{"type": "AWS::S3::Object", "values": [value]}]}
        found = str(cloud.failures(TRAIL, {**wanted, "eventSelectors": [selector]}))
        assert said in found if said else found == "[]"


def test_flows_are_delivered_where_bucket_and_its_key_admit_it(cloud: Client) -> None:
    vpc = cloud.create("aws:ec2/vpc:Vpc", {"cidrBlock": "10.1.0.0/16"})
    _bucket(cloud, "audit")
    wanted = {
        "vpcId": vpc.id,
        "trafficType": "ALL",
        "logDestinationType": "s3",
        "logDestination": "arn:aws:s3:::audit",
        "maxAggregationInterval": 60,
    }
    with pytest.raises(RefusedError, match="check LogDestination permission"):
        cloud.create(FLOWS, wanted)
    _letting(cloud, "delivery.logs.amazonaws.com", f"arn:aws:logs:us-west-2:{ACCOUNT}:*")
    key = _key(cloud, name="closed")
    rules = [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key["arn"]}}]
    encrypted = cloud.create(ENCRYPTION, {"bucket": "audit", "rules": rules})
    with pytest.raises(RefusedError, match="check LogDestination permission"):
        cloud.create(FLOWS, wanted)
    cloud.delete(encrypted)
    cloud.create(FLOWS, wanted)
    with pytest.raises(RefusedError, match="FlowLogAlreadyExists"):
        cloud.create(FLOWS, wanted, "again")


@pytest.mark.parametrize(("change", "said"), [({}, ""), ({"maxAggregationInterval": 30}, "60, 600"), ({"subnetId": "subnet-1"}, "exactly one")])  # fmt: skip
def test_flows_are_of_one_thing_and_counted_by_one_or_ten_minutes(
    cloud: Client, change: dict[str, Any], said: str
) -> None:
    found = str(cloud.failures(FLOWS, {"vpcId": "vpc-1", "trafficType": "ALL", **change}))
    assert said in found if said else found == "[]"


def test_a_log_group_keeps_for_days_on_offer_by_a_key_that_admits_it(cloud: Client) -> None:
    assert "retention_in_days" in str(cloud.failures(LOGS, {"name": "it", "retentionInDays": 360}))
    assert cloud.failures(LOGS, {"name": "it", "retentionInDays": 365}) == []
    closed, opened = _key(cloud, name="closed"), _key(cloud, "logs.us-west-2.amazonaws.com", name="opened")
    with pytest.raises(RefusedError, match="not allowed to be used"):
        cloud.create(LOGS, {"name": "it", "kmsKeyId": closed["arn"]})
    cloud.create(LOGS, {"name": "it", "kmsKeyId": opened["arn"]})
    with pytest.raises(RefusedError, match="ResourceAlreadyExistsException"):
        cloud.create(LOGS, {"name": "it"}, "again")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"period": 45}, "multiple of 60"),
        ({"treatMissingData": "alarm"}, "breaching"),
        ({"metricName": None}, "metricName"),
        ({"comparisonOperator": "Below"}, "comparisonOperator"),
    ],
)
def test_an_alarm_measures_what_the_service_can(cloud: Client, change: dict[str, Any], said: str) -> None:
    wanted = {
        "name": "it",
        "namespace": "AWS/VPN",
        "metricName": "TunnelState",
        "statistic": "Minimum",
        "period": 60,
        "evaluationPeriods": 3,
        "comparisonOperator": "LessThanThreshold",
        "threshold": 1,
        "treatMissingData": "breaching",
        **change,
    }
    found = str(cloud.failures(ALARM, {name: value for name, value in wanted.items() if value is not None}))
    assert said in found if said else found == "[]"
