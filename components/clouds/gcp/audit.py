"""Who did what in the project, and who spoke to whom in the network: recorded, and kept where nobody can take it away.

Owns which calls are recorded, the sink that takes records out of Cloud Logging, and the bucket they lie in. Subnets
write flow logs by themselves (`network`), firewall rules their hits (`firewall`); the retention is `plan.backup`'s.

Google always records what changes settings; reading them and touching data is recorded because it is asked for here.

Dangerous edges:
- What is recorded is the project's setting, not the region's: a second platform in the project has the same, and who
  goes first takes it along.
- Records of data access cost by volume.
- A locked bucket stands until its last record is old enough; see `storage`.
- Cloud Logging writes once an hour: what happened last is in its own bucket only.

Source: cloud-reference, "Logs and audit trail"; Cloud Logging, "Configure sinks", "Data Access audit logs".
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from components.clouds.contract import AuditArgs, type_token
from components.clouds.specs import audit_spec
from components.plan.backup import audit_retention

from .storage import kept_bucket

_RECORDED = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")
_LOGS = (
    'logName:"cloudaudit.googleapis.com"'
    ' OR log_id("compute.googleapis.com/vpc_flows")'
    ' OR log_id("compute.googleapis.com/firewall")'
)


class Audit(pulumi.ComponentResource):
    """Bucket, what is recorded, sink and its grant."""

    bucket: pulumi.Output[str]
    recovery: pulumi.Output[str] | None = None

    def __init__(self, name: str, args: AuditArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        site = args.site
        spec = audit_spec(args, site.names.bucket("audit", site.account.id))
        super().__init__(type_token("Audit"), name, spec, opts)
        child = pulumi.ResourceOptions(parent=self)
        kept = audit_retention(site.stack.platform.audit_days)
        bucket = kept_bucket(name, site, "audit", args.key, kept, twice=False, opts=child)
        gcp.projects.IAMAuditConfig(
            name,
            project=site.account.id,
            service="allServices",
            audit_log_configs=[gcp.projects.IAMAuditConfigAuditLogConfigArgs(log_type=kind) for kind in _RECORDED],
            opts=child,
        )
        sink = gcp.logging.ProjectSink(
            name,
            name=site.names.thing("audit"),
            description="Calls, flows and firewall hits",
            destination=bucket.name.apply(lambda made: f"storage.googleapis.com/{made}"),
            filter=_LOGS,
            unique_writer_identity=True,
            disabled=False,
            opts=child,
        )
        gcp.storage.BucketIAMMember(
            name,
            bucket=bucket.name,
            role="roles/storage.objectCreator",
            member=sink.writer_identity,
            opts=child,
        )
        self.bucket = bucket.name
        self.register_outputs({"spec": spec, "bucket": self.bucket})
