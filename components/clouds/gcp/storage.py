"""The bucket of the region's backups: who may write below which names, and who may read.

Owns the bucket with its lock and lifecycle, the writers' grants, the trust in other clouds' machines that write their
second copies here, and the restorer. Names of objects and retention are `plan.backup`; the key is `seal`'s.

The bucket lies in two regions at once: every object is in the recovery region within a quarter of an hour, under the
same name, so that the replica is the bucket itself and needs no second set of grants.

A writer may create objects whose names begin as its sets do. It cannot overwrite one, since that takes the right to
delete; nor list or read. Google encrypts and decrypts for whoever may touch an object, so nobody has a grant on the key.

Each foreign cloud has a pool of its own, so that a subject of one can never be taken for another's.

Dangerous edges:
- A locked retention policy is for ever: it can be made longer, and the bucket goes only when every object in it is
  older than that. Google puts a lien on the project for as long.
- A retention policy and versions were exclusive for years. Where an organisation's project still refuses both, names
  are unique anyway and the lock alone keeps them.
- Google keeps the name of a deleted pool or provider for 30 days. The pool's name therefore ends at random, once for
  each time that it is built; the peer learns the new one from the manifest.
- A condition that nobody fulfils is accepted silently: a prefix is compared with the whole path of the object.

Source: cloud-reference, "Backup bucket"; Cloud Storage, "Bucket locations", "Bucket Lock"; IAM, "Workload Identity
Federation".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

from components.clouds.contract import BackupArgs, Key, Site, type_token
from components.clouds.specs import backup_bucket_spec
from components.plan.backup import RESTORER, WRITING_ROLES, Retention, prefixes, retention
from components.plan.federation import TRUSTED, Federated
from components.plan.spec import Cloud, Role

from .seal import multi_region

_DAY = 86400
_CREATE, _READ = "roles/storage.objectCreator", "roles/storage.objectViewer"
_LOCATIONS = {"us": "US", "europe": "EU", "asia": "ASIA"}
"""Where Cloud Storage keeps what lies in two regions, by the multi-region of the key."""
_SOFT_DELETE_DAYS = 7, 90
"""Least and most that Google keeps what was deleted."""
_ABORT_DAYS = 7
"""An upload in parts that nobody has finished by then is nobody's."""
_RANDOM_BYTES = 3

_SIGNED_REQUEST = "urn:ietf:params:aws:token-type:aws4_request"
_JWT = "urn:ietf:params:oauth:token-type:jwt"
"""What a machine proves itself with."""


def below(bucket: str, names: Sequence[str]) -> str:
    """The condition under which a grant on the bucket holds: the object's name begins with one of `names`."""
    return " || ".join(f'resource.name.startsWith("projects/_/buckets/{bucket}/objects/{name}")' for name in names)


def kept_bucket(
    name: str, site: Site, purpose: str, key: Key, kept: Retention, *, twice: bool, opts: pulumi.ResourceOptions
) -> gcp.storage.Bucket:
    """A bucket that holds what is put into it for the retention, in the region alone or in its recovery region too.

    Args:
        name: in the program.
        site: where it is built.
        purpose: in the bucket's name.
        key: what encrypts it.
        kept: lock and lifecycle.
        twice: whether every object also lies in the recovery region.
        opts: whose child it is.
    """
    region = site.stack.region
    least, most = _SOFT_DELETE_DAYS
    placed = gcp.storage.BucketCustomPlacementConfigArgs(data_locations=[region.name.upper(), region.recovery.upper()])
    return gcp.storage.Bucket(
        name,
        name=site.names.bucket(purpose, site.account.id),
        location=_LOCATIONS[multi_region(region)] if twice else region.name.upper(),
        custom_placement_config=placed if twice else None,
        rpo="ASYNC_TURBO" if twice else None,
        storage_class="STANDARD",
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        versioning=gcp.storage.BucketVersioningArgs(enabled=True),
        retention_policy=gcp.storage.BucketRetentionPolicyArgs(
            retention_period=str(kept.lock_days * _DAY), is_locked=site.stack.platform.backup.lock == "compliance"
        ),
        # Where the lock is not for ever, this is what a mistaken administrator has left.
        soft_delete_policy=gcp.storage.BucketSoftDeletePolicyArgs(
            retention_duration_seconds=min(max(kept.lock_days, least), most) * _DAY
        ),
        lifecycle_rules=_lifecycle(kept),
        encryption=gcp.storage.BucketEncryptionArgs(default_kms_key_name=key.id),
        force_destroy=False,
        # Google tries the key before it makes the bucket.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(protect=True, depends_on=list(key.ready))),
    )


