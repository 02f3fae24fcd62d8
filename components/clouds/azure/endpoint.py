"""A way from the region's network to a service of Azure that has no door to the world.

Owns the two parts of it: a private zone in which the service's own name resolves inside this network, and a private
endpoint with an address in the network. One zone serves all endpoints of a service.

Dangerous edge: with the zone linked, names of the service that have no endpoint here still resolve in the world (the
service's name is an alias into the zone only for what has a private endpoint somewhere).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network, privatedns

from .place import Place


@dataclass(frozen=True)
class Service:
    """A kind of service that can be reached privately."""

    name: str
    """Of its parts."""
    group: str
    """The service's own word for what is reached."""
    zone: str
    """The service's own name: clients ask for its public name, which is an alias into this zone."""


VAULT = Service("vault", "vault", "privatelink.vaultcore.azure.net")
BLOB = Service("backups", "blob", "privatelink.blob.core.windows.net")


@dataclass(frozen=True)
class Reach:
    """What an endpoint needs of the network."""

    service: Service
    subnet: pulumi.Output[str]
    zone: privatedns.PrivateZone
    link: privatedns.VirtualNetworkLink


def reach(
    stem: str,
    place: Place,
    service: Service,
    made: network.VirtualNetwork,
    subnet: pulumi.Output[str],
    parent: pulumi.Resource,
) -> Reach:
    """The service's zone, linked to the network."""
    child = pulumi.ResourceOptions(parent=parent)
    zone = privatedns.PrivateZone(
        f"{stem}-{service.name}",
        resource_group_name=place.group,
        private_zone_name=service.zone,
        location="global",
        opts=child,
    )
    link = privatedns.VirtualNetworkLink(
        f"{stem}-{service.name}",
        resource_group_name=place.group,
        private_zone_name=zone.name,
        virtual_network_link_name=place.names.thing("network"),
        location="global",
        registration_enabled=False,
        resolution_policy="Default",
        virtual_network=privatedns.SubResourceArgs(id=made.id),
        opts=child,
    )
    return Reach(service, subnet, zone, link)


def endpoint(
    name: str, place: Place, way: Reach, target: pulumi.Output[str], parent: pulumi.Resource
) -> Sequence[pulumi.Resource]:
    """An endpoint of `target`; a machine that needs the service at boot starts after what is returned."""
    child = pulumi.ResourceOptions(parent=parent)
    service = way.service
    made = network.PrivateEndpoint(
        name,
        resource_group_name=place.group,
        private_endpoint_name=place.names.thing(service.name),
        custom_network_interface_name=place.names.thing(f"{service.name}-endpoint"),
        location=place.location,
        subnet=network.SubnetArgs(id=way.subnet),
        private_link_service_connections=[
            network.PrivateLinkServiceConnectionArgs(
                name=service.name, private_link_service_id=target, group_ids=[service.group]
            )
        ],
        opts=child,
    )
    records = network.PrivateDnsZoneGroup(
        name,
        resource_group_name=place.group,
        private_endpoint_name=made.name,
        private_dns_zone_group_name="default",
        private_dns_zone_configs=[network.PrivateDnsZoneConfigArgs(name=service.name, private_dns_zone_id=way.zone.id)],
        opts=child,
    )
    return [way.link, records]
