"""The region's end of the mesh: one VPN gateway of two instances, and this side of each pair's tunnels.

Owns gateway, connections, what stands in Azure for the peer's addresses, and the alarm on each pair. Addresses,
transforms and keys come from the plan; the peer's public addresses are stack outputs.

Both instances are active, each with a public address over all zones. A tunnel belongs to one of them. Azure nevertheless
opens every connection from both, and wants a BGP address of each: the other instance is given that of its own tunnel in
the same place of the pair. Its attempt never comes up, since the peer expects this tunnel from one address alone; so a
connection's own status says nothing, and the alarm asks whether any instance speaks BGP with the peer's address.

Dangerous edges:
- A gateway takes 30 to 60 minutes to make, and as long to delete.
- BGP addresses are named by ids inside the gateway itself, composed before it exists: hence explicit names throughout.
- From a link-local address Azure never opens a BGP session; the peers do. Its timers are fixed, and it knows no BFD.
- Azure hands on what it learned from one peer to the others: with a pair down, the third region carries its traffic.

Source: cloud-reference, "VPN mesh".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_azure_native import monitor, network

from components.clouds.contract import GatewayArgs, TunnelsArgs
from components.clouds.specs import gateway_spec, tunnels_spec
from components.plan import mesh
from components.plan.mesh import Pair, Tunnel

from .component import Component
from .network import Network
from .place import Place, own

INSTANCES = 2
_KIND = "Microsoft.Network/virtualNetworkGateways"
_SKU = "VpnGw2AZ"
_PURPOSE = "gateway"
_SLOW = pulumi.CustomTimeouts(create="90m", update="90m", delete="90m")
_CHANGED = pulumi.CustomTimeouts(create="30m", update="30m", delete="30m")
"""Of a connection: every change of one reconfigures the gateway."""
_KEYS_LIVE_KIB = 102_400_000
"""Azure's own bound on a child's life by traffic; time bounds it first."""
_EVERY, _WITHIN = "PT1M", "PT5M"
_SEVERE = 1
"""Error: a tunnel of four is down, traffic still flows."""


def _configuration(instance: int) -> str:
    return f"instance-{instance}"


def _configuration_id(place: Place, instance: int) -> str:
    gateway = place.id(_KIND, place.names.thing(_PURPOSE))
    return f"{gateway}/ipConfigurations/{_configuration(instance)}"


class Gateway(Component):
    """Two instances behind one name."""

    id: pulumi.Output[str]
    endpoints: Mapping[str, Sequence[pulumi.Output[str]]]

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = own(Place, args.site)
        spec = gateway_spec(args)
        super().__init__("Gateway", name, spec, opts)
        addresses = [self._address(f"{name}-{instance}", place, instance) for instance in range(INSTANCES)]
        self.id = self._gateway(name, place, args, addresses).id
        given = [address.ip_address.apply(lambda known: known or "") for address in addresses]
        self.endpoints = {
            pair.name: [given[tunnel.end("azure").gateway] for tunnel in pair.tunnels] for pair in args.pairs
        }
        self.register_outputs({"spec": spec, "id": self.id})

    def _address(self, name: str, place: Place, instance: int) -> network.PublicIPAddress:
        return network.PublicIPAddress(
            name,
            resource_group_name=place.group,
            public_ip_address_name=place.names.thing(f"{_PURPOSE}-{instance}"),
            location=place.location,
            sku=network.PublicIPAddressSkuArgs(name="Standard", tier="Regional"),
            public_ip_address_version="IPv4",
            public_ip_allocation_method="Static",
            idle_timeout_in_minutes=4,
            zones=place.zones,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _gateway(
        self, name: str, place: Place, args: GatewayArgs, addresses: Sequence[network.PublicIPAddress]
    ) -> network.VirtualNetworkGateway:
        return network.VirtualNetworkGateway(
            name,
            resource_group_name=place.group,
            virtual_network_gateway_name=place.names.thing(_PURPOSE),
            location=place.location,
            gateway_type="Vpn",
            vpn_type="RouteBased",
            vpn_gateway_generation="Generation2",
            sku=network.VirtualNetworkGatewaySkuArgs(name=_SKU, tier=_SKU),
            active_active=True,
            enable_bgp=True,
            bgp_settings=network.BgpSettingsArgs(
                asn=place.stack.platform.asns["azure"],
                bgp_peering_addresses=[
                    network.IPConfigurationBgpPeeringAddressArgs(
                        ipconfiguration_id=_configuration_id(place, instance),
                        custom_bgp_ip_addresses=inside_addresses(args.pairs, instance),
                    )
                    for instance in range(INSTANCES)
                ],
            ),
            ip_configurations=[
                network.VirtualNetworkGatewayIPConfigurationArgs(
                    name=_configuration(instance),
                    private_ip_allocation_method="Dynamic",
                    public_ip_address=network.SubResourceArgs(id=address.id),
                    subnet=network.SubResourceArgs(id=own(Network, args.network).gateway_subnet),
                )
                for instance, address in enumerate(addresses)
            ],
            opts=pulumi.ResourceOptions(parent=self, protect=place.stack.guarded, custom_timeouts=_SLOW),
        )


def inside_addresses(pairs: Sequence[Pair], instance: int) -> list[str]:
    """Every address from which an instance speaks BGP, pair by pair."""
    return [
        tunnel.end("azure").address
        for pair in pairs
        for tunnel in pair.tunnels
        if tunnel.end("azure").gateway == instance
    ]


def addresses_of(pair: Pair, tunnel: Tunnel) -> list[str]:
    """By instance: the address that a tunnel's connection names for it; the tunnel's own for the tunnel's instance."""
    mine = tunnel.end("azure")
    place = inside_addresses([pair], mine.gateway).index(mine.address)
    return [inside_addresses([pair], instance)[place] for instance in range(INSTANCES)]


