"""AWS: limits from botocore's service models, which ship with every release of AWS's own SDK for Python.

Add a line to `SOURCES` to have a type checked against the request of the API operation that makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import botocore.loaders
import botocore.model

from sandbox.cloud.schema import Shape
from sandbox.cloud.truth.overlay import SKIP, Fact, Source

_HEALTH_CHECK: Final = {
    "healthCheck.protocol": "HealthCheckProtocol",
    "healthCheck.path": "HealthCheckPath",
    "healthCheck.interval": "HealthCheckIntervalSeconds",
    "healthCheck.timeout": "HealthCheckTimeoutSeconds",
    "healthCheck.healthyThreshold": "HealthyThresholdCount",
    "healthCheck.unhealthyThreshold": "UnhealthyThresholdCount",
}
SOURCES: Final[dict[str, Source]] = {
    "aws:autoscaling/group:Group": Source(("autoscaling", "CreateAutoScalingGroup"), {"tags": SKIP}),
    "aws:cloudwatch/logGroup:LogGroup": Source(("logs", "CreateLogGroup"), {"name": "logGroupName", "tags": SKIP}),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Source(
        ("cloudwatch", "PutMetricAlarm"),
        {"name": "AlarmName", "dimensions": SKIP, "metricQueries": SKIP, "tags": SKIP, "evaluationCriteria": SKIP},
    ),
    "aws:ebs/volume:Volume": Source(("ec2", "CreateVolume"), {"type": "VolumeType"}),
    "aws:ec2/flowLog:FlowLog": Source(("ec2", "CreateFlowLogs")),
    "aws:ec2/instance:Instance": Source(
        ("ec2", "RunInstances"),
        {
            "tenancy": "Placement.Tenancy",
            "rootBlockDevice.volumeType": "BlockDeviceMappings.Ebs.VolumeType",
            "ebsBlockDevices.volumeType": "BlockDeviceMappings.Ebs.VolumeType",
            "instanceInitiatedShutdownBehavior": "InstanceInitiatedShutdownBehavior",
        },
    ),
    "aws:ec2/launchTemplate:LaunchTemplate": Source(
        ("ec2", "CreateLaunchTemplate"),
        {".": "LaunchTemplateData", "name": "LaunchTemplateName", "description": "VersionDescription"},
    ),
    "aws:ec2/placementGroup:PlacementGroup": Source(("ec2", "CreatePlacementGroup")),
    "aws:ec2/vpc:Vpc": Source(("ec2", "CreateVpc")),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Source(("ec2", "CreateVpcEndpoint")),
    "aws:ec2/vpnGateway:VpnGateway": Source(("ec2", "CreateVpnGateway")),
    "aws:eks/addon:Addon": Source(("eks", "CreateAddon")),
    "aws:eks/cluster:Cluster": Source(("eks", "CreateCluster")),
    "aws:eks/nodeGroup:NodeGroup": Source(("eks", "CreateNodegroup")),
    "aws:iam/instanceProfile:InstanceProfile": Source(
        ("iam", "CreateInstanceProfile"), {"name": "InstanceProfileName"}
    ),
    "aws:iam/policy:Policy": Source(("iam", "CreatePolicy"), {"name": "PolicyName", "policy": "PolicyDocument"}),
    "aws:iam/role:Role": Source(
        ("iam", "CreateRole"), {"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"}
    ),
    "aws:iam/rolePolicy:RolePolicy": Source(
        ("iam", "PutRolePolicy"), {"name": "PolicyName", "role": "RoleName", "policy": "PolicyDocument"}
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Source(("iam", "AttachRolePolicy"), {"role": "RoleName"}),
    "aws:kms/alias:Alias": Source(("kms", "CreateAlias"), {"name": "AliasName"}),
    "aws:kms/key:Key": Source(("kms", "CreateKey"), {"customerMasterKeySpec": "KeySpec"}),
    "aws:lb/listener:Listener": Source(("elbv2", "CreateListener")),
    "aws:lb/loadBalancer:LoadBalancer": Source(
        ("elbv2", "CreateLoadBalancer"), {"loadBalancerType": "Type", "subnets": SKIP}
    ),
    "aws:lb/targetGroup:TargetGroup": Source(("elbv2", "CreateTargetGroup"), _HEALTH_CHECK),
    "aws:rds/instance:Instance": Source(("rds", "CreateDBInstance")),
    "aws:route53/record:Record": Source(
        ("route53", "ChangeResourceRecordSets"),
        {
            "type": "ChangeBatch.Changes.ResourceRecordSet.Type",
            "ttl": "ChangeBatch.Changes.ResourceRecordSet.TTL",
            "setIdentifier": "ChangeBatch.Changes.ResourceRecordSet.SetIdentifier",
        },
    ),
    "aws:route53/zone:Zone": Source(("route53", "CreateHostedZone")),
    "aws:secretsmanager/secret:Secret": Source(("secretsmanager", "CreateSecret"), {"tags": SKIP}),
    "aws:secretsmanager/secretVersion:SecretVersion": Source(("secretsmanager", "PutSecretValue")),
    "aws:ssm/parameter:Parameter": Source(("ssm", "PutParameter")),
}


@cache
def _service(name: str) -> botocore.model.ServiceModel:
    return botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model(name, "service-2"), name)


def fact(source: Source) -> Fact:
    """The request shape of the operation a source names."""
    service, operation = source.place
    shape: Any = _service(service).operation_model(operation).input_shape
    return _BotoFact(shape)


@dataclass(frozen=True)
class _BotoFact:
    shape: Any  # botocore.model.Shape, whose properties botocore leaves untyped

    def limits(self) -> Shape:
        shape, found = self._element(), {}
        if shape.type_name in ("string", "integer", "long"):
            found = {key: shape.metadata[key] for key in ("min", "max", "pattern") if key in shape.metadata}
        values = list(getattr(shape, "enum", None) or ())
        return {**found, **({"enum": values} if values else {})}

    def member(self, name: str) -> Fact | None:
        for member, found in getattr(self._element(), "members", {}).items():
            if member.lower() == name.lower():
                return _BotoFact(found)
        return None

    def _element(self) -> Any:  # noqa: ANN401
        shape = self.shape
        while isinstance(shape, botocore.model.ListShape):
            shape = shape.member
        return shape
