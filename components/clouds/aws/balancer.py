"""An internal network balancer with one fixed address a zone.

Owns front ends, target groups and the health check's form; what healthy means stands in `plan.flows`. Listeners
with the same server port share one target group.

Dangerous edges:
- A network balancer takes security groups only when it is created.
- Clients' addresses are not preserved: a server that calls its own balancer would hang otherwise.
- Deletion protection is on: it must be turned off by an update before the balancer can be destroyed.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.clouds.contract import BalancerArgs, type_token
from components.clouds.specs import balancer_spec
from components.plan.addressing import front_ends
from components.plan.flows import Port

_DRAIN_SECONDS = 30


class Balancer(pulumi.ComponentResource):
    """Balancer, listeners, target groups. Servers attach themselves to `pools`."""

    pools: Sequence[pulumi.Output[str]]

    def __init__(self, name: str, args: BalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        addresses = front_ends(args.site.stack.region, args.product)
        spec = balancer_spec(args, addresses)
        super().__init__(type_token("Balancer"), name, spec, opts)
        self._prefix, self._args, self._child = name, args, pulumi.ResourceOptions(parent=self)
        balancer = aws.lb.LoadBalancer(
            name,
            name=args.site.names.thing(args.product),
            internal=True,
            load_balancer_type="network",
            ip_address_type="ipv4",
            subnet_mappings=[
                {"subnet_id": subnet, "private_ipv4_address": address}
                for subnet, address in zip(args.network.server_subnets, addresses, strict=True)
            ],
            security_groups=[args.firewall.balancers] if args.firewall.balancers else [],
            enable_cross_zone_load_balancing=True,
            enable_deletion_protection=args.site.stack.guarded,
            opts=self._child,
        )
        pools = {back: self._pool(back) for back in dict.fromkeys(item.back for item in args.balanced.listeners)}
        for listener in args.balanced.listeners:
            aws.lb.Listener(
                f"{name}-{listener.front}",
                load_balancer_arn=balancer.arn,
                port=listener.front.first,
                protocol="TCP",
                default_actions=[{"type": "forward", "target_group_arn": pools[listener.back]}],
                opts=self._child,
            )
        self.pools = list(pools.values())
        self.register_outputs({"spec": spec, "pools": self.pools})

    def _pool(self, back: Port) -> pulumi.Output[str]:
        args, check = self._args, self._args.balanced.check
        return aws.lb.TargetGroup(
            f"{self._prefix}-{back}",
            name=args.site.names.thing(f"{args.product}-{back}"),
            vpc_id=args.network.id,
            target_type="instance",
            ip_address_type="ipv4",
            protocol="TCP",
            port=back.first,
            preserve_client_ip="false",
            proxy_protocol_v2=False,
            deregistration_delay=_DRAIN_SECONDS,
            connection_termination=True,
            health_check={
                "enabled": True,
                "protocol": "HTTPS",
                "port": str(check.port),
                "path": check.path,
                "matcher": "200",
                "interval": check.interval,
                "timeout": check.timeout,
                "healthy_threshold": check.healthy,
                "unhealthy_threshold": check.unhealthy,
            },
            opts=self._child,
        ).arn
