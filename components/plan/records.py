"""The record table of the platform's private zone.

Every cloud writes the same zone from this one table, so that names resolve inside each region without
forwarding and without a peer's help. Addresses are planned, so the table needs no cloud either.
"""

from __future__ import annotations

from dataclasses import dataclass

from .addressing import all_servers, front_ends
from .flows import BALANCERS
from .naming import service_label
from .spec import Cloud, Platform, Product, cluster_name

TTL_SECONDS = 60
"""A cut-over after a recovery must reach clients within a minute (recovery order, step 11)."""


@dataclass(frozen=True)
class Record:
    """One A record; `name` is relative to the platform's domain."""

    name: str
    addresses: tuple[str, ...]


def _front_ends(platform: Platform, cloud: Cloud, product: Product) -> tuple[str, ...]:
    addresses = front_ends(platform.regions[cloud], product)
    # Only AWS gives a balancer one address a zone; elsewhere one address spans the zones.
    return addresses if cloud == "aws" else addresses[:1]


def records(platform: Platform) -> tuple[Record, ...]:
    """Services, their aliases on the primary, and every fixed server of every region."""
    table: dict[str, tuple[str, ...]] = {}
    for cloud in platform.clouds:
        for product in BALANCERS:
            addresses = _front_ends(platform, cloud, product)
            table[cluster_name(product, cloud)] = addresses
            table[service_label(product, cloud, platform.primary)] = addresses
            if cloud == platform.primary:
                table[f"{product}-primary"] = addresses
        for server in all_servers(platform, cloud):
            table[server.name] = (server.address,)
    return tuple(Record(name, addresses) for name, addresses in table.items())


def endpoint(platform: Platform, cloud: Cloud, product: Product) -> str:
    """The URL of a cluster's API, by the name that the runbook uses."""
    port = BALANCERS[product].listeners[0].front
    return f"https://{service_label(product, cloud, platform.primary)}.{platform.domain}:{port}"
