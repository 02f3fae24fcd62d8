"""AWS networks: VPC, subnets, routes, gateways, security groups and their rules.

Source: EC2 API reference, "Error codes" and the constraints of CreateVpc, CreateSubnet, AuthorizeSecurityGroupIngress.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Final

from sandbox.cloud.addresses import address, lowest_free, misread, network, overlapping
from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.aws.interfaces import place
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.truth.regions import aws_zones
from sandbox.cloud.wire import Value

VPC: Final = "aws:ec2/vpc:Vpc"
SUBNET: Final = "aws:ec2/subnet:Subnet"
GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
ROUTE_TABLE: Final = "aws:ec2/routeTable:RouteTable"
INTERNET_GATEWAY: Final = "aws:ec2/internetGateway:InternetGateway"
NAT_GATEWAY: Final = "aws:ec2/natGateway:NatGateway"
EIP: Final = "aws:ec2/eip:Eip"
TRANSIT: Final = "aws:ec2transitgateway/transitGateway:TransitGateway"
_ATTACHMENT: Final = "aws:ec2transitgateway/vpcAttachment:VpcAttachment"
_PUBLIC: Final = IPv4Network("198.18.0.0/15")  # for benchmarks (RFC 2544): never routed
_ARN: Final = "arn:aws:ec2:{region}:{account}:"

vpc = model(
    VPC,
    id="vpc-{hex17}",
    immutable=("cidrBlock", "instanceTenancy", "ipv4IpamPoolId", "ipv6CidrBlock"),
    outputs={
        "arn": _ARN + "vpc/{id}",
        "defaultNetworkAclId": "acl-{hex17}",
        "defaultRouteTableId": "rtb-{hex17}",
        "mainRouteTableId": "rtb-{hex17}",
        "defaultSecurityGroupId": "sg-{hex17}",
        "dhcpOptionsId": "dopt-{hex17}",
        "enableDnsSupport": True,
        "ipv6AssociationId": "",
        "ipv6CidrBlock": "",
        "ipv6CidrBlockNetworkBorderGroup": "",
        "instanceTenancy": "default",
    },
    stands_for={GROUP: "defaultSecurityGroupId", ROUTE_TABLE: "mainRouteTableId"},
)
subnet = model(
    SUBNET,
    id="subnet-{hex17}",
    references=(Ref("vpcId", (VPC,), missing="InvalidVpcID.NotFound"),),
    immutable=("vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId"),
    outputs={
        "arn": _ARN + "subnet/{id}",
        "availabilityZone": lambda draft: aws_zones(draft.scope("region"))[0],
        "availabilityZoneId": lambda draft: zone_id(draft.get("availabilityZone")),
        "privateDnsHostnameTypeOnLaunch": "ip-name",
        "ipv6CidrBlock": "",
        "ipv6CidrBlockAssociationId": "",
    },
)
group = model(
    GROUP,
    id="sg-{hex17}",
    name=Name("name", max=255),
    unique=(("region", "vpcId", "name"),),
    references=(Ref("vpcId", (VPC,), missing="InvalidVpcID.NotFound"),),
    immutable=("name", "namePrefix", "description", "vpcId"),
    outputs={"arn": _ARN + "security-group/{id}", "description": "Managed by Pulumi"},
    exists="InvalidGroup.Duplicate",
)
internet_gateway = model(
    INTERNET_GATEWAY,
    id="igw-{hex17}",
    references=(Ref("vpcId", (VPC,), missing="InvalidVpcID.NotFound"),),
    outputs={"arn": _ARN + "internet-gateway/{id}"},
)
eip = model(
    EIP,
    id="eipalloc-{hex17}",
    immutable=("domain", "publicIpv4Pool", "networkBorderGroup"),
    outputs={
        "arn": _ARN + "elastic-ip/{id}",
        "allocationId": "{id}",
        "domain": "vpc",
        "networkBorderGroup": "{region}",
        "publicIpv4Pool": "amazon",
        "associationId": "",
    },
    handles=("publicIp", "allocationId"),
)
nat_gateway = model(
    NAT_GATEWAY,
    id="nat-{hex17}",
    references=(
        Ref("subnetId", (SUBNET,), missing="InvalidSubnetID.NotFound"),
        Ref("allocationId", (EIP,), missing="InvalidAllocationID.NotFound"),
    ),
    immutable=("subnetId", "allocationId", "connectivityType", "privateIp"),
    outputs={"connectivityType": "public", "networkInterfaceId": "eni-{hex17}", "associationId": "eipassoc-{hex17}"},
)
route_table = model(
    ROUTE_TABLE,
    id="rtb-{hex17}",
    references=(Ref("vpcId", (VPC,), missing="InvalidVpcID.NotFound"),),
    immutable=("vpcId",),
    outputs={"arn": _ARN + "route-table/{id}"},
)
route = model(
    "aws:ec2/route:Route",
    id="r-{routeTableId}{hex10}",
    references=(
        Ref("routeTableId", (ROUTE_TABLE,), missing="InvalidRouteTableID.NotFound"),
        Ref("natGatewayId", (NAT_GATEWAY,), missing="InvalidNatGatewayID.NotFound"),
        Ref("gatewayId", (INTERNET_GATEWAY, "aws:ec2/vpnGateway:VpnGateway"), missing="InvalidGatewayID.NotFound"),
        Ref("transitGatewayId", (TRANSIT,), missing="InvalidTransitGatewayID.NotFound"),
    ),
    unique=(("routeTableId", "destinationCidrBlock"),),
    immutable=("routeTableId", "destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"),
    outputs={"origin": "CreateRoute", "state": "active"},
    exists="RouteAlreadyExists",
)  # fmt: skip
association = model(
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    id="rtbassoc-{hex17}",
    references=(
        Ref("routeTableId", (ROUTE_TABLE,), missing="InvalidRouteTableID.NotFound"),
        Ref("subnetId", (SUBNET,), missing="InvalidSubnetID.NotFound"),
    ),
    unique=(("subnetId",),),
    immutable=("subnetId", "gatewayId"),
    exists="Resource.AlreadyAssociated",
)


def zone_id(zone: Value) -> str:
    """`usw2-az1` for `us-west-2a`: one account's mapping, as a real account has one."""
    if not isinstance(zone, str):
        return ""
    area, side, number = zone[:-1].split("-")[:3]
    return f"{area}{side[0]}{number}-az{ord(zone[-1]) - ord('a') + 1}"


