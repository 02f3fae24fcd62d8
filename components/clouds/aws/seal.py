"""Customer-managed keys, their grants, and trust in machines of other clouds.

Owns keys and who may use them. A key that must outlive its region is a multi-region key with a replica: the same
key id answers in the recovery region, so only `region` of a stanza changes there.

Grants are policies of the roles, not statements of the key's policy: a key policy keeps a role's unique id, not
its name, so a role made anew by a rebuild would be refused by the key that outlived it.

Dangerous edges:
- Whoever loses a key loses every snapshot that it seals. Keys are protected and take 30 days to die.
- Auto Scaling attaches encrypted volumes under its service-linked role, which an account has only after its
  first group. The disk key therefore admits it by name and not as a principal, which would have to exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from components.clouds.aws.identity import SESSION_SECONDS, document, role_arn, role_name, told, trusting
from components.clouds.contract import FederationArgs, KeyArgs, Site, type_token
from components.clouds.specs import federation_spec, key_spec
from components.plan.server import WEB_IDENTITY_TOKEN, KeyStanza

_WAITING_DAYS = 30
_ROTATION_DAYS = 365
_USE = ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"]


def answers(arn: str, regions: Sequence[str]) -> list[str]:
    """The key's ARN in each region where it answers: a replica differs in nothing but the region."""
    parts = arn.split(":")
    return [":".join([*parts[:3], region, *parts[4:]]) for region in regions]


def _use(key: pulumi.Output[str], regions: Sequence[str]) -> pulumi.Output[str]:
    return key.apply(
        lambda arn: document({"Effect": "Allow", "Action": _USE, "Resource": answers(arn, regions)}),
    )


