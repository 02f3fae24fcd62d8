"""AWS VPC endpoints.

Source: EC2 API reference, CreateVpcEndpoint; PrivateLink guide, "Gateway endpoints".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.aws.network import GROUP, ROUTE_TABLE, SUBNET, VPC
from sandbox.cloud.registry import Ref, model

_GATEWAY_SERVICES: Final = ("s3", "dynamodb")

endpoint = model(
    "aws:ec2/vpcEndpoint:VpcEndpoint",
    id="vpce-{hex17}",
    references=(
        Ref("vpcId", (VPC,), missing="InvalidVpcId.NotFound"),
        Ref("routeTableIds[*]", (ROUTE_TABLE,), holds=False, missing="InvalidRouteTableId.NotFound"),
        Ref("subnetIds[*]", (SUBNET,), missing="InvalidSubnetId.NotFound"),
        Ref("securityGroupIds[*]", (GROUP,), missing="InvalidSecurityGroupId.NotFound"),
    ),
    immutable=("serviceName", "vpcEndpointType", "vpcId"),
    outputs={
        "arn": "arn:aws:ec2:{region}:{account}:vpc-endpoint/{id}",
        "prefixListId": "pl-{hex8}",
        "state": "available",
        "vpcEndpointType": "Gateway",
    },
)


@endpoint.check
def _service_exists(draft: Draft) -> Iterator[Failure]:
    service, region = draft.known("serviceName"), draft.scope("region")
    if not isinstance(service, str) or not region:
        return
    stem = f"com.amazonaws.{region}."
    gateway = draft.known("vpcEndpointType") in (None, "Gateway")
    if not service.startswith((stem, "com.amazonaws.vpce.")):
        yield draft.fail("serviceName", f"InvalidServiceName: The Vpc Endpoint Service '{service}' does not exist")
    elif gateway and service.removeprefix(stem) not in _GATEWAY_SERVICES:
        yield draft.fail("vpcEndpointType", f"{service} has no gateway endpoint; use Interface")
    other = "subnetIds" if gateway else "routeTableIds"
    if draft.get(other) is not None:
        yield draft.fail(other, f"not for a {'gateway' if gateway else 'interface'} endpoint")


@endpoint.admit
def _tables_are_of_the_network(draft: Draft) -> None:
    for _, value in draft.each("routeTableIds[*]"):
        table = draft.find(ROUTE_TABLE, value)
        if table and table["vpcId"] != draft.get("vpcId") and table.type == ROUTE_TABLE:
            raise draft.refuse("InvalidParameter", f"Route table {value} does not belong to {draft.get('vpcId')}")
