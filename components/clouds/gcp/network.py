"""The region's network: subnets for every zone, egress by Cloud NAT, nothing let in.

Owns subnets and their way out; which traffic is allowed is `firewall`. Addresses come from the plan. Subnets of
GCP span the region: there is still one a zone, so that an address tells the zone in every cloud.

Dangerous edges:
- The network keeps its default route. Without it neither NAT nor Google's own APIs can be reached.
- The NAT's Cloud Router speaks no BGP; the mesh brings a router of its own, so that work on tunnels cannot take
  the region's egress away.
- The NAT's addresses are reserved, because another cloud admits this region's backups by them. It takes no others when
  they run out of ports, so there are as many as every machine at its most needs.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from components.clouds.contract import NetworkArgs, type_token
from components.clouds.specs import network_spec
from components.plan import addressing
from components.plan.spec import Platform, Region

_PURPOSES = {"server": addressing.server_subnet, "client": addressing.client_subnet}

_MTU = 1460
"""What every tunnel of the mesh carries without fragments."""
_LEAST_PORTS, _MOST_PORTS = 64, 8192
"""Ports that the NAT gives a machine, growing as it needs them: a fixed 64 run out while it fetches archives."""
_ADDRESS_PORTS = 64512
"""Ports of one address that a NAT hands out."""


def egress_addresses(platform: Platform) -> int:
    """Public addresses with enough ports for every machine of a region, one more client a zone while they roll."""
    machines = sum(platform.servers.values()) + platform.clients.maximum + addressing.ZONES
    return -(-machines * _MOST_PORTS // _ADDRESS_PORTS)


def proxy_subnet(region: Region) -> str:
    """CIDR of Google's own balancer proxies: where another cloud has the first zone's NAT gateway."""
    return addressing.egress_subnet(region, 0)


def _subnets(region: Region) -> dict[str, str]:
    """CIDRs by name."""
    zonal = {
        f"{purpose}-{zone}": subnet(region, index)
        for purpose, subnet in _PURPOSES.items()
        for index, zone in enumerate(region.zones)
    }
    return {**zonal, "proxy": proxy_subnet(region)}


class Network(pulumi.ComponentResource):
    """Network, subnets, router and NAT."""

    id: pulumi.Output[str]
    server_subnets: Sequence[pulumi.Output[str]]
    client_subnets: Sequence[pulumi.Output[str]]
    egress: Sequence[pulumi.Output[str]]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        region = args.site.stack.region
        spec = network_spec(args, _subnets(region), flow_logs=True)
        super().__init__(type_token("Network"), name, spec, opts)
        self._name, self._names, self._region = name, args.site.names, region
        self._child = pulumi.ResourceOptions(parent=self)
        network = gcp.compute.Network(
            name,
            name=self._names.thing("network"),
            description=f"{args.site.stack.platform.name} in {region.name}",
            auto_create_subnetworks=False,
            delete_default_routes_on_create=False,
            routing_mode="GLOBAL",
            mtu=_MTU,
            opts=self._child,
        )
        self.id = network.id
        self.server_subnets, self.client_subnets = (
            [self._subnet(network, purpose, index) for index in range(len(region.zones))] for purpose in _PURPOSES
        )
        self._proxies(network)
        addresses = [self._address(number) for number in range(egress_addresses(args.site.stack.platform))]
        self.egress = [address.address for address in addresses]
        self._nat(network, addresses)
        self.register_outputs(
            {"spec": spec, "id": self.id, "serverSubnets": self.server_subnets, "clientSubnets": self.client_subnets}
        )

    def _subnet(self, network: gcp.compute.Network, purpose: str, index: int) -> pulumi.Output[str]:
        zone = self._region.zones[index]
        return gcp.compute.Subnetwork(
            f"{self._name}-{purpose}-{zone}",
            name=self._names.thing(f"{purpose}-{zone}"),
            network=network.id,
            region=self._region.name,
            ip_cidr_range=_PURPOSES[purpose](self._region, index),
            purpose="PRIVATE",
            stack_type="IPV4_ONLY",
            # Machines have no external address: this is their way to Secret Manager, KMS and storage.
            private_ip_google_access=True,
            log_config=gcp.compute.SubnetworkLogConfigArgs(
                aggregation_interval="INTERVAL_1_MIN", flow_sampling=1.0, metadata="INCLUDE_ALL_METADATA"
            ),
            opts=self._child,
        ).id

    def _proxies(self, network: gcp.compute.Network) -> None:
        gcp.compute.Subnetwork(
            f"{self._name}-proxy",
            name=self._names.thing("proxy"),
            network=network.id,
            region=self._region.name,
            ip_cidr_range=proxy_subnet(self._region),
            purpose="REGIONAL_MANAGED_PROXY",
            role="ACTIVE",
            opts=self._child,
        )

    def _address(self, number: int) -> gcp.compute.Address:
        return gcp.compute.Address(
            f"{self._name}-egress-{number + 1}",
            name=self._names.thing(f"egress-{number + 1}"),
            region=self._region.name,
            address_type="EXTERNAL",
            network_tier="PREMIUM",
            opts=self._child,
        )

    def _nat(self, network: gcp.compute.Network, addresses: Sequence[gcp.compute.Address]) -> None:
        router = gcp.compute.Router(
            f"{self._name}-egress",
            name=self._names.thing("egress"),
            network=network.id,
            region=self._region.name,
            opts=self._child,
        )
        gcp.compute.RouterNat(
            f"{self._name}-egress",
            name=self._names.thing("egress"),
            router=router.name,
            region=self._region.name,
            type="PUBLIC",
            nat_ip_allocate_option="MANUAL_ONLY",
            nat_ips=[address.self_link for address in addresses],
            source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
            enable_dynamic_port_allocation=True,
            enable_endpoint_independent_mapping=False,
            min_ports_per_vm=_LEAST_PORTS,
            max_ports_per_vm=_MOST_PORTS,
            log_config=gcp.compute.RouterNatLogConfigArgs(enable=True, filter="ERRORS_ONLY"),
            opts=self._child,
        )
