"""The platform's private zone in Route 53, resolvable in this network only.

Owns nothing but the form: names, addresses and lifetime of the records come from `plan.records`.
"""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.clouds.contract import ZoneArgs, type_token
from components.clouds.specs import zone_spec
from components.plan.records import TTL_SECONDS


class Zone(pulumi.ComponentResource):
    """The zone and its records."""

    id: pulumi.Output[str]

    def __init__(self, name: str, args: ZoneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        platform = args.site.stack.platform
        spec = zone_spec(args)
        super().__init__(type_token("Zone"), name, spec, opts)
        child = pulumi.ResourceOptions(parent=self)
        zone = aws.route53.Zone(
            name,
            name=platform.domain,
            comment=f"{platform.name}, private",
            vpcs=[{"vpc_id": args.network.id}],
            force_destroy=False,
            opts=child,
        )
        for record in args.records:
            aws.route53.Record(
                f"{name}-{record.name}",
                zone_id=zone.zone_id,
                name=f"{record.name}.{platform.domain}",
                type="A",
                ttl=TTL_SECONDS,
                records=list(record.addresses),
                opts=child,
            )
        self.id = zone.zone_id
        self.register_outputs({"spec": spec, "id": self.id})
