"""AWS records: trails, flow logs, log groups, alarms.

Source: CloudTrail API reference, CreateTrail; EC2 API reference, CreateFlowLogs; CloudWatch Logs API reference,
CreateLogGroup, PutRetentionPolicy; CloudWatch API reference, PutMetricAlarm.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.aws.keys import KEY, KEYS, REPLICA
from sandbox.cloud.models.aws.network import SUBNET, VPC
from sandbox.cloud.models.aws.policies import admits
from sandbox.cloud.models.aws.storage import BUCKET, encryption, policy
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import Value

TRAIL: Final = "aws:cloudtrail/trail:Trail"
FLOW_LOG: Final = "aws:ec2/flowLog:FlowLog"
LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
_TRAIL_SERVICE: Final = "cloudtrail.amazonaws.com"
_DELIVERY_SERVICE: Final = "delivery.logs.amazonaws.com"
_OWNED: Final = {"s3:x-amz-acl": "bucket-owner-full-control"}
_RETENTIONS: Final = (
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip

trail = model(
    TRAIL,
    id=lambda draft: draft.fill("arn:aws:cloudtrail:{region}:{account}:trail/{name}") or "",
    name=Name("name", max=128, characters="A-Za-z0-9._-", pattern=r"[A-Za-z0-9][A-Za-z0-9._-]{2,127}",
              rule="3 to 128 letters, digits, periods, underscores and dashes"),
    unique=(("region", "name"),),
    references=(
        Ref("s3BucketName", (BUCKET,), missing="S3BucketDoesNotExistException"),
        Ref("kmsKeyId", KEYS, missing="KmsKeyNotFoundException"),
    ),
    immutable=("name",),
    outputs={"arn": "{id}", "homeRegion": "{region}", "snsTopicArn": ""},
    exists="TrailAlreadyExistsException",
)  # fmt: skip
flow_log = model(
    FLOW_LOG,
    id="fl-{hex17}",
    references=(
        Ref("vpcId", (VPC,), missing="InvalidVpcId.NotFound"),
        Ref("subnetId", (SUBNET,), missing="InvalidSubnetId.NotFound"),
        Ref("logDestination", (BUCKET, LOG_GROUP), missing="InvalidParameter"),
    ),
    unique=(("vpcId", "logDestination", "trafficType"),),
    immutable=("vpcId", "subnetId", "eniId", "logDestination", "logDestinationType", "trafficType", "logFormat",
               "maxAggregationInterval", "destinationOptions", "iamRoleArn"),
    outputs={"arn": "arn:aws:ec2:{region}:{account}:vpc-flow-log/{id}", "maxAggregationInterval": 600},
    exists="FlowLogAlreadyExists",
)  # fmt: skip
log_group = model(
    LOG_GROUP,
    id="{name}",
    name=Name("name", max=512, characters="A-Za-z0-9_/.-"),
    unique=(("region", "name"),),
    references=(Ref("kmsKeyId", KEYS, missing="AccessDeniedException"),),
    immutable=("name", "namePrefix", "logGroupClass"),
    outputs={"arn": "arn:aws:logs:{region}:{account}:log-group:{name}", "logGroupClass": "STANDARD"},
    exists="ResourceAlreadyExistsException",
)
alarm = model(
    ALARM,
    id="{name}",
    name=Name("name", max=255, characters="A-Za-z0-9 _.-"),
    unique=(("region", "name"),),
    immutable=("name",),
    outputs={"arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}", "treatMissingData": "missing"},
)


def _held(draft: Draft, bucket: str) -> tuple[Value, Value]:
    """The bucket's policy, and the policy of the key that encrypts it."""
    written = next((found["policy"] for found in draft.others(policy.type, bucket=bucket)), None)
    for found in draft.others(encryption.type, bucket=bucket):
        rules = found["rules"]
        default = (rules[0] if rules else {}).get("applyServerSideEncryptionByDefault") or {}
        return written, _key_policy(draft, default.get("kmsMasterKeyId"))
    return written, None


def _key_policy(draft: Draft, value: Value) -> Value:
    for type_ in (KEY, REPLICA):
        if found := draft.find(type_, value):
            return found["policy"]
    return None


@trail.check
def _records_something(draft: Draft) -> Iterator[Failure]:
    if draft.get("eventSelectors") is not None and draft.get("advancedEventSelectors") is not None:
        yield draft.fail("eventSelectors", '"event_selector": conflicts with advanced_event_selector')
    if draft.known("isMultiRegionTrail") is True and draft.known("includeGlobalServiceEvents") is False:
        yield draft.fail(
            "includeGlobalServiceEvents",
            "InvalidParameterCombinationException: Multi-Region trail must include global service events.",
        )
    for path, value in draft.each("eventSelectors[*].dataResources[*].values[*]"):
        if isinstance(value, str) and value.startswith("arn:aws:s3:::") and "/" not in value:
            yield draft.fail(path, f"InvalidEventSelectorsException: {value} must end with a slash or an object prefix")
    for path, value in draft.each("eventSelectors[*].readWriteType"):
        if isinstance(value, str) and value not in ("All", "ReadOnly", "WriteOnly"):
            yield draft.fail(path, f'expected one of "All", "ReadOnly", "WriteOnly", got {value}')


