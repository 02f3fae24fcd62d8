"""Where everything has its address, before anything exists.

Owns the address plan of a region: its subnets, the fixed addresses of servers and of balancer front ends.
Servers join each other by these addresses (static join), so no cloud API is needed to form a cluster.

Does not decide which ports are open (`flows`) and knows no peer but by its CIDR.

Dangerous edge: every number here is baked into certificates, peers' configuration and raft peer sets of a
running platform. Changing one moves servers; it is a migration, not an edit.

The plan counts /24 blocks of the region's range, so that `10.N.k.0/24` is zone k of region N when the
range is the usual /16 (cloud-reference, address plan).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from .flows import BALANCERS
from .spec import PRODUCTS, Cloud, Platform, Product, Region, server_name

ZONES = 3
"""Zones of every region: the fewest in which no zone holds a quorum."""
LARGEST_PREFIX = 19
"""The smallest range (longest prefix) that holds all blocks below."""
SMALLEST_PREFIX = 16
"""The largest range: AWS takes no larger network."""

_SERVER_BLOCK, _CLIENT_BLOCK, _EGRESS_BLOCK, _DATABASE_BLOCK, _EDGE_BLOCK = 1, 11, 21, 24, 30
_HOSTS: dict[Product, int] = {"consul": 10, "vault": 20, "nomad": 30, "boundary": 40}
_PER_ZONE = 10
_FRONT_END = 60
_BALANCED: tuple[Product, ...] = tuple(BALANCERS)

MAX_SERVERS = _PER_ZONE * ZONES
"""Servers of one product that the plan has addresses for, in one region."""

_RESERVED_HOSTS = 5
"""Of each subnet: first four and last in AWS and Azure, four in GCP."""
_SURGE = 1
"""Machines a zone that a rolling update adds before it takes old ones away."""
MAX_CLIENTS = 256 - _RESERVED_HOSTS - _SURGE * ZONES
"""Nomad clients that find an address while a rolling update adds its own. A group of Azure or GCP lives in one subnet."""


@dataclass(frozen=True)
class ServerAddress:
    """One planned server."""

    name: str
    product: Product
    zone: int
    """Index into `Region.zones`."""
    address: str


def zone_of(index: int) -> int:
    """Zone of the `index`-th server of a cluster: round robin, so five servers lie 2 + 2 + 1."""
    return index % ZONES


def _block(region: Region, number: int) -> IPv4Network:
    return IPv4Network((int(IPv4Network(region.cidr).network_address) + number * 256, 24))


def server_subnet(region: Region, zone: int) -> str:
    """CIDR of a zone's servers and balancer front ends."""
    return str(_block(region, _SERVER_BLOCK + zone))


def client_subnet(region: Region, zone: int) -> str:
    """CIDR of a zone's Nomad clients: apart from servers, so that no client takes a planned address."""
    return str(_block(region, _CLIENT_BLOCK + zone))


def egress_subnet(region: Region, zone: int) -> str:
    """CIDR that holds a zone's NAT gateway where the cloud wants it in a public subnet of its own (AWS)."""
    return str(_block(region, _EGRESS_BLOCK + zone))


def database_subnet(region: Region, zone: int) -> str:
    """CIDR of a zone's database: apart from machines, because nothing in it has a way out of the region."""
    return str(_block(region, _DATABASE_BLOCK + zone))


def edge_subnets(region: Region) -> dict[str, str]:
    """Small subnets of the region's edge, by purpose; sizes are the clouds' minimum or larger."""
    edge = _block(region, _EDGE_BLOCK)
    bastion, rest = edge.subnets(new_prefix=25)
    gateway, resolver = rest.subnets(new_prefix=26)
    inbound, outbound, endpoints, _ = resolver.subnets(new_prefix=28)
    return {
        "bastion": str(next(bastion.subnets(new_prefix=26))),
        "gateway": str(next(gateway.subnets(new_prefix=27))),
        "resolver-inbound": str(inbound),
        "resolver-outbound": str(outbound),
        "endpoints": str(endpoints),
    }


def subnets(region: Region) -> Iterator[str]:
    """Every CIDR that the plan gives away inside the region's range."""
    for zone in range(ZONES):
        yield server_subnet(region, zone)
        yield client_subnet(region, zone)
        yield egress_subnet(region, zone)
        yield database_subnet(region, zone)
    yield from edge_subnets(region).values()


def _host(region: Region, zone: int, host: int) -> str:
    return str(_block(region, _SERVER_BLOCK + zone)[host])


def servers(platform: Platform, cloud: Cloud, product: Product) -> tuple[ServerAddress, ...]:
    """The fixed servers of one cluster, in the order of their names."""
    region = platform.regions[cloud]
    return tuple(
        ServerAddress(
            name=server_name(product, cloud, index),
            product=product,
            zone=zone_of(index),
            address=_host(region, zone_of(index), _HOSTS[product] + index // ZONES),
        )
        for index in range(platform.servers[product])
    )


def all_servers(platform: Platform, cloud: Cloud) -> tuple[ServerAddress, ...]:
    """Every fixed server of a region, product by product."""
    return tuple(server for product in PRODUCTS for server in servers(platform, cloud, product))


def front_ends(region: Region, product: Product) -> tuple[str, ...]:
    """Addresses of a product's internal balancer, one a zone; a cloud whose balancer spans zones uses the first.

    Raises:
        ValueError: the product has no balancer (Boundary workers are reached one by one).
    """
    if product not in _BALANCED:
        raise ValueError(f"{product} has no balancer, so it has no front end")
    host = _FRONT_END + _BALANCED.index(product)
    return tuple(_host(region, zone, host) for zone in range(ZONES))
