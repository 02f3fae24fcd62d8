"""AWS Auto Scaling: launch templates, groups, scaling policies.

Source: EC2 API reference, CreateLaunchTemplate, CreateLaunchTemplateVersion; EC2 Auto Scaling API reference,
CreateAutoScalingGroup, PutScalingPolicy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.aws.compute import PROFILE, image_failures, user_data_failures
from sandbox.cloud.models.aws.keys import KEYS
from sandbox.cloud.models.aws.network import GROUP as FIREWALL
from sandbox.cloud.models.aws.network import SUBNET
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import Value

TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
GROUP: Final = "aws:autoscaling/group:Group"
_ALIASES: Final = ("$Latest", "$Default")

template = model(
    TEMPLATE,
    id="lt-{hex17}",
    name=Name("name", max=128, characters="a-zA-Z0-9-", pattern=r"[a-zA-Z0-9().\-/_]{3,128}",
              rule="3 to 128 letters, digits and ().-/_"),
    unique=(("region", "name"),),
    references=(
        Ref("vpcSecurityGroupIds[*]", (FIREWALL,), missing="InvalidGroup.NotFound"),
        # A template names its profile and keys as text: they may go, and the next launch fails.
        Ref("iamInstanceProfile.name", (PROFILE,), missing="InvalidParameterValue", holds=False),
        Ref("iamInstanceProfile.arn", (PROFILE,), missing="InvalidParameterValue", holds=False),
        Ref("blockDeviceMappings[*].ebs.kmsKeyId", KEYS, missing="InvalidKMSKey.NotFound", holds=False),
    ),
    outputs={"arn": "arn:aws:ec2:{region}:{account}:launch-template/{id}"},
    handles=("arn",),
    exists="InvalidLaunchTemplateName.AlreadyExistsException",
)  # fmt: skip
group = model(
    GROUP,
    id="{name}",
    name=Name("name", max=255),
    unique=(("region", "name"),),
    references=(
        Ref("launchTemplate.id", (TEMPLATE,), missing="ValidationError"),
        Ref("vpcZoneIdentifiers[*]", (SUBNET,), missing="ValidationError"),
        Ref("targetGroupArns[*]", ("aws:lb/targetGroup:TargetGroup",), missing="ValidationError"),
    ),
    outputs={
        "arn": "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:{hex8}:autoScalingGroupName/{name}",
        "healthCheckType": "EC2",
        "defaultCooldown": 300,
        "serviceLinkedRoleArn": "arn:aws:iam::{account}:role/aws-service-role/autoscaling.amazonaws.com/"
        "AWSServiceRoleForAutoScaling",
    },
    exists="AlreadyExists",
)
policy = model(
    "aws:autoscaling/policy:Policy",
    id="{name}",
    name=Name("name", max=255),
    unique=(("region", "autoscalingGroupName", "name"),),
    references=(Ref("autoscalingGroupName", (GROUP,), holds=False, missing="ValidationError"),),
    immutable=("name", "autoscalingGroupName"),
    outputs={
        "arn": "arn:aws:autoscaling:{region}:{account}:scalingPolicy:{hex8}:autoScalingGroupName/"
        "{autoscalingGroupName}:policyName/{name}",
    },
)


@group.check
def _bounds_hold(draft: Draft) -> Iterator[Failure]:
    least, most, wanted = (draft.known(name) for name in ("minSize", "maxSize", "desiredCapacity"))
    if isinstance(least, (int, float)) and isinstance(most, (int, float)) and least > most:
        yield draft.fail("minSize", f"Max bound, {most:g}, must be greater than or equal to min bound, {least:g}")
    elif all(isinstance(value, (int, float)) for value in (least, most, wanted)) and not least <= wanted <= most:
        yield draft.fail("desiredCapacity", f"Desired capacity:{wanted:g} must be between {least:g} and {most:g}")


@group.admit
def _template_has_version(draft: Draft) -> None:
    made, version = draft.find(TEMPLATE, draft.get("launchTemplate.id")), draft.get("launchTemplate.version")
    if made is None or version is None or version in _ALIASES:
        return
    if not str(version).isdigit() or not 1 <= int(version) <= int(made["latestVersion"]):
        raise draft.refuse("ValidationError", f"Could not find launch template version {version} of {made.id}.")


@group.compute
def _capacity(draft: Draft) -> dict[str, Value]:
    zones = [draft.find(SUBNET, value) for _, value in draft.each("vpcZoneIdentifiers[*]")]
    wanted = draft.get("desiredCapacity")
    return {
        "desiredCapacity": draft.get("minSize") if wanted is None else wanted,
        "availabilityZones": sorted({str(zone["availabilityZone"]) for zone in zones if zone}),
    }


@template.check
def _template_fits(draft: Draft) -> Iterator[Failure]:
    yield from image_failures(draft, "imageId")
    yield from user_data_failures(draft, "userData")


@template.compute
def _versions(draft: Draft) -> dict[str, Value]:
    """Every change of the data makes a version; the template's own tags and default are not part of it."""
    latest = draft.kept("latestVersion")
    data = [name for name in draft.inputs if name not in ("tags", "updateDefaultVersion", "defaultVersion")]
    newest = 1 if latest is None else int(latest) + draft.changed(*data)
    default = draft.get("defaultVersion") or draft.kept("defaultVersion") or 1
    return {"latestVersion": newest, "defaultVersion": newest if draft.get("updateDefaultVersion") else default}
