"""The region's part of the mesh: its gateway, and the tunnels to every peer that has one too.

Owns the two passes. A region alone has a gateway; what a peer's stack says of its own gateway turns into tunnels at the
next update. Nothing waits: a stack alone is always valid. A peer that was destroyed down to its lineage still says where
its gateway was, so its tunnels stay declared until it is built again.

Dangerous edge: a peer that was built again has other addresses. Until this stack is updated, its half of the tunnels
still points at the old ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.clouds.contract import Alerts, Gateway, GatewayArgs, Key, Kit, Network, Site, Tunnels, TunnelsArgs
from components.plan import mesh
from components.plan.manifest import Manifest
from components.plan.mesh import Pair
from components.plan.spec import Cloud


class VpnPair(pulumi.ComponentResource):
    """This side of a pair. Type token `hashicorp:mesh:VpnPair`; both stacks of a pair write the same spec."""

    side: Tunnels
    """Not `tunnels`: that is a key of the spec, and Pulumi would take the one for the other."""

    def __init__(self, kit: Kit, args: TunnelsArgs, opts: pulumi.ResourceOptions) -> None:
        spec = pair_spec(args.pair)
        super().__init__("hashicorp:mesh:VpnPair", args.pair.name, spec, opts)
        self.side = kit.tunnels(f"tunnels-{args.pair.name}", args, pulumi.ResourceOptions(parent=self))
        self.register_outputs({"spec": spec})


def pair_spec(pair: Pair) -> dict[str, Any]:
    """What policies read of a pair (policy catalogue, "Component props"). Plain, and equal in both stacks."""
    return {
        "pair": pair.name,
        "routing": "bgp",
        "a": {"cloud": pair.a, "asn": pair.asns[pair.a]},
        "b": {"cloud": pair.b, "asn": pair.asns[pair.b]},
        "tunnels": [
            {
                "index": tunnel.index,
                "aEndpoint": f"{pair.a}-{tunnel.end(pair.a).gateway}",
                "bEndpoint": f"{pair.b}-{tunnel.end(pair.b).gateway}",
                "insideCidr": tunnel.inside,
                "pskRef": tunnel.key,
                "ikeVersion": mesh.IKE_VERSION,
            }
            for tunnel in pair.tunnels
        ],
    }


class Mesh:
    """What the region says of its tunnels; no component of its own, since its parts stand in the stack's tree."""

    endpoints: Mapping[str, Sequence[pulumi.Output[str]]]
    """By pair: this side's public address for each tunnel, as far as the cloud has given them."""
    declared: tuple[str, ...]
    gateway: Gateway

    def __init__(
        self,
        kit: Kit,
        site: Site,
        network: Network,
        peers: Mapping[Cloud, Manifest],
        keys: Mapping[str, pulumi.Output[str]],
        log_key: Key,
        alerts: Alerts,
        opts: pulumi.ResourceOptions,
    ) -> None:
        pairs = mesh.pairs_of(site.stack.platform, site.stack.cloud)
        self.gateway = kit.gateway("gateway", GatewayArgs(site, network, pairs, log_key), opts)
        endpoints = dict(self.gateway.endpoints)
        declared: list[str] = []
        for pair in pairs:
            far = far_endpoints(peers.get(pair.peer(site.stack.cloud)), pair.name)
            if far is None:
                continue
            args = TunnelsArgs(
                site, network, self.gateway, pair, far, [keys[tunnel.key] for tunnel in pair.tunnels], alerts
            )
            endpoints[pair.name] = VpnPair(kit, args, opts).side.endpoints
            declared.append(pair.name)
        self.endpoints, self.declared = endpoints, tuple(declared)


def far_endpoints(peer: Manifest | None, pair: str) -> tuple[str, ...] | None:
    """The peer's gateway address for each of the pair's tunnels; None while the peer has none."""
    if peer is None or peer.mesh is None:
        return None
    return peer.mesh.endpoints.get(pair)
