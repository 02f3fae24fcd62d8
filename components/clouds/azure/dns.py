"""The private zone: the platform's record table, resolvable in this network only.

Every region writes the same table, so no region needs another's to resolve a name.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import privatedns

from components.clouds.contract import ZoneArgs
from components.clouds.specs import zone_spec
from components.plan.records import TTL_SECONDS

from .component import Component
from .place import Place, own


class Zone(Component):
    """One private zone, linked to the region's network."""

    id: pulumi.Output[str]

    def __init__(self, name: str, args: ZoneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = own(Place, args.site)
        domain = place.stack.platform.domain
        spec = zone_spec(args)
        super().__init__("Zone", name, spec, opts)
        child = pulumi.ResourceOptions(parent=self)
        zone = privatedns.PrivateZone(
            name, resource_group_name=place.group, private_zone_name=domain, location="global", opts=child
        )
        privatedns.VirtualNetworkLink(
            name,
            resource_group_name=place.group,
            private_zone_name=zone.name,
            virtual_network_link_name=place.names.thing("network"),
            location="global",
            registration_enabled=False,
            resolution_policy="Default",
            virtual_network=privatedns.SubResourceArgs(id=args.network.id),
            opts=child,
        )
        for record in args.records:
            privatedns.PrivateRecordSet(
                f"{name}-{record.name}",
                resource_group_name=place.group,
                private_zone_name=zone.name,
                relative_record_set_name=record.name,
                record_type="A",
                ttl=TTL_SECONDS,
                a_records=[privatedns.ARecordArgs(ipv4_address=address) for address in record.addresses],
                opts=child,
            )
        self.id = zone.id
        self.register_outputs({"spec": spec, "id": self.id})
