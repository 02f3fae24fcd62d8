"""The region's network: zones' subnets with egress, nothing reachable from outside, and the ways in and out.

Owns the virtual network with the gateway's subnet, egress, the bastion, the private endpoint of the key vault and the
zone for that of the backups. Ports and roles are the firewall's; the gateway itself belongs to the mesh.

Two layers of security groups, for two questions. The guard made here hangs on the subnets and says which networks may
speak at all. The firewall's hangs on each network interface and says which role may reach which port. A machine that
somebody starts by hand still meets the first.

Subnets are declared inside the network, with their egress and guard: one request in place of nine, which Azure would
take one at a time, and no machine can come up in between. Their ids are the network's id and the planned name.

Dangerous edges:
- A subnet that is added beside the network (another resource, the portal) is removed by the next update. New subnets
  go into the table below.
- Whatever the gateway learns of the peers reaches every subnet without a route table that refuses it. The subnets of
  gateway and bastion take no such table: the gateway would lose its own routes, and Azure allows none for the bastion,
  whose host can therefore send to peers, where every firewall knows only the peer's own bastion.
- Subnets span zones but a NAT gateway does not, so each zone has its own. The scale set of clients has room for one
  subnet only: when the first zone is lost, clients in the others keep running but reach the internet no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pulumi
from pulumi_azure_native import network

from components.clouds.contract import NetworkArgs
from components.clouds.specs import network_spec
from components.plan import addressing

from .access import BASTION_SUBNET, Access, access
from .component import Component
from .endpoint import BLOB, VAULT, Reach, endpoint, reach
from .place import Place, own
from .rules import guard, rendered

GATEWAY_SUBNET = "GatewaySubnet"
"""Azure's own name."""
_ENDPOINTS_SUBNET = "endpoints"
_AZURES_OWN = (BASTION_SUBNET, GATEWAY_SUBNET)
"""Neither takes our guard: a bastion only a group written to its service's own list of ports, a gateway none at all."""
_IDLE_MINUTES = 4


