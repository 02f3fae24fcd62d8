"""AWS security group rules, as standalone resources.

Source: EC2 API reference, AuthorizeSecurityGroupIngress; VPC user guide, "Security group rules".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.addresses import misread
from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.aws.network import GROUP, VPC
from sandbox.cloud.registry import Model, Ref, model
from sandbox.cloud.wire import Value

_PEERS: Final = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")
_ALL: Final = "-1"


def _rule(direction: str) -> Model:
    return model(
        f"aws:vpc/securityGroup{direction}Rule:SecurityGroup{direction}Rule",
        id="sgr-{hex17}",
        references=(
            Ref("securityGroupId", (GROUP,), missing="InvalidGroup.NotFound"),
            Ref("referencedSecurityGroupId", (GROUP,), missing="InvalidGroup.NotFound"),
        ),
        immutable=("securityGroupId",),
        outputs={
            "arn": "arn:aws:ec2:{region}:{account}:security-group-rule/{id}",
            "securityGroupRuleId": "{id}",
        },
    )


ingress, egress = _rule("Ingress"), _rule("Egress")


@ingress.check
@egress.check
def _well_formed(draft: Draft) -> Iterator[Failure]:
    given = [name for name in _PEERS if draft.get(name) is not None]
    if len(given) != 1:
        yield draft.fail("", f"exactly one of {', '.join(_PEERS)} must be given, got {given or 'none'}")
    wrong = misread(draft.get("cidrIpv4"))
    if wrong:
        yield draft.fail("cidrIpv4", wrong)
    protocol, low, high = draft.known("ipProtocol"), draft.known("fromPort"), draft.known("toPort")
    if protocol == _ALL and (low is not None or high is not None):
        yield draft.fail("fromPort", "ports cannot be given when ipProtocol is -1 (all protocols)")
    if protocol in ("tcp", "udp") and draft.get("fromPort") is None:
        yield draft.fail("fromPort", f"ipProtocol {protocol} needs fromPort and toPort")
    if protocol in ("tcp", "udp") and isinstance(low, int) and isinstance(high, int) and not 0 <= low <= high <= 65535:
        yield draft.fail("fromPort", f"Invalid TCP/UDP port range ({low}:{high})")
    description = draft.known("description")
    if isinstance(description, str) and (len(description) > 255 or "\n" in description):
        yield draft.fail("description", "at most 255 characters on one line")


@ingress.admit
@egress.admit
def _not_twice(draft: Draft) -> None:
    names = ("securityGroupId", "ipProtocol", "fromPort", "toPort", *_PEERS)
    same = {name: draft.inputs.get(name) for name in names}
    for _ in draft.others(draft.type, **same):
        peer = next((same[name] for name in _PEERS if same[name]), "")
        raise draft.refuse(
            "InvalidPermission.Duplicate",
            f'the specified rule "peer: {peer}, {str(same["ipProtocol"]).upper()}, from port: {same["fromPort"]}, '
            f'to port: {same["toPort"]}, ALLOW" already exists',
        )


DEFAULT_GROUP: Final = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
default_group = model(
    DEFAULT_GROUP,
    unique=(("vpcId",),),
    references=(Ref("vpcId", (VPC,), missing="InvalidVpcID.NotFound"),),
    immutable=("vpcId",),
    outputs={
        "arn": "arn:aws:ec2:{region}:{account}:security-group/{id}",
        "name": "default",
        "description": "default VPC security group",
    },
)


@default_group.compute
def _adopted(draft: Draft) -> dict[str, Value]:
    """It came with its VPC: taking charge of it makes nothing new."""
    home = draft.find(VPC, draft.get("vpcId"))
    return {"id": home["defaultSecurityGroupId"] if home else ""}
