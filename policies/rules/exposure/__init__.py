"""Rules of the area exposure."""

from __future__ import annotations

from policies.rule import Rule

from . import (
    boundary_ports_scoped,
    bucket_public_blocked,
    database_not_public,
    default_deny_network,
    gossip_mesh_only,
    ingress_effective_exposure,
    ingress_no_world_admin,
    ingress_no_world_product_ports,
    k8s_api_private,
    lb_internal,
    server_no_public_ip,
)

RULES: tuple[Rule, ...] = (
    ingress_no_world_product_ports.RULE,
    ingress_no_world_admin.RULE,
    ingress_effective_exposure.RULE,
    gossip_mesh_only.RULE,
    boundary_ports_scoped.RULE,
    server_no_public_ip.RULE,
    lb_internal.RULE,
    bucket_public_blocked.RULE,
    database_not_public.RULE,
    k8s_api_private.RULE,
    default_deny_network.RULE,
)
