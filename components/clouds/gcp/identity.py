"""A service account for each role: what a machine is, and what grants and firewall rules name.

Owns accounts only. Grants are made where the granted thing is (`seal`, `secrets`), one thing and one role at a
time; no account has a role in the project.

Dangerous edge: an account that is deleted and made again has the same address and another unique id. Firewall
rules and grants are made anew with it, but another cloud's trust names the old id until that cloud is updated.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

from components.clouds.contract import IdentitiesArgs, type_token
from components.clouds.specs import identities_spec
from components.plan.spec import Role


class Identities(pulumi.ComponentResource):
    """Service accounts by role."""

    attached: Mapping[Role, pulumi.Output[str]]
    principals: Mapping[Role, pulumi.Output[str]]
    subjects: Mapping[Role, pulumi.Output[str]]

    def __init__(self, name: str, args: IdentitiesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        site = args.site
        spec = identities_spec(args)
        super().__init__(type_token("Identities"), name, spec, opts)
        accounts: dict[Role, gcp.serviceaccount.Account] = {
            role: gcp.serviceaccount.Account(
                f"{name}-{role}",
                account_id=site.names.identity(role),
                display_name=f"{site.stack.platform.name} {role}",
                description=f"Machines of the role {role} in {site.stack.region.name}",
                disabled=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for role in args.roles
        }
        self.attached = {role: account.email for role, account in accounts.items()}
        self.principals = {role: account.member for role, account in accounts.items()}
        self.subjects = {role: account.unique_id for role, account in accounts.items()}
        self.register_outputs({"spec": spec, "principals": self.principals, "subjects": self.subjects})
