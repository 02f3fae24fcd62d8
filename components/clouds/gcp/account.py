"""Whose project the credentials work in, and the provider that is bound to it.

Owns the check that a stack is never built in another project than its own. Reads no configuration.

Dangerous edge: Google's credentials are not tied to one project. Which project they work in is what the
environment says (GOOGLE_PROJECT, the metadata of the machine …), and that is what is compared: a forgotten
variable must not send a stack's update into another project.
"""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from components.clouds.contract import Account, Connection, Site
from components.plan.spec import Stack


def connect(stack: Stack) -> Connection:
    """The region's provider, pinned to the project of the credentials.

    Raises:
        pulumi.RunError: the credentials work in another project than the stack's, or in none.
    """
    region = stack.region.name
    # The pinned provider needs the project and the lookup needs a provider that is not pinned: hence two.
    options = pulumi.InvokeOptions(provider=gcp.Provider("gcp-account", region=region))
    project = gcp.organizations.get_client_config(options).project
    if stack.account and project and project != stack.account:
        raise pulumi.RunError(
            f"The credentials work in the GCP project {project}, but this stack is configured for {stack.account}. "
            "Building here would make a second platform beside the real one and leave that one untended. "
            f"Set GOOGLE_PROJECT={stack.account}, or correct `account` in the stack's configuration."
        )
    project = project or stack.account
    if not project:
        raise pulumi.RunError(
            "The credentials name no GCP project. Every resource needs one, so nothing could be built. "
            "Set `account` in the stack's configuration, or GOOGLE_PROJECT in the environment."
        )
    number = gcp.organizations.get_project(project_id=project, opts=options).number
    provider = gcp.Provider("gcp", project=project, region=region)
    return Connection(provider, Site(stack, Account(id=project, tenant=number)))
