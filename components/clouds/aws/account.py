"""Whose account the credentials belong to, and the provider that is bound to it.

Owns the check that a stack is never built in another account than its own. Reads no configuration.

Dangerous edge: commands that run no program (`pulumi destroy`, `pulumi refresh`) are stopped in a wrong account
only by the provider's own `allowed_account_ids`. Without it a refresh with wrong credentials finds nothing and
forgets everything.
"""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from components.clouds.contract import Account, Connection, Site
from components.plan.spec import Stack


def connect(stack: Stack) -> Connection:
    """The region's provider, pinned to the account of the credentials.

    Raises:
        pulumi.RunError: the credentials belong to another account than the stack's.
    """
    region = stack.region.name
    # The pinned provider needs the account's number and the lookup needs a provider with a region: hence two.
    lookup = aws.Provider("aws-account", region=region)
    caller = aws.get_caller_identity(opts=pulumi.InvokeOptions(provider=lookup))
    if stack.account and caller.account_id != stack.account:
        raise pulumi.RunError(
            f"The credentials belong to the AWS account {caller.account_id}, but this stack is configured for "
            f"{stack.account}. Building here would make a second platform beside the real one and leave that one "
            f"untended. Log in to {stack.account}, or correct `account` in the stack's configuration."
        )
    provider = aws.Provider("aws", region=region, allowed_account_ids=[caller.account_id])
    partition = caller.arn.split(":")[1]
    return Connection(provider, Site(stack, Account(id=caller.account_id, tenant=partition)))
