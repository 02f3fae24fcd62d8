"""A managed identity for each role, and the only way in which Azure grants one anything.

Owns identities and `grant`. What is granted to whom is decided where the key or the secret is made.

Dangerous edge: an assignment's name is derived from what it says, so a run never replaces it for nothing; but a
grant whose identity was made anew keeps its name, and Azure refuses to change its principal. Such a grant is
deleted before it is made again.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

import pulumi
from pulumi_azure_native import authorization, managedidentity

from components.clouds.contract import IdentitiesArgs
from components.clouds.specs import identities_spec
from components.plan.spec import Role

from .component import Component
from .place import Place, own

SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
"""Key Vault Secrets User: read the value of a secret."""
CRYPTO_SERVICE_ENCRYPTION_USER = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
"""Key Vault Crypto Service Encryption User: read a key's public part, wrap and unwrap with it. What a seal needs."""

BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
"""Storage Blob Data Reader: read and list objects."""
BLOB_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
"""Storage Blob Data Contributor: also write and delete them."""


class Identities(Component):
    """One user-assigned identity for each role."""

    attached: Mapping[Role, pulumi.Output[str]]
    principals: Mapping[Role, pulumi.Output[str]]
    subjects: Mapping[Role, pulumi.Output[str]]
    clients: Mapping[Role, pulumi.Output[str]]
    """Client id: how a machine says to its metadata service which identity it means."""

    def __init__(self, name: str, args: IdentitiesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        place = own(Place, args.site)
        spec = identities_spec(args)
        super().__init__("Identities", name, spec, opts)
        made: dict[Role, managedidentity.UserAssignedIdentity] = {
            role: managedidentity.UserAssignedIdentity(
                f"{name}-{role}",
                resource_group_name=place.group,
                resource_name_=place.names.identity(role),
                location=place.location,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for role in args.roles
        }
        self.attached = {role: identity.id for role, identity in made.items()}
        self.principals = {role: identity.principal_id for role, identity in made.items()}
        # The subject of the identity's tokens is its object id.
        self.subjects = self.principals
        self.clients = {role: identity.client_id for role, identity in made.items()}
        self.register_outputs({"spec": spec, "attached": dict(self.attached)})


def grant(
    name: str,
    place: Place,
    definition: str,
    on: tuple[str, pulumi.Output[str]],
    to: tuple[str, pulumi.Output[str]],
    parent: pulumi.Resource,
    condition: str | None = None,
    after: Sequence[pulumi.Resource] = (),
) -> authorization.RoleAssignment:
    """Assign a role to one identity at the scope of one thing.

    Args:
        name: the assignment's name in the program.
        place: the region.
        definition: id of the role: a built-in one, or one that was made under this id before.
        on: planned id of the thing, and its id once it exists.
        to: planned name of who is granted, and the object id of the principal.
        parent: the component it belongs to.
        condition: on what of the thing, where not on all of it.
        after: what must stand first, such as a role of our own.
    """
    seed = "|".join((on[0], to[0], definition)).lower()
    return authorization.RoleAssignment(
        name,
        role_assignment_name=str(uuid.uuid5(uuid.NAMESPACE_URL, seed)),
        scope=on[1],
        principal_id=to[1],
        # Without the type, Azure looks a new identity up in a directory that does not know it yet.
        principal_type="ServicePrincipal",
        role_definition_id=(
            f"/subscriptions/{place.account.id}/providers/Microsoft.Authorization/roleDefinitions/{definition}"
        ),
        condition=condition,
        condition_version="2.0" if condition else None,
        opts=pulumi.ResourceOptions(parent=parent, delete_before_replace=True, depends_on=list(after)),
    )
