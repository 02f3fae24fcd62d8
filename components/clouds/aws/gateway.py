"""The region's end of the mesh: a transit gateway, and a pair's tunnels into it.

Owns gateway, attachment, the routes to the peers, connections, their log and their alarms. Addresses, keys and transforms
come from the plan; which traffic is let in is `firewall`'s.

The gateway has two tables. Tunnels are looked up in the first, which knows this network alone; the network is looked up
in the second, which learns what tunnels announce. So peers are told of this network and never of each other, and no pair
passes through here unseen. Which table a new connection belongs to is the gateway's default, not four more resources.

AWS gives public addresses to connections, not to the gateway: they are known one pass after the peers'.

Dangerous edges:
- The attachment takes an address of its own choice in every zone. It stands in the egress subnets, where none is planned.
- A peer's new address replaces its customer gateway and changes the connection in place: its own addresses and keys stay.
- Only machines' tables know the ways to peers: what stands in the egress subnets faces the world.

Source: cloud-reference, "VPN mesh"; Transit Gateway guide, "Route tables"; Site-to-Site VPN guide, "Tunnel options".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi
import pulumi_aws as aws

from components.clouds.aws.logs import kept_days
from components.clouds.aws.network import Network
from components.clouds.contract import GatewayArgs, TunnelsArgs, type_token
from components.clouds.specs import gateway_spec, tunnels_spec
from components.plan import mesh
from components.plan.mesh import Tunnel

_PER_CONNECTION = 2
"""Tunnels of a connection: AWS makes them in twos, to one address of the peer."""
_TYPE = "ipsec.1"
_LARGEST_ASN = 2**31 - 1
"""Larger ones have an argument of their own."""
_ALARM_SECONDS = 60
_ALARM_PERIODS = 3


class Gateway(pulumi.ComponentResource):
    """The transit gateway, the network's attachment to it, and the ways to the peers."""

    endpoints: Mapping[str, Sequence[pulumi.Output[str]]]
    transit: pulumi.Output[str]
    """Id of the gateway, known once it has its tables."""
    log: pulumi.Output[str]
    """ARN of the tunnels' log."""

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = gateway_spec(args)
        super().__init__(type_token("Gateway"), name, spec, opts)
        self._prefix, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._network = cast("Network", args.network)
        self.endpoints = {}
        gateway = aws.ec2transitgateway.TransitGateway(
            name,
            description=f"Mesh of {args.site.stack.platform.name}",
            amazon_side_asn=args.site.stack.platform.asns[args.site.stack.cloud],
            vpn_ecmp_support="enable",
            default_route_table_association="enable",
            default_route_table_propagation="enable",
            auto_accept_shared_attachments="disable",
            dns_support="enable",
            multicast_support="disable",
            tags=self._tag("mesh"),
            opts=pulumi.ResourceOptions(parent=self, protect=args.site.stack.guarded),
        )
        attachment = self._attachment(gateway)
        learning = self._tables(gateway, attachment)
        self._routes(gateway, attachment)
        self.transit = pulumi.Output.all(gateway.id, learning.id).apply(lambda ids: ids[0])
        self.log = self._log()
        self.register_outputs({"spec": spec, "transit": self.transit})

    def _tag(self, purpose: str) -> dict[str, str]:
        return {"Name": self._args.site.names.thing(purpose)}

    def _attachment(self, gateway: aws.ec2transitgateway.TransitGateway) -> aws.ec2transitgateway.VpcAttachment:
        return aws.ec2transitgateway.VpcAttachment(
            self._prefix,
            transit_gateway_id=gateway.id,
            vpc_id=self._args.network.id,
            subnet_ids=list(self._network.egress_subnets),
            dns_support="enable",
            appliance_mode_support="disable",
            # Neither default is the network's: they are the tunnels'.
            transit_gateway_default_route_table_association=False,
            transit_gateway_default_route_table_propagation=False,
            tags=self._tag("mesh"),
            opts=self._child,
        )

    def _tables(
        self, gateway: aws.ec2transitgateway.TransitGateway, attachment: aws.ec2transitgateway.VpcAttachment
    ) -> aws.ec2transitgateway.DefaultRouteTablePropagation:
        """The network's table, which learns from tunnels, and the network in the tunnels' table."""
        learned = aws.ec2transitgateway.RouteTable(
            f"{self._prefix}-network", transit_gateway_id=gateway.id, tags=self._tag("mesh-network"), opts=self._child
        )
        aws.ec2transitgateway.RouteTableAssociation(
            f"{self._prefix}-network",
            transit_gateway_attachment_id=attachment.id,
            transit_gateway_route_table_id=learned.id,
            opts=self._child,
        )
        aws.ec2transitgateway.RouteTablePropagation(
            f"{self._prefix}-network",
            transit_gateway_attachment_id=attachment.id,
            transit_gateway_route_table_id=gateway.association_default_route_table_id,
            opts=self._child,
        )
        return aws.ec2transitgateway.DefaultRouteTablePropagation(
            f"{self._prefix}-tunnels",
            transit_gateway_id=gateway.id,
            transit_gateway_route_table_id=learned.id,
            opts=self._child,
        )

    def _routes(
        self, gateway: aws.ec2transitgateway.TransitGateway, attachment: aws.ec2transitgateway.VpcAttachment
    ) -> None:
        """From every zone's machines to every peer's network, whether it has tunnels yet or not."""
        stack = self._args.site.stack
        for zone, table in zip(stack.region.zones, self._network.tables, strict=True):
            for peer in stack.platform.peers(stack.cloud):
                aws.ec2.Route(
                    f"{self._prefix}-{zone}-{peer.cloud}",
                    route_table_id=table,
                    destination_cidr_block=peer.cidr,
                    transit_gateway_id=gateway.id,
                    # A network that is not attached cannot be routed from.
                    opts=pulumi.ResourceOptions(parent=self, depends_on=[attachment]),
                )

    def _log(self) -> pulumi.Output[str]:
        args = self._args
        return aws.cloudwatch.LogGroup(
            f"{self._prefix}-tunnels",
            # Under this prefix the service's right to write does not count against the account's policies.
            name=f"/aws/vendedlogs/vpn/{args.site.names.thing('tunnels')}",
            retention_in_days=kept_days(args.site.stack.platform.audit_days),
            kms_key_id=args.key.id,
            tags=self._tag("tunnels"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.key.ready)),
        ).arn


