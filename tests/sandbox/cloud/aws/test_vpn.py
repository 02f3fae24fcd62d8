"""What AWS refuses of transit gateways and VPN connections: each refusal beside its accepted neighbour."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cloud.client import Client, RefusedError, Resource

VPC, SUBNET = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet"
TABLE, ROUTE = "aws:ec2/routeTable:RouteTable", "aws:ec2/route:Route"
TRANSIT = "aws:ec2transitgateway/transitGateway:TransitGateway"
ATTACHMENT = "aws:ec2transitgateway/vpcAttachment:VpcAttachment"
TRANSIT_TABLE = "aws:ec2transitgateway/routeTable:RouteTable"
ASSOCIATION = "aws:ec2transitgateway/routeTableAssociation:RouteTableAssociation"
PROPAGATION = "aws:ec2transitgateway/routeTablePropagation:RouteTablePropagation"
DEFAULT = "aws:ec2transitgateway/defaultRouteTablePropagation:DefaultRouteTablePropagation"
CUSTOMER, CONNECTION = "aws:ec2/customerGateway:CustomerGateway", "aws:ec2/vpnConnection:VpnConnection"
KEY = "it.is.a.pre.shared.key"
PEER = {"type": "ipsec.1", "bgpAsn": "64620", "ipAddress": "203.0.113.1"}


def _subnet(cloud: Client, vpc: Resource, number: int, zone: str) -> Resource:
    inside = {"vpcId": vpc.id, "cidrBlock": f"10.1.{number}.0/24", "availabilityZone": zone}
    return cloud.create(SUBNET, inside, f"subnet-{number}")


def _connected(cloud: Client) -> tuple[Resource, dict[str, Any]]:
    """A gateway, and the inputs of a connection to it."""
    gateway = cloud.create(TRANSIT, {"amazonSideAsn": 64610, "vpnEcmpSupport": "enable"})
    customer = cloud.create(CUSTOMER, PEER)
    return gateway, {
        "type": "ipsec.1",
        "customerGatewayId": customer.id,
        "transitGatewayId": gateway.id,
        "tunnel1InsideCidr": "169.254.10.0/30",
        "tunnel2InsideCidr": "169.254.10.4/30",
        "tunnel1PresharedKey": KEY,
        "tunnel2PresharedKey": f"{KEY}.two",
    }


def test_a_gateway_has_a_private_number(cloud: Client) -> None:
    assert "private autonomous system" in str(cloud.failures(TRANSIT, {"amazonSideAsn": 64511}))
    assert cloud.failures(TRANSIT, {"amazonSideAsn": 64512}) == []


def test_a_gateways_number_changes_until_it_has_connections(cloud: Client) -> None:
    gateway, wanted = _connected(cloud)
    gateway = cloud.update(gateway, {"amazonSideAsn": 64611, "vpnEcmpSupport": "enable"})
    cloud.create(CONNECTION, wanted)
    with pytest.raises(RefusedError, match="its ASN cannot change"):
        cloud.update(gateway, {"amazonSideAsn": 64612, "vpnEcmpSupport": "enable"})


def test_an_attachment_takes_one_subnet_a_zone_of_its_network_and_a_network_is_attached_once(cloud: Client) -> None:
    gateway, vpc = cloud.create(TRANSIT), cloud.create(VPC, {"cidrBlock": "10.1.0.0/16"})
    one, two, same = _subnet(cloud, vpc, 1, "us-west-2a"), _subnet(cloud, vpc, 2, "us-west-2b"), _subnet(cloud, vpc, 3, "us-west-2a")  # fmt: skip
    wanted = {"transitGatewayId": gateway.id, "vpcId": vpc.id}
    with pytest.raises(RefusedError, match="DuplicateSubnetsInSameZone"):
        cloud.create(ATTACHMENT, {**wanted, "subnetIds": [one.id, same.id]})
    other = cloud.create(VPC, {"cidrBlock": "10.2.0.0/16"}, "other")
    with pytest.raises(RefusedError, match="does not exist in the VPC"):
        cloud.create(ATTACHMENT, {**wanted, "vpcId": other.id, "subnetIds": [one.id]})
    cloud.create(ATTACHMENT, {**wanted, "subnetIds": [one.id, two.id]})
    with pytest.raises(RefusedError, match="DuplicateTransitGatewayAttachment"):
        cloud.create(ATTACHMENT, {**wanted, "subnetIds": [one.id]}, "again")


def test_a_route_leads_to_a_gateway_that_the_network_is_attached_to(cloud: Client) -> None:
    gateway, vpc = cloud.create(TRANSIT), cloud.create(VPC, {"cidrBlock": "10.1.0.0/16"})
    table = cloud.create(TABLE, {"vpcId": vpc.id})
    wanted = {"routeTableId": table.id, "destinationCidrBlock": "10.2.0.0/16", "transitGatewayId": gateway.id}
    with pytest.raises(RefusedError, match="InvalidTransitGatewayID"):
        cloud.create(ROUTE, wanted)
    subnets = [_subnet(cloud, vpc, 1, "us-west-2a").id]
    cloud.create(ATTACHMENT, {"transitGatewayId": gateway.id, "vpcId": vpc.id, "subnetIds": subnets})
    assert cloud.create(ROUTE, wanted)["state"] == "active"


def test_an_attachment_has_one_table_and_a_default_counts(cloud: Client) -> None:
    gateway, vpc = cloud.create(TRANSIT), cloud.create(VPC, {"cidrBlock": "10.1.0.0/16"})
    wanted = {
        "transitGatewayId": gateway.id,
        "vpcId": vpc.id,
        "subnetIds": [_subnet(cloud, vpc, 1, "us-west-2a").id],
    }
    table = cloud.create(TRANSIT_TABLE, {"transitGatewayId": gateway.id})
    attachment = cloud.create(ATTACHMENT, wanted)
    ends = {"transitGatewayAttachmentId": attachment.id, "transitGatewayRouteTableId": table.id}
    with pytest.raises(RefusedError, match="AlreadyAssociated"):
        cloud.create(ASSOCIATION, ends)
    cloud.update(attachment, {**wanted, "transitGatewayDefaultRouteTableAssociation": False})
    cloud.create(ASSOCIATION, ends)
    with pytest.raises(RefusedError, match="AlreadyAssociated"):
        cloud.create(
            ASSOCIATION, {**ends, "transitGatewayRouteTableId": gateway["associationDefaultRouteTableId"]}, "two"
        )
    stranger = cloud.create(TRANSIT, name="stranger")
    with pytest.raises(RefusedError, match="belongs to"):
        cloud.create(PROPAGATION, {**ends, "transitGatewayRouteTableId": stranger["associationDefaultRouteTableId"]})
    cloud.create(PROPAGATION, ends)


def test_a_gateway_that_propagates_to_nothing_has_no_default_to_change(cloud: Client) -> None:
    for switch in ("disable", "enable"):
        gateway = cloud.create(TRANSIT, {"defaultRouteTablePropagation": switch}, switch)
        table = cloud.create(TRANSIT_TABLE, {"transitGatewayId": gateway.id}, switch)
        wanted = {"transitGatewayId": gateway.id, "transitGatewayRouteTableId": table.id}
        if switch == "disable":
            with pytest.raises(RefusedError, match="propagates to no table"):
                cloud.create(DEFAULT, wanted, switch)
        else:
            cloud.create(DEFAULT, wanted, switch)


def test_equal_customer_gateways_differ_in_their_device(cloud: Client) -> None:
    cloud.create(CUSTOMER, {**PEER, "deviceName": "one"})
    with pytest.raises(RefusedError, match="Duplicate"):
        cloud.create(CUSTOMER, {**PEER, "deviceName": "one"}, "again")
    cloud.create(CUSTOMER, {**PEER, "deviceName": "two"}, "other")
    cloud.create(CUSTOMER, PEER, "nameless")
    with pytest.raises(RefusedError, match="Duplicate"):
        cloud.create(CUSTOMER, PEER, "nameless again")
    for path, value in (("ipAddress", "gateway.example.com"), ("bgpAsn", "0"), ("type", "ipsec.2")):
        assert path in str(cloud.failures(CUSTOMER, {**PEER, path: value}))


def test_a_peers_new_address_replaces_its_gateway_and_changes_the_connection_in_place(cloud: Client) -> None:
    _, wanted = _connected(cloud)
    made = cloud.create(CONNECTION, wanted)
    moved = cloud.create(CUSTOMER, {**PEER, "ipAddress": "203.0.113.2"}, "moved")
    difference = cloud.diff(made, {**wanted, "customerGatewayId": moved.id})
    assert (list(difference.diffs), list(difference.replaces)) == (["customerGatewayId"], [])
    after = cloud.update(made, {**wanted, "customerGatewayId": moved.id})
    assert [after[f"tunnel{n}Address"] for n in (1, 2)] == [made[f"tunnel{n}Address"] for n in (1, 2)]
    assert list(cloud.diff(after, {**wanted, "tunnel1InsideCidr": "169.254.10.8/30"}).replaces)


def test_a_connection_needs_a_customer_gateway_that_then_cannot_go(cloud: Client) -> None:
    _, wanted = _connected(cloud)
    with pytest.raises(RefusedError, match="InvalidCustomerGatewayID"):
        cloud.create(CONNECTION, {**wanted, "customerGatewayId": "cgw-0"})
    cloud.create(CONNECTION, wanted)
    customer = Resource(CUSTOMER, "it", str(wanted["customerGatewayId"]), PEER, PEER)
    with pytest.raises(RefusedError, match="IncorrectState"):
        cloud.delete(customer)


@pytest.mark.parametrize(
    "inside", ["169.254.0.0/30", "169.254.5.0/30", "169.254.169.252/30", "169.254.10.0/29", "10.0.0.0/30"]
)
def test_an_inside_range_is_a_link_local_30_that_aws_does_not_keep(cloud: Client, inside: str) -> None:
    _, wanted = _connected(cloud)
    assert "tunnel1InsideCidr" in str(cloud.failures(CONNECTION, {**wanted, "tunnel1InsideCidr": inside}))
    assert cloud.failures(CONNECTION, {**wanted, "tunnel1InsideCidr": "169.254.6.0/30"}) == []


def test_inside_ranges_are_unique_at_a_gateway(cloud: Client) -> None:
    _, wanted = _connected(cloud)
    with pytest.raises(RefusedError, match=r"169\.254\.10\.0/30 is in use"):
        cloud.create(CONNECTION, {**wanted, "tunnel2InsideCidr": "169.254.10.0/30"})
    cloud.create(CONNECTION, wanted)
    further = {**wanted, "tunnel1InsideCidr": "169.254.10.8/30"}
    with pytest.raises(RefusedError, match=r"169\.254\.10\.4/30 is in use"):
        cloud.create(CONNECTION, further, "two")
    cloud.create(CONNECTION, {**further, "tunnel2InsideCidr": "169.254.10.12/30"}, "two")


@pytest.mark.parametrize("key", ["0starts.with.zero", "seven77", "x" * 65, "no-dashes-here"])
def test_a_key_has_the_form_that_aws_takes_and_is_never_shown(cloud: Client, key: str) -> None:
    _, wanted = _connected(cloud)
    said = str(cloud.failures(CONNECTION, {**wanted, "tunnel1PresharedKey": key}))
    assert "tunnel1PresharedKey" in said
    assert key not in said
    assert cloud.failures(CONNECTION, {**wanted, "tunnel1PresharedKey": "x" * 64}) == []


@pytest.mark.parametrize(
    ("option", "wrong", "right"),
    [
        ("IkeVersions", ["ikev3"], ["ikev2"]),
        ("Phase1EncryptionAlgorithms", ["AES512"], ["AES256"]),
        ("Phase2IntegrityAlgorithms", ["MD5"], ["SHA2-256"]),
        ("Phase1DhGroupNumbers", [5], [14]),
        ("Phase2DhGroupNumbers", [1], [5]),
        ("Phase1LifetimeSeconds", 28_801, 28_800),
        ("Phase2LifetimeSeconds", 3_601, 3_600),
        ("DpdTimeoutSeconds", 29, 30),
        ("DpdTimeoutAction", "hold", "restart"),
        ("StartupAction", "wait", "start"),
    ],
)
def test_options_are_what_aws_offers(cloud: Client, option: str, wrong: object, right: object) -> None:
    _, wanted = _connected(cloud)
    assert option in str(cloud.failures(CONNECTION, {**wanted, f"tunnel2{option}": wrong}))
    assert cloud.failures(CONNECTION, {**wanted, f"tunnel2{option}": right}) == []


def test_each_tunnel_has_an_address_outside_and_the_first_host_inside(cloud: Client) -> None:
    _, wanted = _connected(cloud)
    first = cloud.create(CONNECTION, wanted)
    inside = {"tunnel1InsideCidr": "169.254.10.8/30", "tunnel2InsideCidr": "169.254.10.12/30"}
    second = cloud.create(CONNECTION, {**wanted, **inside}, "two")
    outside = [made[f"tunnel{n}Address"] for made in (first, second) for n in (1, 2)]
    assert len(set(outside)) == len(outside)
    assert (first["tunnel1VgwInsideAddress"], first["tunnel1CgwInsideAddress"]) == ("169.254.10.1", "169.254.10.2")
