"""The region's ends of the mesh: HA VPN gateways and their router, and the tunnels of a pair once its peer is known.

Owns gateways, the mesh's Cloud Router, and per pair the peer's gateways as Google knows them, tunnels, BGP sessions and
an alert. Addresses, transforms and which tunnel uses which address are `plan.mesh`.

A gateway has two addresses, so a pair has as many gateways as its planned addresses need. Routes that the router learns
hold in the whole network, whose every subnet of machines needs them; Google offers no narrower way.

Dangerous edges:
- A peer's gateway cannot be changed. When an address of the peer is another one, Google's picture of it is replaced, and
  with it, the dependents first, the pair's tunnels, interfaces and sessions: all have names of their own, which the new
  ones take over. The pair is down for that time, as it already was.
- A session's `name` is its interface's on purpose: a session can outlive a change of its interface, but not the deletion
  of it, and only through the name does the engine see that it has to go first.
- The key of a tunnel is a plain argument, sealed in the state, and not a write-only one: a new key then replaces the
  tunnel by itself, where a write-only one would go unnoticed.
- Google settles lifetimes and dead peer detection of a tunnel; only ciphers can be set.

Source: cloud-reference, "VPN mesh"; Cloud VPN, "Topologies", "Supported IKE ciphers", "Cloud VPN metrics".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network
from typing import cast

import pulumi
import pulumi_gcp as gcp

from components.clouds.contract import GatewayArgs, TunnelsArgs, type_token
from components.clouds.specs import gateway_spec, tunnels_spec
from components.plan.mesh import CIPHER_BITS, DH_GROUP, HASH_BITS, HOLD_SECONDS, IKE_VERSION, Pair, Tunnel
from components.plan.spec import Cloud

_OWN: Cloud = "gcp"
_INTERFACES = 2
"""Addresses of an HA VPN gateway."""
_REDUNDANCY = {2: "TWO_IPS_REDUNDANCY", 4: "FOUR_IPS_REDUNDANCY"}
"""By the number of the peer's addresses."""
_DOWN_SECONDS = 120
"""Two samples of the metric."""


def place(tunnel: Tunnel) -> tuple[int, int]:
    """Which of the pair's gateways a tunnel starts from, and at which interface of it."""
    return divmod(tunnel.end(_OWN).gateway, _INTERFACES)


def peer_interfaces(pair: Pair, gateway: int) -> dict[int, Tunnel]:
    """The peer as one of the pair's gateways sees it: by the peer's gateway address, the first tunnel that leads to it.

    Google numbers the peer's interfaces in this order; AWS wants the two of one connection side by side.
    """
    found: dict[int, Tunnel] = {}
    for tunnel in pair.tunnels:
        if place(tunnel)[0] == gateway:
            found.setdefault(tunnel.far(_OWN).gateway, tunnel)
    return found


def _ciphers() -> gcp.compute.VPNTunnelCipherSuiteArgs:
    """The one set of the plan, as Google spells it."""
    return gcp.compute.VPNTunnelCipherSuiteArgs(
        phase1=gcp.compute.VPNTunnelCipherSuitePhase1Args(
            encryptions=[f"AES-CBC-{CIPHER_BITS}"],
            integrities=[f"HMAC-SHA2-{HASH_BITS}-{HASH_BITS // 2}"],
            prves=[f"PRF-HMAC-SHA2-{HASH_BITS}"],
            dhs=[f"Group-{DH_GROUP}"],
        ),
        phase2=gcp.compute.VPNTunnelCipherSuitePhase2Args(
            encryptions=[f"AES-CBC-{CIPHER_BITS}"],
            integrities=[f"HMAC-SHA2-{HASH_BITS}-{HASH_BITS // 2}"],
            pfs=[f"Group-{DH_GROUP}"],
        ),
    )