def _lifecycle(kept: Retention) -> list[gcp.storage.BucketLifecycleRuleArgs]:
    def rule(action: str, days: int, state: str | None, to: str | None = None) -> gcp.storage.BucketLifecycleRuleArgs:
        return gcp.storage.BucketLifecycleRuleArgs(
            action=gcp.storage.BucketLifecycleRuleActionArgs(type=action, storage_class=to),
            condition=gcp.storage.BucketLifecycleRuleConditionArgs(age=days, with_state=state),
        )

    # A superseded version goes when it would have gone anyway: by its own age, and so never within the lock.
    rules = [rule("Delete", kept.expire_days, "ANY"), rule("AbortIncompleteMultipartUpload", _ABORT_DAYS, None)]
    return rules if kept.cold_days is None else [rule("SetStorageClass", kept.cold_days, "ANY", "COLDLINE"), *rules]


class Backup(pulumi.ComponentResource):
    """Bucket, grants, pools and providers, restorer."""

    # `name` is declared by the first assignment: the spec has a key of that word, see `specs`.
    attributes: pulumi.Output[Mapping[str, str]]
    replica: pulumi.Output[str]
    restorer: pulumi.Output[str]
    writers: Mapping[Cloud, Mapping[Role, pulumi.Output[Mapping[str, str]]]]

    def __init__(self, name: str, args: BackupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = backup_bucket_spec(args, args.site.names.bucket("backups", args.site.account.id))
        super().__init__(type_token("BackupBucket"), name, spec, opts)
        self._name, self._args, self._site = name, args, args.site
        self._child = pulumi.ResourceOptions(parent=self)
        kept = retention(self._site.stack.platform.backup)
        self._bucket = kept_bucket(name, self._site, "backups", args.key, kept, twice=True, opts=self._child)
        self.name = self.replica = self._bucket.name
        self.attributes = self._bucket.name.apply(lambda bucket: {"bucket": bucket})
        for role in WRITING_ROLES:
            self._let_write(role, args.identities.principals[role], prefixes(role, self._site.stack.cloud))
        self.writers = {cloud: self._trust(cloud, roles) for cloud, roles in args.foreign.items()}
        self.restorer = self._restorer()
        self.register_outputs({"spec": spec, "bucket": self.name, "restorer": self.restorer})

    def _let_write(self, purpose: str, member: pulumi.Output[str], names: Sequence[str]) -> None:
        gcp.storage.BucketIAMMember(
            f"{self._name}-{purpose}",
            bucket=self._bucket.name,
            role=_CREATE,
            member=member,
            condition=gcp.storage.BucketIAMMemberConditionArgs(
                title="own-backups",
                description="Objects of the writer's own sets",
                expression=self._bucket.name.apply(lambda bucket: below(bucket, names)),
            ),
            opts=self._child,
        )

    def _restorer(self) -> pulumi.Output[str]:
        account = gcp.serviceaccount.Account(
            f"{self._name}-restorer",
            account_id=self._site.names.thing(RESTORER),
            display_name=f"{self._site.stack.platform.name} {RESTORER}",
            # Whoever restores is given the right to act as it for as long.
            description="Reads backups; no machine has it and nobody may act as it until granted",
            disabled=False,
            opts=self._child,
        )
        gcp.storage.BucketIAMMember(
            f"{self._name}-restorer", bucket=self._bucket.name, role=_READ, member=account.member, opts=self._child
        )
        return account.email

    def _trust(self, cloud: Cloud, roles: Mapping[Role, Federated]) -> Mapping[Role, pulumi.Output[Mapping[str, str]]]:
        """Let another cloud's machines in, each below its own names; how they get in, by role."""
        number, pool = self._site.account.tenant, self._pool(cloud)
        provider = self._admit(cloud, pool, list(roles.values()))
        for role, workload in roles.items():
            member = pool.workload_identity_pool_id.apply(lambda made, who=workload: _member(number, made, who))
            self._let_write(f"{cloud}-{role}", member, prefixes(role, cloud))
        proof = _SIGNED_REQUEST if cloud == "aws" else _JWT
        way = provider.name.apply(
            lambda made: {
                "provider": f"//iam.googleapis.com/{made}",
                "subject_token_type": proof,
                "audience": TRUSTED[cloud, self._site.stack.cloud],
            }
        )
        return dict.fromkeys(roles, way)

    def _pool(self, cloud: Cloud) -> gcp.iam.WorkloadIdentityPool:
        ending = random.RandomId(f"{self._name}-{cloud}", byte_length=_RANDOM_BYTES, opts=self._child)
        return gcp.iam.WorkloadIdentityPool(
            f"{self._name}-{cloud}",
            workload_identity_pool_id=ending.hex.apply(lambda made: self._site.names.thing(f"{cloud}-{made}")),
            display_name=f"{cloud} machines",
            description=f"Machines of {cloud} whose second copies lie here",
            disabled=False,
            opts=self._child,
        )

    def _admit(
        self, cloud: Cloud, pool: gcp.iam.WorkloadIdentityPool, workloads: Sequence[Federated]
    ) -> gcp.iam.WorkloadIdentityPoolProvider:
        names = ", ".join(f"'{subject(workload)}'" for workload in workloads)
        first = workloads[0]
        return gcp.iam.WorkloadIdentityPoolProvider(
            f"{self._name}-{cloud}",
            workload_identity_pool_id=pool.workload_identity_pool_id,
            workload_identity_pool_provider_id=self._site.names.thing(cloud),
            display_name=f"{cloud} machines",
            attribute_mapping=_AWS_MAPPING if cloud == "aws" else _JWT_MAPPING,
            attribute_condition=f"{'attribute.aws_role' if cloud == 'aws' else 'google.subject'} in [{names}]",
            aws=gcp.iam.WorkloadIdentityPoolProviderAwsArgs(account_id=first.issuer) if cloud == "aws" else None,
            oidc=None
            if cloud == "aws"
            else gcp.iam.WorkloadIdentityPoolProviderOidcArgs(
                issuer_uri=first.issuer, allowed_audiences=[first.audience]
            ),
            disabled=False,
            opts=self._child,
        )


_AWS_MAPPING = {
    "google.subject": "assertion.arn",
    # The session that a machine signs with is `arn:aws:sts::<account>:assumed-role/<role>/<machine>`.
    "attribute.aws_role": "assertion.arn.extract('assumed-role/{role}/')",
}
_JWT_MAPPING = {"google.subject": "assertion.sub"}


def subject(workload: Federated) -> str:
    """What a machine is known by in the pool: the role's name for AWS, whose sessions have no path; else the subject."""
    return workload.subject.rpartition("/")[2] if workload.cloud == "aws" else workload.subject


def _member(number: str, pool: str, workload: Federated) -> str:
    """The principal that a grant names."""
    path = f"iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/{pool}"
    if workload.cloud == "aws":
        return f"principalSet://{path}/attribute.aws_role/{subject(workload)}"
    return f"principal://{path}/subject/{subject(workload)}"
