"""Whom each server certificate names.

Owns subjects and alternative names. Keys and signatures are the lineage's.

`server.<datacenter>.consul` and `server.<region>.nomad` are what agents demand of a server
(verify_server_hostname): a certificate without its role name cannot serve, one with another role's name could
pose as it.
"""

from __future__ import annotations

from dataclasses import dataclass

from .addressing import front_ends, servers
from .flows import BALANCERS
from .naming import certificate_names
from .spec import SERVER_ROLE, Cloud, Platform, Role, product_of

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Subject:
    """What a certificate is valid for."""

    common_name: str
    dns: tuple[str, ...]
    addresses: tuple[str, ...]


def _role_name(role: Role, cloud: Cloud) -> str | None:
    return {
        "consul-server": f"server.{cloud}.consul",
        "nomad-server": f"server.{cloud}.nomad",
        "nomad-client": f"client.{cloud}.nomad",
    }.get(role)


def subject(platform: Platform, cloud: Cloud, role: Role) -> Subject:
    """The subject of a role's certificate in a region: one certificate for all servers of the cluster."""
    product = product_of(role)
    dns: list[str] = []
    addresses: list[str] = []
    if name := _role_name(role, cloud):
        dns.append(name)
    if SERVER_ROLE[product] == role:
        dns += certificate_names(platform, cloud, product)
        addresses += [server.address for server in servers(platform, cloud, product)]
        if product in BALANCERS:
            addresses += front_ends(platform.regions[cloud], product)
    return Subject(
        common_name=dns[0],
        dns=(*dns, "localhost"),
        addresses=(*addresses, _LOOPBACK),
    )
