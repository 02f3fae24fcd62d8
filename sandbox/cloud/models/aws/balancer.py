"""AWS load balancers: balancer, target group, attachment, listener.

Source: Elastic Load Balancing API reference (version 2015-12-01), CreateLoadBalancer, CreateTargetGroup.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.aws.compute import INSTANCE
from sandbox.cloud.models.aws.interfaces import place
from sandbox.cloud.models.aws.network import GROUP, SUBNET, VPC
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import Value

BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
TARGETS: Final = "aws:lb/targetGroup:TargetGroup"
_NAME: Final = r"(?!internal-)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_RULE: Final = "letters, digits and hyphens, no hyphen at either end, and not beginning with internal-"
_ARN: Final = "arn:aws:elasticloadbalancing:{region}:{account}:"
_ZONES: Final = {"network": "Z18D5FSROUN65G", "application": "Z1H1FL5HABSF5"}  # of the balancers' own names, us-west-2

balancer = model(
    BALANCER,
    id=lambda draft: draft.fill(_ARN + f"loadbalancer/{_short(draft)}/{{name}}/{{hex16}}"),
    name=Name("name", max=32, pattern=_NAME, rule=_RULE),
    unique=(("region", "name"),),
    references=(
        Ref("subnets[*]", (SUBNET,), missing="SubnetNotFound"),
        Ref("subnetMappings[*].subnetId", (SUBNET,), missing="SubnetNotFound"),
        Ref("securityGroups[*]", (GROUP,), missing="InvalidSecurityGroup"),
    ),
    immutable=("name", "namePrefix", "internal", "loadBalancerType", "customerOwnedIpv4Pool"),
    outputs={
        "arn": "{id}",
        "arnSuffix": lambda draft: draft.id.partition(":loadbalancer/")[2],
        "loadBalancerType": "application",
        "zoneId": lambda draft: _ZONES.get(draft.get("loadBalancerType", "application"), ""),
        "ipAddressType": "ipv4",
        "internal": False,
    },
    handles=("arn",),
    exists="DuplicateLoadBalancerName",
    in_use="ResourceInUse",
)
targets = model(
    TARGETS,
    id=_ARN + "targetgroup/{name}/{hex16}",
    name=Name("name", max=32, pattern=_NAME, rule=_RULE),
    unique=(("region", "name"),),
    references=(Ref("vpcId", (VPC,), missing="ValidationError"),),
    immutable=("name", "namePrefix", "port", "protocol", "protocolVersion", "targetType", "vpcId", "ipAddressType"),
    outputs={
        "arn": "{id}",
        "arnSuffix": lambda draft: draft.id.rpartition(":")[2],
        "targetType": "instance",
        "ipAddressType": "ipv4",
        "loadBalancerArns": [],
    },
    handles=("arn",),
    exists="DuplicateTargetGroupName",
    in_use="ResourceInUse",
)
attachment = model(
    "aws:lb/targetGroupAttachment:TargetGroupAttachment",
    id="{targetGroupArn}-{hex26}",
    unique=(("targetGroupArn", "targetId", "port"),),
    references=(Ref("targetGroupArn", (TARGETS,), missing="TargetGroupNotFound"),),
    immutable=("targetGroupArn", "targetId", "port", "availabilityZone"),
    handles=(),
)
listener = model(
    "aws:lb/listener:Listener",
    id=lambda draft: (
        str(draft.get("loadBalancerArn")).replace(":loadbalancer/", ":listener/") + (draft.fill("/{hex16}") or "")
    ),
    unique=(("loadBalancerArn", "port"),),
    references=(
        Ref("loadBalancerArn", (BALANCER,), missing="LoadBalancerNotFound"),
        Ref("defaultActions[*].targetGroupArn", (TARGETS,), missing="TargetGroupNotFound"),
    ),
    immutable=("loadBalancerArn",),
    outputs={"arn": "{id}", "sslPolicy": "", "tcpIdleTimeoutSeconds": 350},
    handles=("arn",),
    exists="DuplicateListener",
)


def _short(draft: Draft) -> str:
    return {"network": "net", "gateway": "gwy"}.get(str(draft.get("loadBalancerType")), "app")


@balancer.check
def _has_subnets(draft: Draft) -> Iterator[Failure]:
    if (draft.get("subnets") is None) == (draft.get("subnetMappings") is None):
        yield draft.fail("subnets", "exactly one of subnets and subnetMappings must be given")


@targets.check
def _fits_its_targets(draft: Draft) -> Iterator[Failure]:
    if draft.get("targetType") != "lambda":
        for name in ("port", "protocol", "vpcId"):
            if draft.get(name) is None:
                yield draft.fail(name, f"{name} must be given unless targetType is lambda")
    protocol, probe = draft.known("healthCheck.protocol"), draft.known("healthCheck.path")
    if probe is not None and protocol == "TCP":
        yield draft.fail("healthCheck.path", "a TCP health check has no path")


@balancer.compute
def _placed(draft: Draft) -> dict[str, Value]:
    """Addresses are checked when they are new; an internal balancer's name is known once it has an id."""
    mappings = draft.get("subnetMappings") or []
    if draft.old is None:
        mappings = [
            {**item, "privateIpv4Address": place(draft, item.get("subnetId"), item["privateIpv4Address"])}
            if item.get("privateIpv4Address")
            else item
            for item in mappings
        ]
    end = draft.id.rpartition("/")[2]
    inner = "internal-" if draft.get("internal") and _short(draft) == "app" else ""
    found = [draft.find(SUBNET, item.get("subnetId")) for item in mappings]
    found = found or [draft.find(SUBNET, item) for item in draft.get("subnets") or ()]
    return {
        "dnsName": f"{inner}{draft.name}-{end}.elb.{draft.scope('region')}.amazonaws.com",
        "vpcId": next((subnet["vpcId"] for subnet in found if subnet), ""),
        "subnets": [subnet.id for subnet in found if subnet],
        **({"subnetMappings": mappings} if mappings else {}),
    }