class Gateway(pulumi.ComponentResource):
    """HA VPN gateways by pair, and one router for all."""

    endpoints: Mapping[str, Sequence[pulumi.Output[str]]]
    router: gcp.compute.Router
    gateways: Mapping[str, Sequence[gcp.compute.HaVpnGateway]]

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = gateway_spec(args)
        super().__init__(type_token("Gateway"), name, spec, opts)
        self._name, self._args = name, args
        self.router = self._router()
        self.gateways = {
            pair.name: [self._gateway(pair, number) for number in range(-(-pair.addresses(_OWN) // _INTERFACES))]
            for pair in args.pairs
        }
        self.endpoints = {
            pair.name: [self._address(pair.name, *place(tunnel)) for tunnel in pair.tunnels] for pair in args.pairs
        }
        self.register_outputs({"spec": spec, "endpoints": self.endpoints})

    def _router(self) -> gcp.compute.Router:
        stack = self._args.site.stack
        return gcp.compute.Router(
            self._name,
            name=self._args.site.names.thing("mesh"),
            network=self._args.network.id,
            region=stack.region.name,
            bgp=gcp.compute.RouterBgpArgs(
                asn=stack.platform.asns[stack.cloud],
                # The region's own range and nothing that was learned of another peer.
                advertise_mode="CUSTOM",
                advertised_ip_ranges=[gcp.compute.RouterBgpAdvertisedIpRangeArgs(range=stack.region.cidr)],
                keepalive_interval=HOLD_SECONDS[stack.cloud] // 3,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _gateway(self, pair: Pair, number: int) -> gcp.compute.HaVpnGateway:
        return gcp.compute.HaVpnGateway(
            f"{self._name}-{pair.name}-{number}",
            name=self._args.site.names.thing(f"mesh-{pair.name}-{number}"),
            network=self._args.network.id,
            region=self._args.site.stack.region.name,
            stack_type="IPV4_ONLY",
            gateway_ip_version="IPV4",
            opts=pulumi.ResourceOptions(parent=self, protect=self._args.site.stack.guarded),
        )

    def _address(self, pair: str, gateway: int, interface: int) -> pulumi.Output[str]:
        return self.gateways[pair][gateway].vpn_interfaces.apply(
            lambda interfaces: next(found.ip_address or "" for found in interfaces if found.id == interface)
        )


class Tunnels(pulumi.ComponentResource):
    """The peer's gateways, four tunnels with a BGP session each, and an alert."""

    endpoints: Sequence[pulumi.Output[str]]

    def __init__(self, name: str, args: TunnelsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = tunnels_spec(args)
        super().__init__(type_token("Tunnels"), name, spec, opts)
        self._name, self._args = name, args
        self._region = args.site.stack.region.name
        # The kit hands over a gateway of this cloud.
        self._gateway = cast("Gateway", args.gateway)
        # New ones take the names of the old, so the old go first.
        self._child = pulumi.ResourceOptions(parent=self, delete_before_replace=True)
        self.endpoints = self._gateway.endpoints[args.pair.name]
        peers = [self._peer(number) for number in range(len(self._gateway.gateways[args.pair.name]))]
        for tunnel in args.pair.tunnels:
            self._session(tunnel, self._tunnel(tunnel, peers))
        self._alert()
        self.register_outputs({"spec": spec, "endpoints": self.endpoints})

    def _thing(self, tunnel: Tunnel) -> str:
        return self._args.site.names.thing(tunnel.key)

    def _peer(self, gateway: int) -> gcp.compute.ExternalVpnGateway:
        tunnels = peer_interfaces(self._args.pair, gateway).values()
        return gcp.compute.ExternalVpnGateway(
            f"{self._name}-{gateway}",
            name=self._args.site.names.thing(f"mesh-{self._args.pair.name}-{gateway}"),
            description=f"The gateway of {self._args.pair.peer(_OWN)}",
            redundancy_type=_REDUNDANCY[len(tunnels)],
            interfaces=[
                gcp.compute.ExternalVpnGatewayInterfaceArgs(id=index, ip_address=self._args.far[tunnel.index])
                for index, tunnel in enumerate(tunnels)
            ],
            opts=self._child,
        )

    def _tunnel(self, tunnel: Tunnel, peers: Sequence[gcp.compute.ExternalVpnGateway]) -> gcp.compute.VPNTunnel:
        gateway, interface = place(tunnel)
        far = list(peer_interfaces(self._args.pair, gateway))
        return gcp.compute.VPNTunnel(
            f"{self._name}-{tunnel.index}",
            name=self._thing(tunnel),
            region=self._region,
            vpn_gateway=self._gateway.gateways[self._args.pair.name][gateway].id,
            vpn_gateway_interface=interface,
            peer_external_gateway=peers[gateway].id,
            peer_external_gateway_interface=far.index(tunnel.far(_OWN).gateway),
            shared_secret=pulumi.Output.secret(self._args.keys[tunnel.index]),
            ike_version=IKE_VERSION,
            cipher_suite=_ciphers(),
            router=self._gateway.router.id,
            opts=self._child,
        )

    def _session(self, tunnel: Tunnel, made: gcp.compute.VPNTunnel) -> None:
        own, far = tunnel.end(_OWN), tunnel.far(_OWN)
        interface = gcp.compute.RouterInterface(
            f"{self._name}-{tunnel.index}",
            name=self._thing(tunnel),
            router=self._gateway.router.name,
            region=self._region,
            ip_range=f"{own.address}/{IPv4Network(tunnel.inside).prefixlen}",
            vpn_tunnel=made.id,
            opts=self._child,
        )
        gcp.compute.RouterPeer(
            f"{self._name}-{tunnel.index}",
            name=interface.name,
            router=self._gateway.router.name,
            region=self._region,
            interface=interface.name,
            ip_address=own.address,
            peer_ip_address=far.address,
            peer_asn=self._args.pair.asns[far.cloud],
            enable=True,
            opts=self._child,
        )

    def _alert(self) -> None:
        """One alert for the pair: it names the tunnel that is down, or whose session is."""
        names = ", ".join(f'"{self._thing(tunnel)}"' for tunnel in self._args.pair.tunnels)
        gcp.monitoring.AlertPolicy(
            self._name,
            display_name=self._args.site.names.thing(f"mesh-{self._args.pair.name}"),
            combiner="OR",
            enabled=True,
            notification_channels=list(self._args.alerts.channels),
            severity="CRITICAL",
            conditions=[
                _watch(
                    "A tunnel is down",
                    f'resource.type = "vpn_gateway" AND metric.type = "vpn.googleapis.com/tunnel_established" '
                    f"AND metric.labels.tunnel_name = one_of({names})",
                    "metric.label.tunnel_name",
                ),
                _watch(
                    "A BGP session is down",
                    f'resource.type = "gce_router" AND metric.type = "router.googleapis.com/bgp/session_up" '
                    f"AND metric.labels.bgp_peer_name = one_of({names})",
                    "metric.label.bgp_peer_name",
                ),
            ],
            documentation=gcp.monitoring.AlertPolicyDocumentationArgs(
                mime_type="text/markdown",
                content=(
                    f"The mesh between {self._args.pair.a} and {self._args.pair.b} has fewer than "
                    f"{len(self._args.pair.tunnels)} tunnels. Three carry it; below two, act at once."
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _watch(title: str, series: str, label: str) -> gcp.monitoring.AlertPolicyConditionArgs:
    """A condition on the lowest value of each series; no value at all is as bad as a low one."""
    return gcp.monitoring.AlertPolicyConditionArgs(
        display_name=title,
        condition_threshold=gcp.monitoring.AlertPolicyConditionConditionThresholdArgs(
            filter=series,
            comparison="COMPARISON_LT",
            threshold_value=1,
            duration=f"{_DOWN_SECONDS}s",
            evaluation_missing_data="EVALUATION_MISSING_DATA_ACTIVE",
            trigger=gcp.monitoring.AlertPolicyConditionConditionThresholdTriggerArgs(count=1),
            aggregations=[
                gcp.monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
                    alignment_period="60s",
                    per_series_aligner="ALIGN_MIN",
                    cross_series_reducer="REDUCE_MIN",
                    group_by_fields=[label],
                )
            ],
        ),
    )
