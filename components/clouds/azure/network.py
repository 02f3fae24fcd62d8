"""The region's network: zones' subnets with egress, nothing reachable from outside, and the ways in and out.

Owns the virtual network, egress, the bastion and the private endpoint of the key vault. Ports and roles are the
firewall's; the gateway of the mesh belongs to the mesh.

Two layers of security groups, for two questions. The guard made here hangs on the subnets and says which networks may
speak at all. The firewall's hangs on each network interface and says which role may reach which port. A machine that
somebody starts by hand still meets the first.

Subnets are declared inside the network, with their egress and guard: one request in place of nine, which Azure would
take one at a time, and no machine can come up in between. Their ids are the network's id and the planned name.

Dangerous edges:
- A subnet that is added beside the network (another resource, the portal) is removed by the next update. New subnets
  go into the table below.
- Subnets span zones but a NAT gateway does not, so each zone has its own. The scale set of clients has room for one
  subnet only: when the first zone is lost, clients in the others keep running but reach the internet no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pulumi
from pulumi_azure_native import network, privatedns

from components.clouds.contract import NetworkArgs
from components.clouds.specs import network_spec
from components.plan import addressing

from .access import BASTION_SUBNET, Access, access
from .component import Component
from .place import Place, own
from .rules import guard, rendered

_VAULT_ZONE = "privatelink.vaultcore.azure.net"
"""The service's own name: clients ask for `<vault>.vault.azure.net`, which is an alias into this zone."""
_ENDPOINTS_SUBNET = "endpoints"
_IDLE_MINUTES = 4


class Network(Component):
    """One virtual network."""

    id: pulumi.Output[str]
    server_subnets: Sequence[pulumi.Output[str]]
    client_subnets: Sequence[pulumi.Output[str]]
    access: Access
    """What machines need so that people can get in."""
    ready: Sequence[pulumi.Resource]
    """A machine that reads the vault at boot starts after them."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = own(Place, args.site)
        self._place, self._stem = place, name
        self._cidrs = dict(_subnets(place))
        spec = network_spec(args, self._cidrs, flow_logs=False)
        super().__init__("Network", name, spec, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        made = self._network(self._guard(), [self._egress(zone) for zone in range(addressing.ZONES)])
        self.id = made.id
        self.server_subnets = [self._subnet(made, _server(zone)) for zone in range(addressing.ZONES)]
        self.client_subnets = [self._subnet(made, _client(zone)) for zone in range(addressing.ZONES)]
        self.access = access(name, place, self._subnet(made, BASTION_SUBNET), self)
        self.ready = self._vault_endpoint(made)
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

    def _egress(self, zone: int) -> network.NatGateway:
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
        return network.NatGateway(
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

    def _network(
        self, guard: network.NetworkSecurityGroup, egress: Sequence[network.NatGateway]
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
                    # A bastion's subnet takes only a group written to its service's own list of ports.
                    network_security_group=(
                        None if subnet == BASTION_SUBNET else network.NetworkSecurityGroupArgs(id=guard.id)
                    ),
                    private_endpoint_network_policies="NetworkSecurityGroupEnabled",
                    private_link_service_network_policies="Enabled",
                )
                for subnet, cidr in self._cidrs.items()
            ],
            opts=self._child,
        )

    def _vault_endpoint(self, made: network.VirtualNetwork) -> Sequence[pulumi.Resource]:
        place = self._place
        zone = privatedns.PrivateZone(
            f"{self._stem}-vault",
            resource_group_name=place.group,
            private_zone_name=_VAULT_ZONE,
            location="global",
            opts=self._child,
        )
        link = privatedns.VirtualNetworkLink(
            f"{self._stem}-vault",
            resource_group_name=place.group,
            private_zone_name=zone.name,
            virtual_network_link_name=place.names.thing("network"),
            location="global",
            registration_enabled=False,
            resolution_policy="Default",
            virtual_network=privatedns.SubResourceArgs(id=made.id),
            opts=self._child,
        )
        endpoint = network.PrivateEndpoint(
            f"{self._stem}-vault",
            resource_group_name=place.group,
            private_endpoint_name=place.names.thing("vault"),
            custom_network_interface_name=place.names.thing("vault-endpoint"),
            location=place.location,
            subnet=network.SubnetArgs(id=self._subnet(made, _ENDPOINTS_SUBNET)),
            private_link_service_connections=[
                network.PrivateLinkServiceConnectionArgs(
                    name="vault", private_link_service_id=place.vault.id, group_ids=["vault"]
                )
            ],
            opts=self._child,
        )
        records = network.PrivateDnsZoneGroup(
            f"{self._stem}-vault",
            resource_group_name=place.group,
            private_endpoint_name=endpoint.name,
            private_dns_zone_group_name="default",
            private_dns_zone_configs=[network.PrivateDnsZoneConfigArgs(name="vault", private_dns_zone_id=zone.id)],
            opts=self._child,
        )
        return [link, records]


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
    yield _ENDPOINTS_SUBNET, edge["endpoints"]
