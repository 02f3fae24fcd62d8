"""AWS transit gateways: attachments, their tables, and what is associated with and propagated to which.

Source: EC2 API reference, CreateTransitGateway, CreateTransitGatewayVpcAttachment, AssociateTransitGatewayRouteTable;
Transit Gateway guide, "Quotas", "Default route tables".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.aws.network import SUBNET, TRANSIT, VPC
from sandbox.cloud.registry import Ref, model
from sandbox.cloud.store import Record
from sandbox.cloud.wire import Value

TABLE: Final = "aws:ec2transitgateway/routeTable:RouteTable"
ATTACHMENT: Final = "aws:ec2transitgateway/vpcAttachment:VpcAttachment"
CONNECTION: Final = "aws:ec2/vpnConnection:VpnConnection"
_ARN: Final = "arn:aws:ec2:{region}:{account}:"
_PRIVATE_ASNS: Final = (range(64512, 65535), range(4200000000, 4294967295))
_GATEWAY: Final = Ref("transitGatewayId", (TRANSIT,), missing="InvalidTransitGatewayID.NotFound")
_TABLE: Final = Ref("transitGatewayRouteTableId", (TABLE,), missing="InvalidRouteTableID.NotFound")
_DEFAULTS: Final = {
    "transitGatewayDefaultRouteTableAssociation": True,
    "transitGatewayDefaultRouteTablePropagation": True,
}
_ATTACHED: Final = Ref(
    "transitGatewayAttachmentId", (ATTACHMENT, CONNECTION), missing="InvalidTransitGatewayAttachmentID.NotFound"
)

gateway = model(
    TRANSIT,
    id="tgw-{hex17}",
    immutable=("multicastSupport",),
    outputs={
        "arn": _ARN + "transit-gateway/{id}",
        "ownerId": "{account}",
        "amazonSideAsn": 64512,
        "associationDefaultRouteTableId": "tgw-rtb-{hex17}",
        "autoAcceptSharedAttachments": "disable",
        "defaultRouteTableAssociation": "enable",
        "defaultRouteTablePropagation": "enable",
        "dnsSupport": "enable",
        "multicastSupport": "disable",
        "vpnEcmpSupport": "enable",
    },
    stands_for={TABLE: "associationDefaultRouteTableId"},
    in_use="IncorrectState",
)
table = model(
    TABLE,
    id="tgw-rtb-{hex17}",
    references=(_GATEWAY,),
    immutable=("transitGatewayId",),
    outputs={
        "arn": _ARN + "transit-gateway-route-table/{id}",
        "defaultAssociationRouteTable": False,
        "defaultPropagationRouteTable": False,
    },
    in_use="IncorrectState",
)
attachment = model(
    ATTACHMENT,
    id="tgw-attach-{hex17}",
    references=(
        _GATEWAY,
        Ref("vpcId", (VPC,), missing="InvalidVpcID.NotFound"),
        Ref("subnetIds[*]", (SUBNET,), missing="InvalidSubnetID.NotFound"),
    ),
    unique=(("transitGatewayId", "vpcId"),),
    immutable=("transitGatewayId", "vpcId"),
    outputs={"arn": _ARN + "transit-gateway-attachment/{id}", "vpcOwnerId": "{account}", **_DEFAULTS},
    exists="DuplicateTransitGatewayAttachment",
    in_use="IncorrectState",
)
association = model(
    "aws:ec2transitgateway/routeTableAssociation:RouteTableAssociation",
    id="{transitGatewayRouteTableId}_{transitGatewayAttachmentId}",
    references=(_ATTACHED, _TABLE),
    unique=(("transitGatewayAttachmentId",),),
    immutable=("transitGatewayAttachmentId", "transitGatewayRouteTableId"),
    handles=(),
    exists="Resource.AlreadyAssociated",
)
propagation = model(
    "aws:ec2transitgateway/routeTablePropagation:RouteTablePropagation",
    id="{transitGatewayRouteTableId}_{transitGatewayAttachmentId}",
    references=(_ATTACHED, _TABLE),
    unique=(("transitGatewayAttachmentId", "transitGatewayRouteTableId"),),
    immutable=("transitGatewayAttachmentId", "transitGatewayRouteTableId"),
    handles=(),
    exists="TransitGatewayRouteTablePropagation.Duplicate",
)
default_propagation = model(
    "aws:ec2transitgateway/defaultRouteTablePropagation:DefaultRouteTablePropagation",
    id="{transitGatewayId}",
    references=(_GATEWAY, _TABLE),
    unique=(("transitGatewayId",),),
    immutable=("transitGatewayId",),
    handles=(),
)


@gateway.check
def _asn(draft: Draft) -> Iterator[Failure]:
    asn = draft.known("amazonSideAsn")
    if isinstance(asn, (int, float)) and not any(int(asn) in private for private in _PRIVATE_ASNS):
        yield draft.fail("amazonSideAsn", f"expected a private autonomous system number, got {int(asn)}")


@gateway.check
@attachment.check
def _switches(draft: Draft) -> Iterator[Failure]:
    names = (
        "autoAcceptSharedAttachments", "defaultRouteTableAssociation", "defaultRouteTablePropagation", "dnsSupport",
        "multicastSupport", "vpnEcmpSupport", "applianceModeSupport", "ipv6Support",
    )  # fmt: skip
    for name in names:
        value = draft.known(name)
        if value not in (None, "enable", "disable"):
            yield draft.fail(name, f'expected one of "enable", "disable", got {value}')


@gateway.admit
def _asn_is_free_to_change(draft: Draft) -> None:
    if draft.old is None or not draft.changed("amazonSideAsn"):
        return
    for connection in draft.others(CONNECTION, transitGatewayId=draft.id):
        raise draft.refuse(
            "IncorrectState", f"{draft.id} has VPN attachments ({connection.id}); its ASN cannot change."
        )


@gateway.compute
def _one_table_is_both_defaults(draft: Draft) -> dict[str, Value]:
    """Made with the gateway; another one can be made the default of propagation later."""
    made = draft.kept("associationDefaultRouteTableId") or draft.fill("tgw-rtb-{hex17}")
    return {"associationDefaultRouteTableId": made, "propagationDefaultRouteTableId": made}


@attachment.admit
def _one_subnet_a_zone(draft: Draft) -> None:
    zones: dict[Value, Value] = {}
    for _, value in draft.each("subnetIds[*]"):
        subnet = draft.find(SUBNET, value)
        if subnet is None:
            continue
        if subnet["vpcId"] != draft.get("vpcId"):
            raise draft.refuse("InvalidSubnetID.NotFound", f"The subnet ID '{value}' does not exist in the VPC")
        if subnet["availabilityZone"] in zones:
            raise draft.refuse("DuplicateSubnetsInSameZone", f"Duplicate Subnets for same AZ: {value}")
        zones[subnet["availabilityZone"]] = value


def _owner(draft: Draft, value: Value) -> tuple[Record | None, Record | None]:
    """The attachment or connection behind an attachment's id, and its gateway."""
    found = draft.find(ATTACHMENT, value) or draft.find(CONNECTION, value)
    return found, draft.find(TRANSIT, found["transitGatewayId"]) if found else None