class Tunnels(Component):
    """Four connections to one peer."""

    endpoints: Sequence[pulumi.Output[str]]

    def __init__(self, name: str, args: TunnelsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = own(Place, args.site)
        spec = tunnels_spec(args)
        super().__init__("Tunnels", name, spec, opts)
        self._place, self._args = place, args
        for tunnel, far, key in zip(args.pair.tunnels, args.far, args.keys, strict=True):
            self._connection(tunnel, self._peer(tunnel, far), key)
        self._alarm()
        self.endpoints = args.gateway.endpoints[args.pair.name]
        self.register_outputs({"spec": spec})

    def _called(self, tunnel: Tunnel) -> str:
        return f"{tunnel.pair}-{tunnel.index}"

    def _peer(self, tunnel: Tunnel, far: str) -> network.LocalNetworkGateway:
        """The peer's end as Azure knows it; without an address space, so that BGP alone says what lies behind."""
        place, pair = self._place, self._args.pair
        return network.LocalNetworkGateway(
            self._called(tunnel),
            resource_group_name=place.group,
            local_network_gateway_name=place.names.thing(self._called(tunnel)),
            location=place.location,
            gateway_ip_address=far,
            bgp_settings=network.BgpSettingsArgs(
                asn=pair.asns[pair.peer("azure")], bgp_peering_address=tunnel.far("azure").address
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _connection(self, tunnel: Tunnel, peer: network.LocalNetworkGateway, key: pulumi.Output[str]) -> None:
        place = self._place
        network.VirtualNetworkGatewayConnection(
            self._called(tunnel),
            resource_group_name=place.group,
            virtual_network_gateway_connection_name=place.names.thing(self._called(tunnel)),
            location=place.location,
            connection_type="IPsec",
            connection_protocol=f"IKEv{mesh.IKE_VERSION}",
            # Either side may open the tunnel, so it comes back whichever lost it.
            connection_mode="Default",
            virtual_network_gateway1=network.VirtualNetworkGatewayArgs(id=own(Gateway, self._args.gateway).id),
            local_network_gateway2=network.LocalNetworkGatewayArgs(id=peer.id),
            enable_bgp=True,
            gateway_custom_bgp_ip_addresses=[
                network.GatewayCustomBgpIpAddressIpConfigurationArgs(
                    ip_configuration_id=_configuration_id(place, instance), custom_bgp_ip_address=address
                )
                for instance, address in enumerate(addresses_of(self._args.pair, tunnel))
            ],
            ipsec_policies=[_transforms()],
            use_policy_based_traffic_selectors=False,
            dpd_timeout_seconds=mesh.DPD_SECONDS,
            shared_key=pulumi.Output.secret(key),
            opts=pulumi.ResourceOptions(parent=self, custom_timeouts=_CHANGED, additional_secret_outputs=["sharedKey"]),
        )

    def _alarm(self) -> None:
        """One rule, judged for each of the peer's addresses alone."""
        place, pair = self._place, self._args.pair
        monitor.MetricAlert(
            pair.name,
            resource_group_name=place.group,
            rule_name=place.names.thing(f"{pair.name}-tunnels"),
            location="global",
            description=f"A tunnel of {pair.name} carries no BGP session.",
            severity=_SEVERE,
            enabled=True,
            auto_mitigate=True,
            scopes=[own(Gateway, self._args.gateway).id],
            actions=[monitor.MetricAlertActionArgs(action_group_id=group) for group in self._args.alerts.channels],
            evaluation_frequency=_EVERY,
            window_size=_WITHIN,
            criteria=monitor.MetricAlertSingleResourceMultipleMetricCriteriaArgs(
                odata_type="Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
                all_of=[_silent([tunnel.far("azure").address for tunnel in pair.tunnels])],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _transforms() -> network.IpsecPolicyArgs:
    """The mesh's one set, in Azure's words: it calls one group by its number in phase 1 and by its bits in phase 2."""
    words: dict[str, Any] = {
        "ike_encryption": f"AES{mesh.CIPHER_BITS}",
        "ike_integrity": f"SHA{mesh.HASH_BITS}",
        "dh_group": f"DHGroup{mesh.DH_GROUP}",
        "ipsec_encryption": f"AES{mesh.CIPHER_BITS}",
        "ipsec_integrity": f"SHA{mesh.HASH_BITS}",
        "pfs_group": {14: "PFS2048"}[mesh.DH_GROUP],
    }
    return network.IpsecPolicyArgs(
        **words, sa_life_time_seconds=mesh.CHILD_LIFETIME_SECONDS, sa_data_size_kilobytes=_KEYS_LIVE_KIB
    )


def _silent(peers: Sequence[str]) -> monitor.MetricCriteriaArgs:
    """No instance has had a session with one of these addresses for the whole window.

    Not split by instance, because one of the two never has one; the average of both is nought when neither has.
    """
    return monitor.MetricCriteriaArgs(
        criterion_type="StaticThresholdCriterion",
        name="no-session",
        metric_namespace=_KIND,
        metric_name="BgpPeerStatus",
        time_aggregation="Average",
        operator="LessThanOrEqual",
        threshold=0,
        dimensions=[monitor.MetricDimensionArgs(name="BgpPeerAddress", operator="Include", values=list(peers))],
    )
