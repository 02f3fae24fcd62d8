"""An internal balancer in front of one product, at a fixed address that spans the zones.

Owns groups, health check and front end. Listeners and check are `plan.flows`; servers join the groups in
`compute`.

Google's passthrough balancer hands a packet on as it is: clients' addresses stay visible to the server, and it
cannot change a port. Where a listener needs that (Consul's 8500, which the runbook calls, is answered by 8501)
the product gets Google's proxy balancer, whose proxies stand in a subnet of the region and are admitted like any
machine of the mesh.

Dangerous edges:
- Behind a passthrough balancer a server that calls the balancer's address always reaches itself.
- A proxy ends a connection that is silent for `_IDLE_SECONDS`; Consul's blocking queries are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pulumi
import pulumi_gcp as gcp

from components.clouds.contract import BalancerArgs, type_token
from components.clouds.specs import balancer_spec
from components.plan.addressing import front_ends
from components.plan.flows import HealthCheck
from components.plan.spec import Region

_DRAIN_SECONDS = 30
_IDLE_SECONDS = 900
"""A blocking query answers after ten minutes and a sixteenth of that at the latest."""


def expected_body(check: HealthCheck, region: Region) -> str | None:
    """What a good answer begins with: a JSON string of an address in the region, to the last whole octet of its range."""
    if not check.body_is_address:
        return None
    network, _, prefix = region.cidr.partition("/")
    octets = network.split(".")[: int(prefix) // 8]
    return '"' + "".join(f"{octet}." for octet in octets)


class Balancer(pulumi.ComponentResource):
    """Instance groups, health check, backend service, address, forwarding rules."""

    pools: Sequence[pulumi.Output[str]]

    def __init__(self, name: str, args: BalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        region, balanced = args.site.stack.region, args.balanced
        translates = any(listener.front != listener.back for listener in balanced.listeners)
        spec = balancer_spec(args, front_ends(region, args.product)[:1])
        super().__init__(type_token("Balancer"), name, spec, opts)
        self._name, self._args, self._region = name, args, region
        self._thing = args.site.names.thing(args.product)
        self._child = pulumi.ResourceOptions(parent=self)
        groups = [self._group(zone) for zone in region.zones]
        # Whoever joins a group names it; a path is refused.
        self.pools = [group.name for group in groups]
        (self._proxied if translates else self._passed_through)(groups, self._check(), self._address())
        self.register_outputs({"spec": spec})

    def _group(self, zone: str) -> gcp.compute.InstanceGroup:
        return gcp.compute.InstanceGroup(
            f"{self._name}-{zone}",
            name=f"{self._thing}-{zone}",
            description=f"{self._args.product} servers in {zone}",
            zone=zone,
            network=self._args.network.id,
            named_ports=[
                gcp.compute.InstanceGroupNamedPortArgs(name=f"port-{port.first}", port=port.first)
                for port in dict.fromkeys(listener.back for listener in self._args.balanced.listeners)
            ],
            # Servers join by themselves.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["instances"]),
        )

    def _check(self) -> gcp.compute.RegionHealthCheck:
        check = self._args.balanced.check
        return gcp.compute.RegionHealthCheck(
            self._name,
            name=self._thing,
            description=f"whether a server of {self._args.product} can serve",
            region=self._region.name,
            check_interval_sec=check.interval,
            timeout_sec=check.timeout,
            healthy_threshold=check.healthy,
            unhealthy_threshold=check.unhealthy,
            https_health_check=gcp.compute.RegionHealthCheckHttpsHealthCheckArgs(
                port=check.port.first,
                port_specification="USE_FIXED_PORT",
                request_path=check.path,
                proxy_header="NONE",
                response=expected_body(check, self._region),
            ),
            log_config=gcp.compute.RegionHealthCheckLogConfigArgs(enable=True),
            opts=self._child,
        )

    def _address(self) -> gcp.compute.Address:
        return gcp.compute.Address(
            self._name,
            name=self._thing,
            region=self._region.name,
            address_type="INTERNAL",
            # Several forwarding rules, one a port, may stand on one address only with this purpose.
            purpose="SHARED_LOADBALANCER_VIP",
            subnetwork=self._args.network.server_subnets[0],
            address=front_ends(self._region, self._args.product)[0],
            opts=self._child,
        )

    def _passed_through(
        self,
        groups: Sequence[gcp.compute.InstanceGroup],
        check: gcp.compute.RegionHealthCheck,
        address: gcp.compute.Address,
    ) -> None:
        service = gcp.compute.RegionBackendService(
            self._name,
            name=self._thing,
            region=self._region.name,
            load_balancing_scheme="INTERNAL",
            protocol="TCP",
            session_affinity="NONE",
            health_checks=check.id,
            connection_draining_timeout_sec=_DRAIN_SECONDS,
            backends=[
                gcp.compute.RegionBackendServiceBackendArgs(group=group.id, balancing_mode="CONNECTION")
                for group in groups
            ],
            opts=self._child,
        )
        gcp.compute.ForwardingRule(
            self._name,
            name=self._thing,
            region=self._region.name,
            load_balancing_scheme="INTERNAL",
            backend_service=service.id,
            ip_address=address.id,
            ip_protocol="TCP",
            ports=[str(listener.front) for listener in self._args.balanced.listeners],
            network=self._args.network.id,
            subnetwork=self._args.network.server_subnets[0],
            # Without it clients that arrive through a tunnel of another region are dropped.
            allow_global_access=True,
            opts=self._child,
        )

    def _proxied(
        self,
        groups: Sequence[gcp.compute.InstanceGroup],
        check: gcp.compute.RegionHealthCheck,
        address: gcp.compute.Address,
    ) -> None:
        # A proxy sends all that it takes to one port: every listener of a product has the same one behind it.
        (back,) = {listener.back for listener in self._args.balanced.listeners}
        service = gcp.compute.RegionBackendService(
            self._name,
            name=self._thing,
            region=self._region.name,
            load_balancing_scheme="INTERNAL_MANAGED",
            protocol="TCP",
            port_name=f"port-{back.first}",
            session_affinity="NONE",
            health_checks=check.id,
            timeout_sec=_IDLE_SECONDS,
            connection_draining_timeout_sec=_DRAIN_SECONDS,
            backends=[
                gcp.compute.RegionBackendServiceBackendArgs(
                    group=group.id, balancing_mode="UTILIZATION", max_utilization=0.8, capacity_scaler=1.0
                )
                for group in groups
            ],
            opts=self._child,
        )
        proxy = gcp.compute.RegionTargetTcpProxy(
            self._name,
            name=self._thing,
            region=self._region.name,
            backend_service=service.id,
            proxy_header="NONE",
            opts=self._child,
        )
        # The proxies' subnet is nowhere named: the network as a whole must stand before a rule that needs it.
        after = pulumi.ResourceOptions(parent=self, depends_on=[cast("pulumi.Resource", self._args.network)])
        for listener in self._args.balanced.listeners:
            gcp.compute.ForwardingRule(
                f"{self._name}-{listener.front}",
                name=f"{self._thing}-{listener.front}",
                region=self._region.name,
                load_balancing_scheme="INTERNAL_MANAGED",
                target=proxy.id,
                ip_address=address.id,
                ip_protocol="TCP",
                port_range=str(listener.front),
                network=self._args.network.id,
                subnetwork=self._args.network.server_subnets[0],
                allow_global_access=True,
                opts=after,
            )
