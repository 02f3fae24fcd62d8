"""A role for each kind of machine, with nothing but the session manager's own permissions.

Owns roles and instance profiles, how a policy document is written, and what a machine of another cloud must prove.
What a role may read or decrypt is granted where the secret or the key is made (`secrets`, `seal`, `storage`).

Dangerous edges:
- Roles are global over regions, so their names carry the region.
- A document that names a role as its principal keeps the role's unique id: made anew, the role is a stranger to it.
  Documents that outlive roles name them in a condition instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from components.clouds.contract import Account, IdentitiesArgs, type_token
from components.clouds.specs import identities_spec
from components.plan.federation import Federated
from components.plan.spec import Role

_SESSION_MANAGER = "AmazonSSMManagedInstanceCore"
"""Sessions without SSH, keys or an open port."""

_GOOGLE = "accounts.google.com"
"""The one issuer that AWS knows without being told."""

SESSION_SECONDS = 3600
"""Life of a role's credentials; machines renew theirs by themselves."""


def document(*statements: Mapping[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, sort_keys=True)


def role_name(principal: pulumi.Output[str]) -> pulumi.Output[str]:
    """The name by which a role policy is attached, from what a grant names."""
    return principal.apply(lambda arn: arn.rpartition("/")[2])


def role_arn(account: Account, name: str) -> str:
    """ARN that a role has or will have."""
    return f"arn:{account.tenant}:iam::{account.id}:role/{name}"


def told(workload: Federated) -> bool:
    """Whether the account must be told of the workload's issuer before it can trust it."""
    return _issuer(workload) != _GOOGLE


def trusting(account: Account, workload: Federated) -> Mapping[str, Any]:
    """Statement by which a role lets a machine of another cloud assume it; its issuer must be known to the account."""
    issuer = _issuer(workload)
    claims = {f"{issuer}:aud": workload.audience, f"{issuer}:sub": workload.subject}
    principal = f"arn:{account.tenant}:iam::{account.id}:oidc-provider/{issuer}"
    if not told(workload):
        # Here `aud` is the authorised party, in a machine's token the machine's own id; `oaud` is the audience.
        claims |= {f"{issuer}:aud": workload.subject, f"{issuer}:oaud": workload.audience}
        principal = issuer
    return {
        "Effect": "Allow",
        "Principal": {"Federated": principal},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": claims},
    }


def _issuer(workload: Federated) -> str:
    return workload.issuer.removeprefix("https://")


class Identities(pulumi.ComponentResource):
    """Roles, and the instance profiles that carry them onto machines."""

    attached: Mapping[Role, pulumi.Output[str]]
    principals: Mapping[Role, pulumi.Output[str]]
    subjects: Mapping[Role, pulumi.Output[str]]

    def __init__(self, name: str, args: IdentitiesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = identities_spec(args)
        super().__init__(type_token("Identities"), name, spec, opts)
        self._prefix, self._site, self._child = name, args.site, pulumi.ResourceOptions(parent=self)
        roles: dict[Role, aws.iam.Role] = {role: self._role(role) for role in args.roles}
        self.attached = {role: self._profile(role, made) for role, made in roles.items()}
        self.principals = self.subjects = {role: made.arn for role, made in roles.items()}
        self.register_outputs({"spec": spec, "principals": self.principals})

    def _profile(self, role: Role, made: aws.iam.Role) -> pulumi.Output[str]:
        return aws.iam.InstanceProfile(
            f"{self._prefix}-{role}", name=self._site.names.identity(role), role=made.name, opts=self._child
        ).name

    def _role(self, role: Role) -> aws.iam.Role:
        made = aws.iam.Role(
            f"{self._prefix}-{role}",
            name=self._site.names.identity(role),
            description=f"Machines of the role {role}",
            assume_role_policy=document(
                {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ),
            max_session_duration=SESSION_SECONDS,
            opts=self._child,
        )
        aws.iam.RolePolicyAttachment(
            f"{self._prefix}-{role}-sessions",
            role=made.name,
            policy_arn=f"arn:{self._site.account.tenant}:iam::aws:policy/{_SESSION_MANAGER}",
            opts=self._child,
        )
        return made
