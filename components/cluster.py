"""One product in one region: a balancer where it has one, and its servers.

Owns the order between the two and the type token that policies read. What a server is comes from the product,
how it is built from the cloud; this module knows neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.clouds.contract import BalancerArgs, Kit, MachineArgs, ServerGroup, ServerGroupArgs
from components.plan.flows import BALANCERS
from components.plan.server import ServerSpec
from components.plan.spec import Product, cluster_name


@dataclass(frozen=True)
class ClusterArgs:
    """A cluster and what it is built with."""

    product: Product
    spec: Mapping[str, Any]
    """The component's props: plain, without secrets, read by the policy pack."""
    kit: Kit
    machine: MachineArgs
    servers: tuple[ServerSpec, ...]


class Cluster(pulumi.ComponentResource):
    """The servers of one product. Type token `hashicorp:products:<Product>Cluster`."""

    servers: ServerGroup

    def __init__(self, args: ClusterArgs, opts: pulumi.ResourceOptions) -> None:
        site = args.machine.site
        name = cluster_name(args.product, site.stack.cloud)
        super().__init__(f"hashicorp:products:{args.product.capitalize()}Cluster", name, dict(args.spec), opts)
        child = pulumi.ResourceOptions(parent=self)
        balancer = None
        if args.product in BALANCERS:
            balancer = args.kit.balancer(
                f"{name}-balancer",
                BalancerArgs(site, args.machine.network, args.machine.firewall, args.product, BALANCERS[args.product]),
                child,
            )
        self.servers = args.kit.servers(
            f"{name}-servers",
            ServerGroupArgs(args.machine, args.servers, frozenset(site.stack.rollout), balancer),
            child,
        )
        self.register_outputs({"spec": dict(args.spec)})
