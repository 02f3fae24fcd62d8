"""Whose subscription this is, and the place in it where the region is built.

Owns the provider, the resource group and the key vault. The last two are made here because identities, keys and
secrets all lie in them and none of these depends on the network.

Everything of the stack goes through the one explicit provider; a default provider would take whatever the
environment says next time.
"""

from __future__ import annotations

import pulumi
import pulumi_azure_native as azure
from pulumi_azure_native import authorization, resources

from components.clouds.contract import Account, Connection
from components.plan.naming import Names, tags
from components.plan.spec import Stack

from .place import Place
from .vault import region_vault


def connect(stack: Stack) -> Connection:
    """The credentials' subscription and the region's resource group and vault.

    Raises:
        pulumi.RunError: the credentials belong to another subscription than the stack names.
    """
    provider = azure.Provider("azure", location=stack.region.name)
    facts = authorization.get_client_config(opts=pulumi.InvokeOptions(provider=provider))
    if stack.account and stack.account != facts.subscription_id:
        raise pulumi.RunError(
            f"The stack is for the subscription {stack.account} and the credentials are for {facts.subscription_id}: "
            "a second platform would be built there, and this one left without its plan. "
            f"Log in with `az account set --subscription {stack.account}`, export ARM_SUBSCRIPTION_ID, "
            "or correct `account`."
        )
    account = Account(facts.subscription_id, facts.tenant_id)
    names = Names(stack.platform, stack.cloud)
    common = tags(stack.platform, stack.cloud)
    child = pulumi.ResourceOptions(provider=provider)
    group = resources.ResourceGroup(
        "group", resource_group_name=names.resource_group(), location=stack.region.name, tags=common, opts=child
    )
    vault = region_vault(account, names, group, common, provider)
    return Connection(provider, Place(stack, account, group.name, vault))
