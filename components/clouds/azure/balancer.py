"""An internal balancer in front of one cluster.

Owns front end, probe and rules; servers join through their network interfaces.

All parts are inside the balancer and refer to each other by planned ids.

Dangerous edges:
- The probe counts the answer's status only. Consul answers 200 without a leader, so alerts watch that.
- A server that calls its own front end and is handed to itself gets no answer: products talk to peers by address.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import network

from components.clouds.contract import BalancerArgs
from components.clouds.specs import balancer_spec
from components.plan import addressing

from .component import Component
from .place import Place, own
from .relay import server_port

_FRONT, _POOL, _PROBE = "front", "servers", "health"
_IDLE_MINUTES = 4
_KIND = "Microsoft.Network/loadBalancers"


class Balancer(Component):
    """One balancer over all zones."""

    pools: Sequence[pulumi.Output[str]]

    def __init__(self, name: str, args: BalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = own(Place, args.site)
        address = addressing.front_ends(place.stack.region, args.product)[0]
        spec = balancer_spec(args, [address])
        super().__init__("Balancer", name, spec, opts)
        balancer_name = place.names.thing(args.product)
        planned = place.id(_KIND, balancer_name)
        check = args.balanced.check
        made = network.LoadBalancer(
            name,
            resource_group_name=place.group,
            load_balancer_name=balancer_name,
            location=place.location,
            sku=network.LoadBalancerSkuArgs(name="Standard", tier="Regional"),
            frontend_ip_configurations=[
                network.FrontendIPConfigurationArgs(
                    name=_FRONT,
                    subnet=network.SubnetArgs(id=args.network.server_subnets[0]),
                    private_ip_address=address,
                    private_ip_address_version="IPv4",
                    private_ip_allocation_method="Static",
                    zones=place.zones,
                )
            ],
            backend_address_pools=[network.BackendAddressPoolArgs(name=_POOL)],
            probes=[
                network.ProbeArgs(
                    name=_PROBE,
                    protocol="Https",
                    port=check.port.first,
                    request_path=check.path,
                    interval_in_seconds=check.interval,
                    probe_threshold=check.unhealthy,
                    no_healthy_backends_behavior="AllProbedDown",
                )
            ],
            load_balancing_rules=[
                network.LoadBalancingRuleArgs(
                    name=f"port-{listener.front}",
                    protocol="Tcp",
                    frontend_port=listener.front.first,
                    backend_port=server_port(args.balanced, listener).first,
                    frontend_ip_configuration=network.SubResourceArgs(
                        id=f"{planned}/frontendIPConfigurations/{_FRONT}"
                    ),
                    backend_address_pool=network.SubResourceArgs(id=f"{planned}/backendAddressPools/{_POOL}"),
                    probe=network.SubResourceArgs(id=f"{planned}/probes/{_PROBE}"),
                    load_distribution="Default",
                    idle_timeout_in_minutes=_IDLE_MINUTES,
                    enable_tcp_reset=True,
                    enable_floating_ip=False,
                    disable_outbound_snat=True,
                )
                for listener in args.balanced.listeners
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.pools = [made.id.apply(lambda balancer: f"{balancer}/backendAddressPools/{_POOL}")]
        self.register_outputs({"spec": spec, "pools": list(self.pools)})