class Network(Component):
    """One virtual network."""

    id: pulumi.Output[str]
    server_subnets: Sequence[pulumi.Output[str]]
    client_subnets: Sequence[pulumi.Output[str]]
    egress: Sequence[pulumi.Output[str]]
    gateway_subnet: pulumi.Output[str]
    blobs: Reach
    """How storage accounts are reached from inside."""
    access: Access
    """What machines need so that people can get in."""
    ready: Sequence[pulumi.Resource]
    """A machine that reads the vault at boot starts after them."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = own(Place, args.site)
        self._place, self._stem = place, name
        self._cidrs = dict(_subnets(place))
        spec = network_spec(args, self._cidrs, flow_logs=True)
        super().__init__("Network", name, spec, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        ways_out = [self._egress(zone) for zone in range(addressing.ZONES)]
        made = self._network(self._guard(), self._local_routes(), [gateway for gateway, _ in ways_out])
        self.id = made.id
        self.server_subnets = [self._subnet(made, _server(zone)) for zone in range(addressing.ZONES)]
        self.client_subnets = [self._subnet(made, _client(zone)) for zone in range(addressing.ZONES)]
        self.egress = [address.ip_address.apply(lambda given: given or "") for _, address in ways_out]
        self.gateway_subnet = self._subnet(made, GATEWAY_SUBNET)
        self.access = access(name, place, self._subnet(made, BASTION_SUBNET), self)
        endpoints = self._subnet(made, _ENDPOINTS_SUBNET)
        vault = reach(name, place, VAULT, made, endpoints, self)
        self.ready = endpoint(f"{name}-vault", place, vault, place.vault.id, self)
        self.blobs = reach(name, place, BLOB, made, endpoints, self)
        self.register_outputs({"spec": spec, "id": self.id})

    def _subnet(self, made: network.VirtualNetwork, subnet: str) -> pulumi.Output[str]:
        return made.id.apply(lambda vnet: f"{vnet}/subnets/{subnet}")

    def _guard(self) -> network.NetworkSecurityGroup:
        place = self._place
        return network.NetworkSecurityGroup(
            f"{self._stem}-guard",
            resource_group_name=place.group,
            network_security_group_name=place.names.thing("guard"),
            location=place.location,
            security_rules=rendered(guard(place.stack)),
            opts=self._child,
        )

    def _local_routes(self) -> network.RouteTable:
        """For subnets that peers have no business with."""
        place = self._place
        return network.RouteTable(
            f"{self._stem}-local",
            resource_group_name=place.group,
            route_table_name=place.names.thing("local"),
            location=place.location,
            disable_bgp_route_propagation=True,
            opts=self._child,
        )

    def _egress(self, zone: int) -> tuple[network.NatGateway, network.PublicIPAddress]:
        place = self._place
        zones = [place.zones[zone]]
        name = f"{self._stem}-nat-{zone + 1}"
        address = network.PublicIPAddress(
            name,
            resource_group_name=place.group,
            public_ip_address_name=place.names.thing(f"nat-{zone + 1}"),
            location=place.location,
            sku=network.PublicIPAddressSkuArgs(name="Standard", tier="Regional"),
            public_ip_address_version="IPv4",
            public_ip_allocation_method="Static",
            idle_timeout_in_minutes=_IDLE_MINUTES,
            zones=zones,
            opts=self._child,
        )
        made = network.NatGateway(
            name,
            resource_group_name=place.group,
            nat_gateway_name=place.names.thing(f"nat-{zone + 1}"),
            location=place.location,
            sku=network.NatGatewaySkuArgs(name="Standard"),
            public_ip_addresses=[network.SubResourceArgs(id=address.id)],
            idle_timeout_in_minutes=_IDLE_MINUTES,
            zones=zones,
            opts=self._child,
        )
        return made, address

    def _network(
        self, guard: network.NetworkSecurityGroup, local: network.RouteTable, egress: Sequence[network.NatGateway]
    ) -> network.VirtualNetwork:
        place = self._place
        behind = {subnet: egress[zone] for zone in range(addressing.ZONES) for subnet in (_server(zone), _client(zone))}
        return network.VirtualNetwork(
            self._stem,
            resource_group_name=place.group,
            virtual_network_name=place.names.thing("network"),
            location=place.location,
            address_space=network.AddressSpaceArgs(address_prefixes=[place.stack.region.cidr]),
            enable_ddos_protection=False,
            subnets=[
                network.SubnetArgs(
                    name=subnet,
                    address_prefix=cidr,
                    default_outbound_access=False,
                    nat_gateway=network.SubResourceArgs(id=behind[subnet].id) if subnet in behind else None,
                    network_security_group=(
                        None if subnet in _AZURES_OWN else network.NetworkSecurityGroupArgs(id=guard.id)
                    ),
                    route_table=network.RouteTableArgs(id=local.id) if subnet == _ENDPOINTS_SUBNET else None,
                    private_endpoint_network_policies="NetworkSecurityGroupEnabled",
                    private_link_service_network_policies="Enabled",
                )
                for subnet, cidr in self._cidrs.items()
            ],
            opts=self._child,
        )


def _server(zone: int) -> str:
    return f"server-{zone + 1}"


def _client(zone: int) -> str:
    return f"client-{zone + 1}"


def _subnets(place: Place) -> Iterator[tuple[str, str]]:
    """(name, CIDR) of each subnet. Some names are Azure's own."""
    region = place.stack.region
    edge = addressing.edge_subnets(region)
    for zone in range(addressing.ZONES):
        yield _server(zone), addressing.server_subnet(region, zone)
        yield _client(zone), addressing.client_subnet(region, zone)
    yield BASTION_SUBNET, edge["bastion"]
    yield GATEWAY_SUBNET, edge["gateway"]
    yield _ENDPOINTS_SUBNET, edge["endpoints"]
