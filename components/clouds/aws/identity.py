"""A role for each kind of machine, with nothing but the session manager's own permissions.

Owns roles and instance profiles, and how a policy document is written. What a role may read or decrypt is
granted where the secret or the key is made (`secrets`, `seal`).

Dangerous edge: roles are global over regions, so their names carry the region.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from components.clouds.contract import IdentitiesArgs, type_token
from components.clouds.specs import identities_spec
from components.plan.spec import Role

_SESSION_MANAGER = "AmazonSSMManagedInstanceCore"
"""Sessions without SSH, keys or an open port."""

SESSION_SECONDS = 3600
"""Life of a role's credentials; machines renew theirs by themselves."""


def document(*statements: Mapping[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, sort_keys=True)


def role_name(principal: pulumi.Output[str]) -> pulumi.Output[str]:
    """The name by which a role policy is attached, from what a grant names."""
    return principal.apply(lambda arn: arn.rpartition("/")[2])


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
