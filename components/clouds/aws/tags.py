"""Which types take tags, and in which form.

Owns the table of this cloud's forms; the tags themselves come from `plan.naming`. A resource's own tags stand:
a tag that is there already is never overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

TAGGED = frozenset(
    {
        "aws:autoscaling/group:Group",
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:cloudtrail/trail:Trail",
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        "aws:ebs/volume:Volume",
        "aws:ec2/customerGateway:CustomerGateway",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        "aws:ec2/eip:Eip",
        "aws:ec2/flowLog:FlowLog",
        "aws:ec2/instance:Instance",
        "aws:ec2/internetGateway:InternetGateway",
        "aws:ec2/launchTemplate:LaunchTemplate",
        "aws:ec2/natGateway:NatGateway",
        "aws:ec2/routeTable:RouteTable",
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpc:Vpc",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        "aws:ec2/vpnConnection:VpnConnection",
        "aws:ec2transitgateway/routeTable:RouteTable",
        "aws:ec2transitgateway/transitGateway:TransitGateway",
        "aws:ec2transitgateway/vpcAttachment:VpcAttachment",
        "aws:iam/instanceProfile:InstanceProfile",
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        "aws:iam/role:Role",
        "aws:kms/key:Key",
        "aws:kms/replicaKey:ReplicaKey",
        "aws:lb/listener:Listener",
        "aws:lb/loadBalancer:LoadBalancer",
        "aws:lb/targetGroup:TargetGroup",
        "aws:rds/instance:Instance",
        "aws:rds/parameterGroup:ParameterGroup",
        "aws:rds/subnetGroup:SubnetGroup",
        "aws:route53/zone:Zone",
        "aws:s3/bucket:Bucket",
        "aws:secretsmanager/secret:Secret",
        "aws:sns/topic:Topic",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    }
)
"""Types of this package whose SDK class has `tags`."""

_Plain = dict[str, Any]


def _map(own: object, tags: Mapping[str, str]) -> _Plain:
    return {**tags, **cast("_Plain", own or {})}


def _group(own: object, tags: Mapping[str, str]) -> list[_Plain]:
    """An autoscaling group tags by list and says of each whether its machines get it."""
    listed = list(cast("Sequence[_Plain]", own or []))
    present = {tag["key"] for tag in listed}
    return listed + [
        {"key": key, "value": value, "propagate_at_launch": True} for key, value in tags.items() if key not in present
    ]


def tagged(token: str, inputs: Mapping[str, object], tags: Mapping[str, str]) -> dict[str, object] | None:
    """The inputs with tags in this cloud's form, or None where the type takes none."""
    if token not in TAGGED:
        return None
    match token:
        case "aws:autoscaling/group:Group":
            changed: _Plain = {"tags": _group(inputs.get("tags"), tags)}
        case "aws:ec2/launchTemplate:LaunchTemplate":
            # What the template starts is tagged by the template, and so is the template itself.
            made = cast("Sequence[_Plain]", inputs.get("tag_specifications") or [])
            changed = {
                "tags": _map(inputs.get("tags"), tags),
                "tag_specifications": [{**item, "tags": _map(item.get("tags"), tags)} for item in made],
            }
        case "aws:ec2/instance:Instance":
            root = cast("_Plain", inputs.get("root_block_device") or {})
            changed = {
                "tags": _map(inputs.get("tags"), tags),
                "root_block_device": {**root, "tags": _map(root.get("tags"), tags)},
            }
        case _:
            changed = {"tags": _map(inputs.get("tags"), tags)}
    return {**inputs, **changed}
