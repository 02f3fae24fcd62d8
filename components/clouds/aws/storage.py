"""The bucket of the region's backups, its replica in the recovery region, and who may touch them.

Owns both buckets, replication, and the rights of writers and of the restorer. What a bucket of the lineage is like stands
in `bucket`; names of objects and who writes them in `plan.backup`.

A writer creates objects below its own sets, and that is all. It cannot replace one either: the bucket's policy demands of
every upload that no object of that name be there (`If-None-Match: *`). That forbids uploads in parts, which could not be
asked so part by part; a snapshot goes up in one piece, of five gigabytes at most. It also spares writers the right to
decrypt, which S3 demands for parts under a customer's key.

Machines of another cloud assume a role each, by their own tokens; nobody holds a static key.

Dangerous edges:
- The bucket outlives every role. Its policy therefore names roles in conditions, by planned ARNs: one made anew by a
  rebuild is denied as the old one was.
- Replication starts with objects written after it, and takes no markers along: a deletion here is none there.

Source: S3 user guide, "Enforce conditional writes", "Replicating encrypted objects", "Setting up permissions for
replication"; runbook-conformance RB-049 to RB-055.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from components.clouds.aws.bucket import BucketArgs, LockedBucket, Statement, bucket_arn, locked_bucket
from components.clouds.aws.identity import SESSION_SECONDS, document, role_arn, role_name, trusting
from components.clouds.aws.seal import answers
from components.clouds.contract import BackupArgs, type_token
from components.clouds.specs import backup_bucket_spec
from components.plan.backup import RESTORER, WRITING_ROLES, prefixes, retention
from components.plan.federation import TRUSTED, Federated
from components.plan.spec import Cloud, Role

_PURPOSE, _REPLICA = "backups", "backups-replica"
_REPLICATION = "backup-replication"
_REPLICATION_MINUTES = 15
"""The one figure that S3 promises; its metrics say when it is missed."""
_CHANGES = [
    "s3:DeleteObject*",
    "s3:PutObjectRetention",
    "s3:PutObjectLegalHold",
    "s3:BypassGovernanceRetention",
    "s3:PutObjectAcl",
    "s3:PutBucketVersioning",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration",
    "s3:PutEncryptionConfiguration",
    "s3:PutBucketPolicy",
    "s3:DeleteBucket*",
]
"""All that could take an object away, early or late. No administrator needs them by a writer's role."""


def _writer(site_role: str, cloud: Cloud, own: Cloud) -> str:
    """Name of the role by which machines of a cloud write: their own, or one that they assume."""
    return site_role if cloud == own else f"{site_role}-{cloud}"