@association.admit
@propagation.admit
def _of_one_gateway(draft: Draft) -> None:
    _, owner = _owner(draft, draft.get("transitGatewayAttachmentId"))
    wanted = draft.find(TABLE, draft.get("transitGatewayRouteTableId")) or draft.find(
        TRANSIT, draft.get("transitGatewayRouteTableId")
    )
    if owner is None or wanted is None:
        return
    home = wanted.id if wanted.type == TRANSIT else wanted["transitGatewayId"]
    if home != owner.id:
        raise draft.refuse("InvalidParameterValue", f"The route table belongs to {home} and not to {owner.id}")


@association.admit
def _not_by_default_too(draft: Draft) -> None:
    found, owner = _owner(draft, draft.get("transitGatewayAttachmentId"))
    if found is None or owner is None or draft.get("replaceExistingAssociation") is True:
        return
    wants = found.type == CONNECTION or found["transitGatewayDefaultRouteTableAssociation"] is not False
    if wants and owner["defaultRouteTableAssociation"] != "disable":
        raise draft.refuse(
            "Resource.AlreadyAssociated",
            f"Transit Gateway Attachment {draft.get('transitGatewayAttachmentId')} is already associated to a route table.",
        )


@default_propagation.admit
def _defaults_are_on(draft: Draft) -> None:
    owner, wanted = draft.find(TRANSIT, draft.get("transitGatewayId")), draft.find(TABLE, draft.get(_TABLE.path))
    if owner and owner["defaultRouteTablePropagation"] == "disable":
        raise draft.refuse("InvalidParameterCombination", f"{owner.id} propagates to no table by default")
    if owner and wanted and wanted.type == TABLE and wanted["transitGatewayId"] != owner.id:
        raise draft.refuse("InvalidParameterValue", f"{wanted.id} is not a route table of {owner.id}")
