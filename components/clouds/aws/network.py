"""The region's VPC: subnets in three zones, egress of each zone by its own NAT gateway, nothing let in.

Owns subnets and routes; which traffic is allowed is `firewall`, the ways to the peers' networks are `gateway`'s, the log
of flows is `audit`'s. Addresses come from the plan.

Dangerous edges:
- Routes and the default group's rules are standalone: written inline as well, the two would undo each other.
- A machine that boots before its subnet has a route cannot fetch anything, so subnets are handed on through
  their route associations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import pulumi
import pulumi_aws as aws

from components.clouds.contract import NetworkArgs, type_token
from components.clouds.specs import network_spec
from components.plan import addressing
from components.plan.spec import Region

_ANYWHERE = "0.0.0.0/0"
_PURPOSES = {
    "server": addressing.server_subnet,
    "client": addressing.client_subnet,
    "egress": addressing.egress_subnet,
}
_Routes: TypeAlias = "tuple[aws.ec2.RouteTable, aws.ec2.Route]"
"""A route table and its default route."""


def _subnets(region: Region) -> dict[str, str]:
    """CIDRs by name."""
    return {
        f"{purpose}-{zone}": subnet(region, index)
        for purpose, subnet in _PURPOSES.items()
        for index, zone in enumerate(region.zones)
    }


class Network(pulumi.ComponentResource):
    """VPC, subnets, NAT gateways, routes, the S3 endpoint."""

    id: pulumi.Output[str]
    server_subnets: Sequence[pulumi.Output[str]]
    client_subnets: Sequence[pulumi.Output[str]]
    egress: Sequence[pulumi.Output[str]]
    egress_subnets: Sequence[pulumi.Output[str]]
    """One a zone. No address in them is planned, so whatever takes any address of its own goes here."""
    tables: Sequence[pulumi.Output[str]]
    """Route table of each zone's servers and clients."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        region = args.site.stack.region
        spec = network_spec(args, _subnets(region), flow_logs=True)
        super().__init__(type_token("Network"), name, spec, opts)
        self._prefix, self._site, self._child = name, args.site, pulumi.ResourceOptions(parent=self)
        self.id = aws.ec2.Vpc(
            name,
            cidr_block=region.cidr,
            instance_tenancy="default",
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=self._tag("network"),
            opts=self._child,
        ).id
        aws.ec2.DefaultSecurityGroup(
            f"{name}-default", vpc_id=self.id, ingress=[], egress=[], tags=self._tag("unused"), opts=self._child
        )
        outside = self._outside()
        self.egress_subnets = [self._subnet("egress", index, *outside) for index in range(len(region.zones))]
        addresses = [self._address(zone) for zone in region.zones]
        self.egress = [address.public_ip for address in addresses]
        tables = [
            self._private(zone, subnet, address)
            for zone, subnet, address in zip(region.zones, self.egress_subnets, addresses, strict=True)
        ]
        self.tables = [table.id for table, _ in tables]
        self.server_subnets = [self._subnet("server", index, *table) for index, table in enumerate(tables)]
        self.client_subnets = [self._subnet("client", index, *table) for index, table in enumerate(tables)]
        aws.ec2.VpcEndpoint(
            f"{name}-s3",
            vpc_id=self.id,
            service_name=f"com.amazonaws.{region.name}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=list(self.tables),
            tags=self._tag("s3"),
            opts=self._child,
        )
        self.register_outputs(
            {
                "spec": spec,
                "id": self.id,
                "serverSubnets": self.server_subnets,
                "clientSubnets": self.client_subnets,
                "egress": self.egress,
            }
        )

    def _tag(self, purpose: str) -> dict[str, str]:
        return {"Name": self._site.names.thing(purpose)}

    def _outside(self) -> _Routes:
        """Routes of the egress subnets: the NAT gateways' way out."""
        gateway = aws.ec2.InternetGateway(
            f"{self._prefix}-internet", vpc_id=self.id, tags=self._tag("internet"), opts=self._child
        )
        table = self._table("egress")
        return table, self._default_route("egress", table, gateway_id=gateway.id)

    def _address(self, zone: str) -> aws.ec2.Eip:
        return aws.ec2.Eip(f"{self._prefix}-nat-{zone}", domain="vpc", tags=self._tag(f"nat-{zone}"), opts=self._child)

    def _private(self, zone: str, subnet: pulumi.Output[str], address: aws.ec2.Eip) -> _Routes:
        """Routes of a zone's machines, through the zone's own NAT gateway."""
        gateway = aws.ec2.NatGateway(
            f"{self._prefix}-nat-{zone}",
            subnet_id=subnet,
            allocation_id=address.id,
            connectivity_type="public",
            tags=self._tag(f"nat-{zone}"),
            opts=self._child,
        )
        table = self._table(zone)
        return table, self._default_route(zone, table, nat_gateway_id=gateway.id)

    def _table(self, purpose: str) -> aws.ec2.RouteTable:
        return aws.ec2.RouteTable(
            f"{self._prefix}-{purpose}", vpc_id=self.id, tags=self._tag(purpose), opts=self._child
        )

    def _default_route(self, purpose: str, table: aws.ec2.RouteTable, **gateway: pulumi.Output[str]) -> aws.ec2.Route:
        return aws.ec2.Route(
            f"{self._prefix}-{purpose}",
            route_table_id=table.id,
            destination_cidr_block=_ANYWHERE,
            opts=self._child,
            **gateway,
        )

    def _subnet(self, purpose: str, index: int, table: aws.ec2.RouteTable, route: aws.ec2.Route) -> pulumi.Output[str]:
        """A subnet's id, known once the subnet has its routes."""
        region = self._site.stack.region
        zone = region.zones[index]
        subnet = aws.ec2.Subnet(
            f"{self._prefix}-{purpose}-{zone}",
            vpc_id=self.id,
            cidr_block=_PURPOSES[purpose](region, index),
            availability_zone=zone,
            map_public_ip_on_launch=False,
            tags=self._tag(f"{purpose}-{zone}"),
            opts=self._child,
        )
        association = aws.ec2.RouteTableAssociation(
            f"{self._prefix}-{purpose}-{zone}",
            subnet_id=subnet.id,
            route_table_id=table.id,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[route]),
        )
        return pulumi.Output.all(subnet.id, association.id).apply(lambda ids: ids[0])