class Tunnels(pulumi.ComponentResource):
    """A pair's connections, two tunnels each."""

    endpoints: Sequence[pulumi.Output[str]]

    def __init__(self, name: str, args: TunnelsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = tunnels_spec(args)
        super().__init__(type_token("Tunnels"), name, spec, opts)
        self._prefix, self._args = name, args
        self._gateway = cast("Gateway", args.gateway)
        self._child = pulumi.ResourceOptions(parent=self)
        endpoints: list[pulumi.Output[str]] = []
        for first in range(0, mesh.TUNNELS, _PER_CONNECTION):
            endpoints += self._connection(args.pair.tunnels[first : first + _PER_CONNECTION])
        self.endpoints = endpoints
        self.register_outputs({"spec": spec, "endpoints": self.endpoints})

    def _connection(self, tunnels: Sequence[Tunnel]) -> list[pulumi.Output[str]]:
        """The tunnels to one address of the peer; their addresses on this side."""
        args = self._args
        cloud, names = args.site.stack.cloud, args.site.names
        one, two = tunnels
        far = one.far(cloud).gateway
        called = f"{args.pair.name}-{far}"
        asn = args.pair.asns[args.pair.peer(cloud)]
        customer = aws.ec2.CustomerGateway(
            f"{self._prefix}-{far}",
            type=_TYPE,
            bgp_asn=str(asn) if asn <= _LARGEST_ASN else None,
            bgp_asn_extended=None if asn <= _LARGEST_ASN else str(asn),
            ip_address=args.far[one.index],
            # Told apart from another one of the same address, which two rebuilt gateways may have swapped.
            device_name=called,
            tags={"Name": names.thing(called)},
            opts=self._child,
        )
        options = {
            f"tunnel{number}_{option}": value
            for number, tunnel in ((1, one), (2, two))
            for option, value in self._options(tunnel).items()
        }
        made = aws.ec2.VpnConnection(
            f"{self._prefix}-{far}",
            type=_TYPE,
            customer_gateway_id=customer.id,
            transit_gateway_id=self._gateway.transit,
            static_routes_only=False,
            tunnel_inside_ip_version="ipv4",
            tags={"Name": names.thing(called)},
            opts=self._child,
            **options,
        )
        addresses = [made.tunnel1_address, made.tunnel2_address]
        for tunnel, address in zip(tunnels, addresses, strict=True):
            self._alarm(tunnel, made.id, address)
        return addresses

    def _options(self, tunnel: Tunnel) -> dict[str, Any]:
        """One transform a slot: a longer list makes the offer a packet that Google drops at the next rekey."""
        log = {
            "log_enabled": True,
            "log_group_arn": self._gateway.log,
            "log_output_format": "json",
            "bgp_log_enabled": True,
            "bgp_log_group_arn": self._gateway.log,
            "bgp_log_output_format": "json",
        }
        return {
            "inside_cidr": tunnel.inside,
            "preshared_key": pulumi.Output.secret(self._args.keys[tunnel.index]),
            "ike_versions": [f"ikev{mesh.IKE_VERSION}"],
            "phase1_encryption_algorithms": [f"AES{mesh.CIPHER_BITS}"],
            "phase2_encryption_algorithms": [f"AES{mesh.CIPHER_BITS}"],
            "phase1_integrity_algorithms": [f"SHA2-{mesh.HASH_BITS}"],
            "phase2_integrity_algorithms": [f"SHA2-{mesh.HASH_BITS}"],
            "phase1_dh_group_numbers": [mesh.DH_GROUP],
            "phase2_dh_group_numbers": [mesh.DH_GROUP],
            "phase1_lifetime_seconds": mesh.IKE_LIFETIME_SECONDS,
            "phase2_lifetime_seconds": mesh.CHILD_LIFETIME_SECONDS,
            "dpd_timeout_seconds": mesh.DPD_SECONDS,
            "dpd_timeout_action": "restart",
            # AWS opens every tunnel: it must not matter whether the peer does.
            "startup_action": "start",
            "log_options": {"cloudwatch_log_options": log},
        }

    def _alarm(self, tunnel: Tunnel, connection: pulumi.Output[str], address: pulumi.Output[str]) -> None:
        """Tells that a tunnel is down, and that it is up again."""
        called = f"tunnel-{tunnel.pair}-{tunnel.index}"
        aws.cloudwatch.MetricAlarm(
            f"{self._prefix}-{tunnel.index}",
            name=self._args.site.names.thing(called),
            alarm_description=f"Tunnel {tunnel.index} of {tunnel.pair} is down",
            namespace="AWS/VPN",
            metric_name="TunnelState",
            dimensions={"VpnId": connection, "TunnelIpAddress": address},
            statistic="Minimum",
            period=_ALARM_SECONDS,
            evaluation_periods=_ALARM_PERIODS,
            comparison_operator="LessThanThreshold",
            threshold=1,
            treat_missing_data="breaching",
            actions_enabled=True,
            alarm_actions=list(self._args.alerts.channels),
            ok_actions=list(self._args.alerts.channels),
            opts=self._child,
        )
