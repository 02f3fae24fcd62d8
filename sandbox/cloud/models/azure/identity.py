"""Azure managed identities and role assignments.

Source: Microsoft Learn, "Azure role assignments", "Troubleshoot Azure RBAC" (PrincipalNotFound, RoleAssignmentExists,
RoleAssignmentUpdateNotPermitted).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.azure.account import GROUP, IN_GROUP
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import Value

IDENTITY: Final = "azure-native:managedidentity:UserAssignedIdentity"
# Types whose own identity is an object `identity` with a `principalId`.
_WITH_IDENTITY: Final = (
    "azure-native:compute:DiskEncryptionSet",
    "azure-native:compute:VirtualMachine",
    "azure-native:compute:VirtualMachineScaleSet",
    "azure-native:storage:StorageAccount",
)
# What a role may be assigned at, besides groups and subscriptions.
_SCOPES: Final = (
    GROUP,
    "azure-native:keyvault:Key",
    "azure-native:keyvault:Secret",
    "azure-native:keyvault:Vault",
    "azure-native:storage:StorageAccount",
    "azure-native:storage:BlobContainer",
)
_GUID: Final = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_UUID: Final = "{hex8}-{hex4}-4{hex3}-8{hex3}-{hex12}"

identity = model(
    IDENTITY,
    id="/subscriptions/{subscription}/resourceGroups/{resourceGroupName}/providers/Microsoft.ManagedIdentity"
    "/userAssignedIdentities/{resourceName}",
    name=Name("resourceName", max=128, separator=""),
    references=(IN_GROUP,),
    immutable=("resourceName",),
    outputs={"principalId": _UUID, "clientId": _UUID, "tenantId": "{tenant}"},
    handles=("name", "principalId"),
)
assignment = model(
    "azure-native:authorization:RoleAssignment",
    id="{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
    name=Name("roleAssignmentName", pattern=_GUID, rule="the name of a role assignment is a GUID", made=False),
    unique=(("scope", "principalId", "roleDefinitionId"),),
    references=(Ref("scope", _SCOPES, external=rf"/subscriptions/{_GUID}", missing="ResourceNotFound"),),
    immutable=("scope", "principalId", "principalType", "roleDefinitionId", "condition"),
    handles=(),
    exists="RoleAssignmentExists",
)


def attached(draft: Draft) -> dict[str, Value]:
    """What a resource's `identity` comes back as: identities by id with what is theirs, and the resource's own."""
    given = draft.get("identity")
    if not given:
        return {}
    found = {**given}
    if "SystemAssigned" in given["type"]:
        kept = draft.kept("identity") or {}
        found |= {"principalId": kept.get("principalId") or draft.fill(_UUID), "tenantId": draft.scope("tenant")}
    theirs = {id_: draft.find(IDENTITY, id_) for id_ in given.get("userAssignedIdentities") or ()}
    if theirs:
        found["userAssignedIdentities"] = {
            id_: {"clientId": record["clientId"], "principalId": record["principalId"]}
            for id_, record in theirs.items()
            if record
        }
    return {"identity": found}


@assignment.check
def _well_formed(draft: Draft) -> Iterator[Failure]:
    if draft.get("roleAssignmentName") is None:
        yield draft.fail("roleAssignmentName", "a name must be given: a GUID that stays the same from run to run")
    role = draft.known("roleDefinitionId")
    if isinstance(role, str) and not re.search(rf"/Microsoft\.Authorization/roleDefinitions/{_GUID}$", role):
        yield draft.fail("roleDefinitionId", f"InvalidRoleDefinitionId: '{role}' is no id of a role definition")


@assignment.admit
def _principal_exists(draft: Draft) -> None:
    principal, kind = draft.get("principalId"), draft.get("principalType")
    if kind in ("User", "Group"):
        return  # people are the directory's, not the platform's
    known = draft.find(IDENTITY, principal) is not None
    for type_ in _WITH_IDENTITY:
        known = known or any((other["identity"] or {}).get("principalId") == principal for other in draft.others(type_))
    if not known:
        raise draft.refuse(
            "PrincipalNotFound",
            f"Principal {principal} does not exist in the directory {draft.scope('tenant')}.",
        )
