"""Who did what in the account, and who spoke to whom in the network, where nobody can change it.

Owns the trail, the network's flow log and their bucket; what a bucket of the lineage is like stands in `bucket`.

The trail records every call in every region, reads included, and each touch of a backup: object by object, in the bucket
and in its replica. It is signed, so that a gap shows.

Dangerous edges:
- Whoever writes here is a service. Each is let in for this account's own trail and logs alone, or anybody's account could
  write into this bucket by naming it.
- The service tests the bucket's policy and the key's when the trail is made, and refuses: the trail comes after both.
- The bucket stays when the region goes; the trail does not, since it would record into a region that is no more.

Source: CloudTrail user guide, "S3 bucket policy", "Configure KMS key policies"; VPC guide, "Flow logs to S3".
"""

from __future__ import annotations

from collections.abc import Iterator

import pulumi
import pulumi_aws as aws

from components.clouds.aws.bucket import BucketArgs, LockedBucket, Statement, bucket_arn, locked_bucket
from components.clouds.contract import AuditArgs, type_token
from components.clouds.specs import audit_spec
from components.plan.backup import audit_retention

_PURPOSE = "audit"
_TRAIL, _DELIVERY = "cloudtrail.amazonaws.com", "delivery.logs.amazonaws.com"
_FLOW_SECONDS = 60


class Audit(pulumi.ComponentResource):
    """Bucket, trail and flow log."""

    bucket: pulumi.Output[str]
    recovery: pulumi.Output[str] | None = None

    def __init__(self, name: str, args: AuditArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        site = args.site
        self._called = site.names.bucket(_PURPOSE, site.account.id)
        spec = audit_spec(args, self._called)
        super().__init__(type_token("Audit"), name, spec, opts)
        self._prefix, self._args = name, args
        made = self._bucket()
        after = pulumi.ResourceOptions(parent=self, depends_on=list(made.ready))
        self._trail(made, after)
        aws.ec2.FlowLog(
            f"{name}-flows",
            vpc_id=args.network.id,
            traffic_type="ALL",
            log_destination_type="s3",
            log_destination=made.name.apply(lambda called: bucket_arn(site.account, called)),
            max_aggregation_interval=_FLOW_SECONDS,
            tags={"Name": site.names.thing("flows")},
            opts=after,
        )
        self.bucket = made.name
        self.register_outputs({"spec": spec, "bucket": self.bucket})

    def _bucket(self) -> LockedBucket:
        args, platform = self._args, self._args.site.stack.platform
        return locked_bucket(
            self._prefix,
            BucketArgs(
                account=args.site.account,
                name=self._called,
                region=args.site.stack.region.name,
                key=args.key.id,
                retention=audit_retention(platform.audit_days),
                lock=platform.backup.lock,
                statements=list(self._admitted()),
            ),
            pulumi.ResourceOptions(parent=self, protect=True, depends_on=list(args.key.ready)),
        )

    def _trail_name(self) -> str:
        return self._args.site.names.thing("trail")

    def _admitted(self) -> Iterator[Statement]:
        """The two services that write, each below its own names."""
        account, region = self._args.site.account, self._args.site.stack.region.name
        arn = bucket_arn(account, self._called)
        sources = {
            _TRAIL: f"arn:{account.tenant}:cloudtrail:{region}:{account.id}:trail/{self._trail_name()}",
            _DELIVERY: f"arn:{account.tenant}:logs:{region}:{account.id}:*",
        }
        # Logs are delivered for an account, too; the trail says whose it is by its ARN alone.
        accounts = {_TRAIL: {}, _DELIVERY: {"aws:SourceAccount": account.id}}
        for service, source in sources.items():
            who = {"Effect": "Allow", "Principal": {"Service": service}}
            ours: dict[str, dict[str, str]] = {"ArnLike": {"aws:SourceArn": source}}
            if accounts[service]:
                ours["StringEquals"] = accounts[service]
            yield {**who, "Action": "s3:GetBucketAcl", "Resource": arn, "Condition": ours}
            owned = {**accounts[service], "s3:x-amz-acl": "bucket-owner-full-control"}
            yield {
                **who,
                "Action": "s3:PutObject",
                "Resource": f"{arn}/AWSLogs/{account.id}/*",
                "Condition": {**ours, "StringEquals": owned},
            }

    def _trail(self, made: LockedBucket, after: pulumi.ResourceOptions) -> None:
        args = self._args
        account = args.site.account
        watched = [
            bucket.apply(lambda called: f"{bucket_arn(account, called)}/")
            for bucket in (args.backup.name, args.backup.replica)
        ]
        aws.cloudtrail.Trail(
            self._prefix,
            name=self._trail_name(),
            s3_bucket_name=made.name,
            kms_key_id=args.key.id,
            enable_logging=True,
            enable_log_file_validation=True,
            is_multi_region_trail=True,
            include_global_service_events=True,
            event_selectors=[
                {
                    "read_write_type": "All",
                    "include_management_events": True,
                    "data_resources": [{"type": "AWS::S3::Object", "values": watched}],
                }
            ],
            tags={"Name": self._trail_name()},
            opts=after,
        )
