"""The region's secrets in Secrets Manager, each readable by its readers alone.

Owns entries, their values' versions and the grants to read them; which entries there are and who reads them
stands in `plan.secrets`. Where the key answers in the recovery region, so do the entries.

Dangerous edges:
- A deleted entry holds its name for 30 days; entries are protected, so a rebuild finds them.
- Values are secret inputs and never leave this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from components.clouds.aws.identity import document, role_name
from components.clouds.aws.seal import answers
from components.clouds.contract import SecretStoreArgs, type_token
from components.clouds.specs import secret_store_spec
from components.plan.spec import ROLES, Role

_RECOVERY_DAYS = 30


class SecretStore(pulumi.ComponentResource):
    """Entries, values and grants."""

    ids: Mapping[str, pulumi.Output[str]]
    ready: Sequence[pulumi.Resource]

    def __init__(self, name: str, args: SecretStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = secret_store_spec(args)
        super().__init__(type_token("SecretStore"), name, spec, opts)
        self._prefix, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        secrets = {entry: self._secret(entry) for entry in args.entries}
        self.ids = {entry: secret.arn for entry, secret in secrets.items()}
        versions = [self._value(entry, secret) for entry, secret in secrets.items()]
        readable: dict[Role, list[str]] = {
            role: [name for name, entry in args.entries.items() if role in entry.readers] for role in ROLES
        }
        grants = [self._grant(role, entries) for role, entries in readable.items() if entries]
        self.ready = [*versions, *grants]
        self.register_outputs({"spec": spec, "ids": self.ids})

    def _secret(self, entry: str) -> aws.secretsmanager.Secret:
        site, key = self._args.site, self._args.key
        return aws.secretsmanager.Secret(
            f"{self._prefix}-{entry}",
            name=site.names.secret(entry),
            description=f"{entry} of {site.stack.platform.name}",
            kms_key_id=key.id,
            recovery_window_in_days=_RECOVERY_DAYS,
            replicas=[
                {"region": region, "kms_key_id": key.id.apply(lambda arn, region=region: answers(arn, [region])[0])}
                for region in key.usable_from[1:]
            ],
            opts=pulumi.ResourceOptions(parent=self, protect=True, depends_on=list(key.ready)),
        )

    def _value(self, entry: str, secret: aws.secretsmanager.Secret) -> aws.secretsmanager.SecretVersion:
        return aws.secretsmanager.SecretVersion(
            f"{self._prefix}-{entry}",
            secret_id=secret.id,
            secret_string=pulumi.Output.secret(self._args.entries[entry].value),
            opts=self._child,
        )

    def _grant(self, role: Role, readable: list[str]) -> aws.iam.RolePolicy:
        args = self._args
        service = f"secretsmanager.{args.site.stack.region.name}.amazonaws.com"
        policy = pulumi.Output.all(key=args.key.id, entries=[self.ids[entry] for entry in readable]).apply(
            lambda known: document(
                {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": known["entries"]},
                {
                    "Effect": "Allow",
                    "Action": "kms:Decrypt",
                    "Resource": known["key"],
                    "Condition": {"StringEquals": {"kms:ViaService": service}},
                },
            )
        )
        return aws.iam.RolePolicy(
            f"{self._prefix}-{role}",
            name=f"read-{self._prefix}",
            role=role_name(args.identities.principals[role]),
            policy=policy,
            opts=self._child,
        )