def _policy(site: Site, purpose: str) -> str:
    """Who may use a key beside whom the account's own policies let: services that act for nobody."""
    administration = {
        "Sid": "AccountDecidesByItsPolicies",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{site.account.tenant}:iam::{site.account.id}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    # Buckets of backups and the database need none: whoever writes, replicates or restores uses their key himself.
    services = {"disk": _autoscaling, "audit": _recorders}
    return document(administration, *(services[purpose](site) if purpose in services else ()))


def _autoscaling(site: Site) -> Sequence[Mapping[str, Any]]:
    account = site.account
    role = role_arn(account, "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling")
    by_name = {"StringEquals": {"aws:PrincipalAccount": account.id}, "ArnEquals": {"aws:PrincipalArn": role}}
    use = {
        "Sid": "AutoScalingUsesDisks",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [*_USE, "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        "Resource": "*",
        "Condition": by_name,
    }
    attach = {
        "Sid": "AutoScalingAttachesDisks",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {**by_name, "Bool": {"kms:GrantIsForAWSResource": "true"}},
    }
    return use, attach


def _recorders(site: Site) -> Sequence[Mapping[str, Any]]:
    """The services that write records, each for this account's own alone."""
    account, region = site.account, site.stack.region.name
    ours = f"arn:{account.tenant}:{{}}:{region}:{account.id}:{{}}".format

    def records(who: str, service: str, **condition: Mapping[str, str]) -> Mapping[str, Any]:
        return {
            "Sid": who,
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": [*_USE, "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            "Resource": "*",
            "Condition": condition,
        }

    return (
        records("TrailIsWritten", "cloudtrail.amazonaws.com", ArnLike={"aws:SourceArn": ours("cloudtrail", "trail/*")}),
        records("AlarmsAreSent", "cloudwatch.amazonaws.com", ArnLike={"aws:SourceArn": ours("cloudwatch", "alarm:*")}),
        records("FlowsAreWritten", "delivery.logs.amazonaws.com", ArnLike={"aws:SourceArn": ours("logs", "*")}),
        records(
            "LogsAreKept",
            f"logs.{region}.amazonaws.com",
            ArnLike={"kms:EncryptionContext:aws:logs:arn": ours("logs", "log-group:*")},
        ),
    )


class SealKey(pulumi.ComponentResource):
    """A key, its alias, its replica and its grants."""

    id: pulumi.Output[str]
    """The ARN: what disks and secrets want to be told."""
    stanza: pulumi.Output[KeyStanza]
    usable_from: tuple[str, ...]
    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: KeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        region = args.site.stack.region
        spec = key_spec(args)
        super().__init__(type_token(args.kind), name, spec, opts)
        self.usable_from = args.usable_from
        kept = pulumi.ResourceOptions(parent=self, protect=True)
        key, replicas = self._key(name, args, kept)
        self.id = key.arn
        self.stanza = key.key_id.apply(
            lambda key_id: KeyStanza("awskms", {"region": region.name, "kms_key_id": key_id}),
        )
        # A replica is no grant, but whatever is kept in the recovery region starts with it.
        self.ready = [key, *replicas, *self._grants(name, args)]
        self.register_outputs({"spec": spec, "id": self.id})

    def _key(
        self, name: str, args: KeyArgs, kept: pulumi.ResourceOptions
    ) -> tuple[aws.kms.Key, list[aws.kms.ReplicaKey]]:
        stack, names = args.site.stack, args.site.names
        description = f"{args.purpose} of {stack.platform.name} in {stack.region.name}"
        policy = _policy(args.site, args.purpose)
        key = aws.kms.Key(
            name,
            description=description,
            key_usage="ENCRYPT_DECRYPT",
            customer_master_key_spec="SYMMETRIC_DEFAULT",
            is_enabled=True,
            enable_key_rotation=True,
            rotation_period_in_days=_ROTATION_DAYS,
            multi_region=args.recoverable,
            deletion_window_in_days=_WAITING_DAYS,
            policy=policy,
            tags={"Name": names.thing(args.purpose)},
            opts=kept,
        )
        aws.kms.Alias(name, name=names.key_alias(args.purpose), target_key_id=key.key_id, opts=kept)
        replicas = [
            aws.kms.ReplicaKey(
                f"{name}-{region}",
                region=region,
                primary_key_arn=key.arn,
                description=description,
                enabled=True,
                deletion_window_in_days=_WAITING_DAYS,
                policy=policy,
                tags={"Name": names.thing(args.purpose)},
                opts=kept,
            )
            for region in self.usable_from[1:]
        ]
        return key, replicas

    def _grants(self, name: str, args: KeyArgs) -> list[pulumi.Resource]:
        return [
            aws.iam.RolePolicy(
                f"{name}-{role}",
                name=f"use-{args.purpose}",
                role=role_name(args.identities.principals[role]),
                policy=_use(self.id, self.usable_from),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for role in args.users
        ]


class Federation(pulumi.ComponentResource):
    """A role that Boundary workers of other clouds assume with their machine's own token."""

    trust: Sequence[pulumi.Resource]
    stanza: pulumi.Output[KeyStanza]

    def __init__(self, name: str, args: FederationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = federation_spec(args)
        super().__init__(type_token("Federation"), name, spec, opts)
        self._prefix, self._child = name, pulumi.ResourceOptions(parent=self)
        role = f"{args.site.names.identity('boundary-worker')}-peers"
        # Planned, so that workers of other clouds are told the same before and after the role exists. It cannot
        # exist without them: a role has to trust someone.
        arn = role_arn(args.site.account, role)
        self.trust = [
            aws.iam.OpenIdConnectProvider(
                f"{name}-{cloud}", url=workload.issuer, client_id_lists=[workload.audience], opts=self._child
            )
            for cloud, workload in sorted(args.workloads.items())
            if told(workload)
        ]
        if args.workloads:
            self._role(role, args)
        self.stanza = args.key.stanza.apply(
            lambda own: KeyStanza(
                own.kind, {**own.attributes, "role_arn": arn, "web_identity_token_file": WEB_IDENTITY_TOKEN}
            )
        )
        self.register_outputs({"spec": spec})

    def _role(self, role: str, args: FederationArgs) -> None:
        made = aws.iam.Role(
            self._prefix,
            name=role,
            description="Boundary workers of the other clouds",
            assume_role_policy=document(
                *(trusting(args.site.account, workload) for _, workload in sorted(args.workloads.items()))
            ),
            max_session_duration=SESSION_SECONDS,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(self.trust)),
        )
        aws.iam.RolePolicy(
            self._prefix,
            name="use-worker-auth",
            role=made.name,
            policy=_use(args.key.id, args.key.usable_from),
            opts=self._child,
        )