@vpc.check
def _vpc_range(draft: Draft) -> Iterator[Failure]:
    value = draft.get("cidrBlock")
    wrong, found = misread(value), network(value)
    if wrong:
        yield draft.fail("cidrBlock", wrong)
    elif found and not 16 <= found.prefixlen <= 28:
        yield draft.fail("cidrBlock", f"expected a CIDR block between /16 and /28, got {value}")
    elif value is None and not draft.get("ipv4IpamPoolId"):
        yield draft.fail("cidrBlock", "one of cidrBlock and ipv4IpamPoolId must be given")


@subnet.check
def _subnet_range(draft: Draft) -> Iterator[Failure]:
    value = draft.get("cidrBlock")
    wrong, found = misread(value), network(value)
    if wrong:
        yield draft.fail("cidrBlock", wrong)
    elif found and not 16 <= found.prefixlen <= 28:
        yield draft.fail("cidrBlock", f"expected a CIDR block between /16 and /28, got {value}")
    zone, region = draft.known("availabilityZone"), draft.scope("region")
    if zone and region and zone not in aws_zones(region):
        yield draft.fail(
            "availabilityZone",
            f"Value ({zone}) for parameter availabilityZone is invalid. "
            f"Subnets can currently only be created in the following availability zones: "
            f"{', '.join(aws_zones(region))}.",
        )


@subnet.admit
def _subnet_fits(draft: Draft) -> None:
    wanted, parent = network(draft.get("cidrBlock")), draft.find(VPC, draft.get("vpcId"))
    outer = network(parent["cidrBlock"]) if parent else None
    if wanted is None or outer is None:
        return
    if not wanted.subnet_of(outer):
        raise draft.refuse("InvalidSubnet.Range", f"The CIDR '{wanted}' is invalid.")
    siblings = (network(other["cidrBlock"]) for other in draft.others(SUBNET, vpcId=draft.get("vpcId")))
    if overlapping(wanted, siblings):
        raise draft.refuse("InvalidSubnet.Conflict", f"The CIDR '{wanted}' conflicts with another subnet")


@eip.compute
def _public_address(draft: Draft) -> dict[str, Value]:
    found = draft.kept("publicIp")
    if found is None:
        found = str(lowest_free(_PUBLIC, {address(other["publicIp"]) for other in draft.others(EIP)}))
    return {
        "publicIp": found,
        "publicDns": f"ec2-{found.replace('.', '-')}.{draft.scope('region')}.compute.amazonaws.com",
    }


@nat_gateway.compute
def _nat_addresses(draft: Draft) -> dict[str, Value]:
    outer = draft.find(EIP, draft.get("allocationId"))
    return {
        "privateIp": draft.kept("privateIp") or place(draft, draft.get("subnetId"), draft.get("privateIp")),
        "publicIp": outer["publicIp"] if outer else "",
    }


@nat_gateway.check
def _nat_has_address(draft: Draft) -> Iterator[Failure]:
    if draft.get("connectivityType", "public") == "public" and draft.get("allocationId") is None:
        yield draft.fail("allocationId", "a public NAT gateway needs the allocation id of an elastic IP")


@route.check
def _route_has_one_target(draft: Draft) -> Iterator[Failure]:
    targets = (
        "carrierGatewayId", "coreNetworkArn", "egressOnlyGatewayId", "gatewayId", "localGatewayId", "natGatewayId",
        "networkInterfaceId", "transitGatewayId", "vpcEndpointId", "vpcPeeringConnectionId",
    )  # fmt: skip
    given = [name for name in targets if draft.get(name) is not None]
    if len(given) != 1:
        yield draft.fail("", f"exactly one target is needed, one of {', '.join(targets)}; got {given or 'none'}")
    wrong = misread(draft.get("destinationCidrBlock"))
    if wrong:
        yield draft.fail("destinationCidrBlock", wrong)


@route.admit
def _gateway_is_attached(draft: Draft) -> None:
    """To a network that is not attached to it, a transit gateway does not exist."""
    wanted, table = draft.get("transitGatewayId"), draft.find(ROUTE_TABLE, draft.get("routeTableId"))
    if not wanted or table is None:
        return
    home = table.id if table.type == VPC else table["vpcId"]
    if not any(draft.others(_ATTACHMENT, transitGatewayId=wanted, vpcId=home)):
        raise draft.refuse("InvalidTransitGatewayID.NotFound", f"The transitGateway ID '{wanted}' does not exist.")