class Backup(pulumi.ComponentResource):
    """Bucket, replica, writers, restorer."""

    # No `name` among these: it is a key of the spec, and Pulumi would take the one for the other.
    attributes: pulumi.Output[Mapping[str, str]]
    replica: pulumi.Output[str]
    restorer: pulumi.Output[str]
    writers: Mapping[Cloud, Mapping[Role, pulumi.Output[Mapping[str, str]]]]

    def __init__(self, name: str, args: BackupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        site = args.site
        self._called = site.names.bucket(_PURPOSE, site.account.id)
        self._copy_called = site.names.bucket(_REPLICA, site.account.id)
        spec = backup_bucket_spec(args, self._called)
        super().__init__(type_token("BackupBucket"), name, spec, opts)
        self._prefix, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        region = site.stack.region
        made = self._bucket(name, self._called, region.name)
        copy = self._bucket(f"{name}-replica", self._copy_called, region.recovery)
        self._replication(made, copy)
        for role in WRITING_ROLES:
            granted = role_name(args.identities.principals[role])
            self._grant(f"{name}-{role}", "write-backups", granted, self._writing(role, site.stack.cloud))
        self.writers = {
            cloud: {role: self._foreign(cloud, role, workload) for role, workload in roles.items()}
            for cloud, roles in args.foreign.items()
        }
        self.name: pulumi.Output[str] = made.name
        self.attributes = made.name.apply(lambda bucket: {"bucket": bucket, "region": region.name})
        self.replica = copy.name
        self.restorer = self._restorer()
        self.register_outputs({"spec": spec, "attributes": self.attributes, "replica": self.replica})

    def _bucket(self, logical: str, called: str, region: str) -> LockedBucket:
        args = self._args
        policy = args.site.stack.platform.backup
        kept = pulumi.ResourceOptions(parent=self, protect=True, depends_on=list(args.key.ready))
        key = args.key.id.apply(lambda arn: answers(arn, [region])[0])
        return locked_bucket(
            logical,
            BucketArgs(
                args.site.account, called, region, key, retention(policy), policy.lock, list(self._limits(called))
            ),
            kept,
        )

    def _limits(self, called: str) -> Iterator[Statement]:
        """What no writer may do, whatever its own policies say; the same in every pass."""
        stack, names, account = self._args.site.stack, self._args.site.names, self._args.site.account
        copies = stack.platform.backup.copies
        sources: list[Cloud] = [stack.cloud, *(source for source in copies if copies[source] == stack.cloud)]
        writers = [
            role_arn(account, _writer(names.identity(role), cloud, stack.cloud))
            for cloud in sources
            for role in WRITING_ROLES
        ]
        arn = bucket_arn(account, called)
        writing = {"ArnEquals": {"aws:PrincipalArn": writers}}
        yield {
            "Sid": "WritersTakeNothingAway",
            "Effect": "Deny",
            "Principal": "*",
            "Action": _CHANGES,
            "Resource": [arn, f"{arn}/*"],
            "Condition": writing,
        }
        yield {
            "Sid": "WritersReplaceNothing",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": f"{arn}/*",
            "Condition": {**writing, "Null": {"s3:if-none-match": "true"}},
        }

    def _via_s3(self, *regions: str) -> Mapping[str, Mapping[str, list[str]]]:
        """A key may be used in S3's hands alone."""
        return {"StringEquals": {"kms:ViaService": [f"s3.{region}.amazonaws.com" for region in regions]}}

    def _grant(self, logical: str, purpose: str, role: pulumi.Input[str], policy: pulumi.Input[str]) -> None:
        aws.iam.RolePolicy(logical, name=purpose, role=role, policy=policy, opts=self._child)

    def _writing(self, role: Role, cloud: Cloud) -> pulumi.Output[str]:
        """Create below the role's own sets, encrypted by the bucket's key."""
        region = self._args.site.stack.region.name
        arn = bucket_arn(self._args.site.account, self._called)
        return self._args.key.id.apply(
            lambda key: document(
                {
                    "Effect": "Allow",
                    "Action": "s3:PutObject",
                    "Resource": [f"{arn}/{prefix}*" for prefix in prefixes(role, cloud)],
                },
                {
                    "Effect": "Allow",
                    "Action": "kms:GenerateDataKey",
                    "Resource": key,
                    "Condition": self._via_s3(region),
                },
            )
        )

    def _role(
        self, logical: str, called: str, description: str, *trusted: Statement, after: bool = False
    ) -> aws.iam.Role:
        return aws.iam.Role(
            logical,
            name=called,
            description=description,
            assume_role_policy=document(*trusted),
            max_session_duration=SESSION_SECONDS,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(self._args.trust) if after else None),
        )

    def _foreign(self, cloud: Cloud, role: Role, workload: Federated) -> pulumi.Output[Mapping[str, str]]:
        """A role for the machines of another cloud."""
        site, logical = self._args.site, f"{self._prefix}-{cloud}-{role}"
        made = self._role(
            logical,
            _writer(site.names.identity(role), cloud, site.stack.cloud),
            f"Second copies of {cloud}, role {role}",
            trusting(site.account, workload),
            after=True,
        )
        self._grant(logical, "write-backups", made.name, self._writing(role, cloud))
        audience = TRUSTED[cloud, site.stack.cloud]
        return made.arn.apply(lambda arn: {"role_arn": arn, "audience": audience})

    def _restorer(self) -> pulumi.Output[str]:
        """A role for people whom the account lets assume it; no machine is among them."""
        args, region = self._args, self._args.site.stack.region
        account = args.site.account
        made = self._role(
            f"{self._prefix}-restorer",
            f"{args.site.names.thing(RESTORER)}-{region.name}",
            "Reads backups, to restore them",
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{account.tenant}:iam::{account.id}:root"},
                "Action": "sts:AssumeRole",
            },
        )
        buckets = [bucket_arn(account, called) for called in (self._called, self._copy_called)]
        places = (region.name, region.recovery)
        policy = args.key.id.apply(
            lambda key: document(
                {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:ListBucketVersions"], "Resource": buckets},
                {
                    "Effect": "Allow",
                    "Action": ["s3:GetObject", "s3:GetObjectVersion"],
                    "Resource": [f"{bucket}/*" for bucket in buckets],
                },
                {
                    "Effect": "Allow",
                    "Action": "kms:Decrypt",
                    "Resource": answers(key, places),
                    "Condition": self._via_s3(*places),
                },
            )
        )
        self._grant(f"{self._prefix}-restorer", "read-backups", made.name, policy)
        return made.arn

    def _replication(self, made: LockedBucket, copy: LockedBucket) -> None:
        """Every object into the replica, under the key's own there. Not protected: it ends with the region that writes."""
        args, region = self._args, self._args.site.stack.region
        account = args.site.account
        source, target = (bucket_arn(account, called) for called in (self._called, self._copy_called))
        role = self._role(
            f"{self._prefix}-replication",
            f"{args.site.names.thing(_REPLICATION)}-{region.name}",
            "Replicates backups",
            {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"},
        )
        policy = args.key.id.apply(
            lambda key: document(
                {
                    "Effect": "Allow",
                    "Action": ["s3:GetReplicationConfiguration", "s3:ListBucket"],
                    "Resource": source,
                },
                {
                    "Effect": "Allow",
                    "Action": [
                        "s3:GetObjectVersionForReplication",
                        "s3:GetObjectVersionAcl",
                        "s3:GetObjectVersionTagging",
                        "s3:GetObjectRetention",
                        "s3:GetObjectLegalHold",
                    ],
                    "Resource": f"{source}/*",
                },
                {"Effect": "Allow", "Action": ["s3:ReplicateObject", "s3:ReplicateTags"], "Resource": f"{target}/*"},
                {
                    "Effect": "Allow",
                    "Action": "kms:Decrypt",
                    "Resource": key,
                    "Condition": self._via_s3(region.name),
                },
                {
                    "Effect": "Allow",
                    "Action": ["kms:Encrypt", "kms:GenerateDataKey"],
                    "Resource": answers(key, [region.recovery]),
                    "Condition": self._via_s3(region.recovery),
                },
            )
        )
        self._grant(f"{self._prefix}-replication", "replicate-backups", role.name, policy)
        # Typed dictionaries of this depth are more than the checker follows.
        destination: Any = {
            "bucket": copy.name.apply(lambda called: bucket_arn(account, called)),
            "storage_class": "STANDARD",
            "encryption_configuration": {
                "replica_kms_key_id": args.key.id.apply(lambda key: answers(key, [region.recovery])[0])
            },
            "replication_time": {"status": "Enabled", "time": {"minutes": _REPLICATION_MINUTES}},
            "metrics": {"status": "Enabled", "event_threshold": {"minutes": _REPLICATION_MINUTES}},
        }
        aws.s3.BucketReplicationConfig(
            f"{self._prefix}-replication",
            bucket=made.name,
            role=role.arn,
            rules=[
                {
                    "id": "recovery",
                    "status": "Enabled",
                    "priority": 0,
                    "filter": {"prefix": ""},
                    "delete_marker_replication": {"status": "Disabled"},
                    "source_selection_criteria": {"sse_kms_encrypted_objects": {"status": "Enabled"}},
                    "destination": destination,
                }
            ],
            opts=self._child,
        )
