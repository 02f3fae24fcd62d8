"""Where the plan's tunnels end on one machine: namespaces, links, BGP sessions and what can fail. Pure.

Owns how each cloud is modelled: AWS's transit gateway and Google's Cloud Router are one BGP speaker that holds all
tunnels of the region; Azure's active-active gateway is two speakers, one an instance. A region's network is a router of
its own behind them, with one machine on it. Between gateways lies the internet, a namespace with a cable for each
tunnel.

Dangerous edges:
- Encryption is not modelled: a tunnel is a cable. What IKE adds to a failure is dead-peer detection (see `liveness`).
- How fast a cloud's own network leaves a dead gateway instance is the cloud's secret; here its link goes down at once.

Source: cloud-reference, "VPN mesh".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network
from itertools import combinations

from components.plan import addressing, mesh
from components.plan.mesh import End, Tunnel
from components.plan.spec import Cloud, Platform

INSTANCES: Mapping[Cloud, int] = {"aws": 1, "azure": 2, "gcp": 1}
"""BGP speakers of a region's gateway."""

SHARED_ADDRESSES: Mapping[Cloud, bool] = {"aws": False, "azure": True, "gcp": False}
"""Whether the gateway's addresses serve both pairs, or each pair has its own."""

TRANSIT: Mapping[Cloud, bool] = {"aws": False, "azure": True, "gcp": False}
"""Whether a gateway tells one peer what it learned from another. Azure's always does. AWS's would, if all tunnels shared
a route table with the network; they have one that knows the network alone. Cloud Router advertises what it is told to."""

PASSIVE: Mapping[Cloud, bool] = {"aws": False, "azure": True, "gcp": False}
"""Whether the gateway waits for its peer to open the session, as Azure's does with link-local addresses."""

INTERNET = "internet"


@dataclass(frozen=True)
class Speaker:
    """A namespace with a BGP daemon: an instance of a gateway, or a region's network."""

    name: str
    cloud: Cloud
    asn: int
    prefix: str
    """The region's range."""
    uplinks: tuple[tuple[str, str], ...]
    """Links inside the region: this speaker's address and the other's, one a speaker at the other side."""
    sessions: tuple[tuple[Tunnel, End, End], ...] = ()
    """Tunnels that end here: own side and far side. A network has none."""

    @property
    def is_gateway(self) -> bool:
        """Whether it speaks to other regions."""
        return bool(self.sessions)


@dataclass(frozen=True)
class Failure:
    """Something that can break alone, and what goes with it."""

    name: str
    tunnels: tuple[Tunnel, ...]
    instance: str = ""
    """A gateway's speaker that dies as a whole, if it is one."""

    @property
    def pairs(self) -> frozenset[str]:
        """The pairs that lose tunnels."""
        return frozenset(tunnel.pair for tunnel in self.tunnels)


@dataclass(frozen=True)
class Layout:
    """Everything that has to be built."""

    platform: Platform
    tunnels: tuple[Tunnel, ...]
    gateways: tuple[Speaker, ...]
    networks: Mapping[Cloud, Speaker]
    machines: Mapping[Cloud, str]
    """Address of the one machine in each region: a planned server's."""

    @property
    def speakers(self) -> tuple[Speaker, ...]:
        """Everything that runs a BGP daemon."""
        return (*self.gateways, *self.networks.values())

    def gateway(self, tunnel: Tunnel, cloud: Cloud) -> Speaker:
        """Where a tunnel ends."""
        return next(g for g in self.gateways if g.cloud == cloud and any(t == tunnel for t, _, _ in g.sessions))


def machine(cloud: Cloud) -> str:
    """Name of the region's machine."""
    return f"{cloud}-machine"


def layout(platform: Platform) -> Layout:
    """The platform's mesh."""
    tunnels = tuple(tunnel for pair in mesh.pairs(platform) for tunnel in pair.tunnels)
    gateways: list[Speaker] = []
    networks: dict[Cloud, Speaker] = {}
    for cloud in platform.clouds:
        region = platform.regions[cloud]
        links = list(IPv4Network(addressing.edge_subnets(region)["gateway"]).subnets(new_prefix=31))
        ends = [(str(link[0]), str(link[1])) for link in links[1 : INSTANCES[cloud] + 1]]
        networks[cloud] = Speaker(f"{cloud}-network", cloud, platform.asns[cloud], region.cidr, tuple(ends))
        for instance, (inner, outer) in enumerate(ends):
            sessions = tuple(
                (tunnel, tunnel.end(cloud), tunnel.far(cloud))
                for tunnel in tunnels
                if cloud in {end.cloud for end in tunnel.ends} and _instance(tunnel.end(cloud)) == instance
            )
            name = f"{cloud}-gateway-{instance}"
            gateways.append(Speaker(name, cloud, platform.asns[cloud], region.cidr, ((outer, inner),), sessions))
    machines: dict[Cloud, str] = {
        cloud: addressing.all_servers(platform, cloud)[0].address for cloud in platform.clouds
    }
    return Layout(platform, tunnels, tuple(gateways), networks, machines)


def first_hop(region_cidr: str) -> IPv4Interface:
    """The region's router, as its machines see it."""
    network = IPv4Network(region_cidr)
    return IPv4Interface(f"{network[1]}/{network.prefixlen}")


def failures(plan: Layout) -> tuple[Failure, ...]:
    """Every tunnel, every gateway address and every instance, alone; what cuts the same tunnels is named together."""
    cuts: dict[tuple[Tunnel, ...], list[str]] = {
        (tunnel,): [f"tunnel {tunnel.pair}-{tunnel.index}"] for tunnel in plan.tunnels
    }
    for cloud in plan.platform.clouds:
        ends = [(tunnel, tunnel.end(cloud)) for tunnel in plan.tunnels if cloud in {e.cloud for e in tunnel.ends}]
        addresses: dict[str, list[Tunnel]] = {}
        for tunnel, end in ends:
            offered_to = "" if SHARED_ADDRESSES[cloud] else f" to {tunnel.far(cloud).cloud}"
            addresses.setdefault(f"address {cloud}-{end.gateway}{offered_to}", []).append(tunnel)
        for name, cut in addresses.items():
            cuts.setdefault(tuple(cut), []).append(name)
    found = [Failure(" = ".join(names), cut) for cut, names in cuts.items()]
    found += [
        Failure(f"instance {gateway.name}", tuple(tunnel for tunnel, _, _ in gateway.sessions), gateway.name)
        for gateway in plan.gateways
        if INSTANCES[gateway.cloud] > 1
    ]
    return tuple(found)


def apart(found: tuple[Failure, ...]) -> list[Failure]:
    """The same failures in an order in which neighbours share as few pairs as can be, so that pairs heal meanwhile."""
    left, ordered = sorted(found, key=lambda failure: -len(failure.tunnels)), list[Failure]()
    while left:
        recent = [failure.pairs for failure in ordered[-2:]]
        chosen = min(left, key=lambda failure: sum(len(failure.pairs & pairs) for pairs in recent))
        left.remove(chosen)
        ordered.append(chosen)
    return ordered


def routes_between(plan: Layout) -> list[tuple[Cloud, Cloud]]:
    """Every two regions."""
    return list(combinations(plan.platform.clouds, 2))


def _instance(end: End) -> int:
    return end.gateway if INSTANCES[end.cloud] > 1 else 0
