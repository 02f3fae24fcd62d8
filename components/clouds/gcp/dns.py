"""The platform's private zone in Cloud DNS, visible in this region's network only.

Owns the spelling of the record table on GCP: names and targets with a final dot. Which records there are is
`plan.records`; every cloud writes the same table.
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from components.clouds.contract import ZoneArgs, type_token
from components.clouds.specs import zone_spec
from components.plan.records import TTL_SECONDS


class Zone(pulumi.ComponentResource):
    """A private managed zone and its A records."""

    id: pulumi.Output[str]

    def __init__(self, name: str, args: ZoneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        domain = args.site.stack.platform.domain
        spec = zone_spec(args)
        super().__init__(type_token("Zone"), name, spec, opts)
        child = pulumi.ResourceOptions(parent=self)
        zone = gcp.dns.ManagedZone(
            name,
            name=args.site.names.dns_zone(),
            dns_name=f"{domain}.",
            description=f"Names of {args.site.stack.platform.name}, resolvable in its network only",
            visibility="private",
            force_destroy=False,
            private_visibility_config=gcp.dns.ManagedZonePrivateVisibilityConfigArgs(
                networks=[gcp.dns.ManagedZonePrivateVisibilityConfigNetworkArgs(network_url=args.network.id)]
            ),
            opts=child,
        )
        for record in args.records:
            gcp.dns.RecordSet(
                f"{name}-{record.name}",
                managed_zone=zone.name,
                name=f"{record.name}.{domain}.",
                type="A",
                ttl=TTL_SECONDS,
                rrdatas=list(record.addresses),
                opts=child,
            )
        self.id = zone.id
        self.register_outputs({"spec": spec, "id": self.id})