@balancer.guard
def _not_protected(draft: Draft) -> None:
    if draft.get("enableDeletionProtection") is True:
        raise draft.refuse(
            "OperationNotPermitted",
            f"Load balancer '{draft.id}' cannot be deleted because deletion protection is enabled",
        )


@balancer.admit
def _one_network(draft: Draft) -> None:
    given = [*draft.each("subnetMappings[*].subnetId"), *draft.each("subnets[*]")]
    subnets = [found for _, value in given if (found := draft.find(SUBNET, value))]
    zones = [subnet["availabilityZone"] for subnet in subnets]
    if len(set(zones)) < len(zones):
        raise draft.refuse(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    groups = [found for _, value in draft.each("securityGroups[*]") if (found := draft.find(GROUP, value))]
    if len({found["vpcId"] for found in (*subnets, *groups) if found["vpcId"]}) > 1:
        raise draft.refuse("InvalidConfigurationRequest", "subnets and security groups must be of one VPC")
    if draft.old and draft.get("securityGroups") and not draft.old["securityGroups"] and _short(draft) == "net":
        raise draft.refuse(
            "InvalidConfigurationRequest", "a network balancer made without security groups cannot get any later"
        )


@listener.admit
def _fits_its_balancer(draft: Draft) -> None:
    front, protocol = draft.find(BALANCER, draft.get("loadBalancerArn")), draft.get("protocol")
    if front is None:
        return
    if (front["loadBalancerType"] == "network") is (protocol in ("HTTP", "HTTPS")):
        raise draft.refuse("ValidationError", f"Listener protocol '{protocol}' is not supported by '{front.id}'")
    for _, value in draft.each("defaultActions[*].targetGroupArn"):
        pool = draft.find(TARGETS, value)
        if pool and pool["vpcId"] != front["vpcId"]:
            raise draft.refuse(
                "InvalidConfigurationRequest", f"target group '{value}' is not of the VPC of '{front.id}'"
            )


@attachment.admit
def _target_exists(draft: Draft) -> None:
    owner = draft.find(TARGETS, draft.get("targetGroupArn"))
    target = draft.get("targetId")
    if owner is None or owner["targetType"] != "instance":
        return
    machine = draft.find(INSTANCE, target)
    if machine is None:
        raise draft.refuse("InvalidTarget", f"The following targets are not valid: {target}")
    subnet = draft.find(SUBNET, machine["subnetId"])
    if subnet and subnet["vpcId"] != owner["vpcId"]:
        raise draft.refuse("InvalidTarget", f"The following targets are not in the target group VPC: '{target}'")