@trail.admit
def _may_be_written(draft: Draft) -> None:
    """The service tries both policies before it makes the trail."""
    bucket = str(draft.get("s3BucketName"))
    written, _ = _held(draft, bucket)
    prefix = f"{draft.get('s3KeyPrefix')}/" if draft.get("s3KeyPrefix") else ""
    object_ = draft.fill(f"arn:aws:s3:::{bucket}/{prefix}AWSLogs/{{account}}/CloudTrail/it") or ""
    said = {"aws:SourceArn": draft.fill("arn:aws:cloudtrail:{region}:{account}:trail/{name}") or "", **_OWNED}
    if not (
        admits(written, _TRAIL_SERVICE, "s3:GetBucketAcl", f"arn:aws:s3:::{bucket}", said)
        and admits(written, _TRAIL_SERVICE, "s3:PutObject", object_, said)
    ):
        raise draft.refuse(
            "InsufficientS3BucketPolicyException", f"Incorrect S3 bucket policy is detected for bucket: {bucket}"
        )
    if draft.get("kmsKeyId") and not admits(
        _key_policy(draft, draft.get("kmsKeyId")), _TRAIL_SERVICE, "kms:GenerateDataKey", "*", said
    ):
        raise draft.refuse(
            "InsufficientEncryptionPolicyException",
            f"Insufficient permissions to access S3 bucket {bucket} or KMS key {draft.get('kmsKeyId')}.",
        )


@flow_log.check
def _one_source(draft: Draft) -> Iterator[Failure]:
    names = ("eniId", "regionalNatGatewayId", "subnetId", "transitGatewayAttachmentId", "transitGatewayId", "vpcId")
    given = [name for name in names if draft.get(name) is not None]
    if len(given) != 1:
        yield draft.fail("vpcId", f"exactly one of {', '.join(names)} must be specified, got {given or 'none'}")
    interval = draft.known("maxAggregationInterval")
    if interval not in (None, 60, 600):
        yield draft.fail("maxAggregationInterval", f"expected one of 60, 600, got {interval}")
    if draft.known("logDestinationType") == "s3" and draft.get("iamRoleArn") is not None:
        yield draft.fail("iamRoleArn", "DeliverLogsPermissionArn is not applicable for s3 delivery")


@flow_log.admit
def _may_be_delivered(draft: Draft) -> None:
    destination = draft.get("logDestination")
    bucket = draft.find(BUCKET, destination)
    if bucket is None:
        return
    said = {
        "aws:SourceAccount": draft.scope("account"),
        "aws:SourceArn": draft.fill("arn:aws:logs:{region}:{account}:*") or "",
        **_OWNED,
    }
    written, key = _held(draft, bucket.id)
    object_ = draft.fill(f"arn:aws:s3:::{bucket.id}/AWSLogs/{{account}}/vpcflowlogs/it") or ""
    if not admits(written, _DELIVERY_SERVICE, "s3:PutObject", object_, said) or (
        key is not None and not admits(key, _DELIVERY_SERVICE, "kms:GenerateDataKey", "*", said)
    ):
        raise draft.refuse(
            "LogDestinationPermissionIssueException",
            f"Access Denied for LogDestination: {bucket.id}. Please check LogDestination permission",
        )


@log_group.check
def _retention_is_offered(draft: Draft) -> Iterator[Failure]:
    days = draft.known("retentionInDays")
    if isinstance(days, (int, float)) and days not in _RETENTIONS:
        yield draft.fail("retentionInDays", f"expected retention_in_days to be one of {list(_RETENTIONS)}, got {days}")


@log_group.admit
def _key_is_allowed(draft: Draft) -> None:
    if not draft.get("kmsKeyId"):
        return
    arn = draft.fill("arn:aws:logs:{region}:{account}:log-group:{name}") or ""
    service = f"logs.{draft.scope('region')}.amazonaws.com"
    said = {"kms:EncryptionContext:aws:logs:arn": arn}
    if not admits(_key_policy(draft, draft.get("kmsKeyId")), service, "kms:GenerateDataKey", "*", said):
        raise draft.refuse(
            "AccessDeniedException",
            f"The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'",
        )


@alarm.check
def _measures(draft: Draft) -> Iterator[Failure]:
    period = draft.known("period")
    if isinstance(period, (int, float)) and period not in (10, 20, 30) and period % 60:
        yield draft.fail("period", f"expected 10, 20, 30 or a multiple of 60, got {period}")
    if draft.get("metricName") is None and draft.get("metricQueries") is None:
        yield draft.fail("metricName", "one of metricName and metricQueries must be given")
    treated = draft.known("treatMissingData")
    if treated not in (None, "breaching", "ignore", "missing", "notBreaching"):
        yield draft.fail(
            "treatMissingData", f'expected one of "breaching", "ignore", "missing", "notBreaching", got {treated}'
        )
