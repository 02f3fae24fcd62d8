"""Azure managed identities, whom they trust, roles and their assignment.

Source: Microsoft Learn, "Azure role assignments", "Troubleshoot Azure RBAC" (PrincipalNotFound, RoleAssignmentExists,
RoleAssignmentUpdateNotPermitted), "Azure custom roles", "Azure role assignment condition format and syntax",
"Important considerations and restrictions for federated identity credentials".
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
ASSIGNMENT: Final = "azure-native:authorization:RoleAssignment"
ROLE: Final = "azure-native:authorization:RoleDefinition"
CREDENTIAL: Final = "azure-native:managedidentity:FederatedIdentityCredential"
_BUILT_IN: Final = frozenset(
    {
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",  # Key Vault Administrator
        "12338af0-0e69-4776-bea7-57ae8d297424",  # Key Vault Crypto User
        "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",  # Key Vault Crypto Officer
        "21090545-7ca7-4776-b22c-e363652d74d2",  # Key Vault Reader
        "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",  # Storage Blob Data Reader
        "4633458b-17de-408a-b874-0445c86b69e6",  # Key Vault Secrets User
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",  # Owner
        "acdd72a7-3385-48ef-bd42-f606fba81ae7",  # Reader
        "b24988ac-6180-42a0-ab88-20f7382dd24c",  # Contributor
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",  # Storage Blob Data Owner
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe",  # Storage Blob Data Contributor
        "e147488a-f6f5-4113-8e2d-b22465e65bf6",  # Key Vault Crypto Service Encryption User
    }
)
"""Roles that every tenant has, as far as the platform or its tests name them."""
_MOST_CREDENTIALS: Final = 20
_LONGEST_CONDITION: Final = 8192
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
    ASSIGNMENT,
    id="{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
    name=Name("roleAssignmentName", pattern=_GUID, rule="the name of a role assignment is a GUID", made=False),
    unique=(("scope", "principalId", "roleDefinitionId"),),
    references=(Ref("scope", _SCOPES, external=rf"/subscriptions/{_GUID}", missing="ResourceNotFound"),),
    immutable=("scope", "principalId", "principalType", "roleDefinitionId", "condition"),
    handles=(),
    exists="RoleAssignmentExists",
)
role = model(
    ROLE,
    id="{scope}/providers/Microsoft.Authorization/roleDefinitions/{roleDefinitionId}",
    name=Name("roleDefinitionId", pattern=_GUID, rule="the id of a role definition is a GUID", made=False),
    unique=(("roleName",),),
    references=(Ref("scope", (GROUP,), external=rf"/subscriptions/{_GUID}", missing="ResourceNotFound"),),
    immutable=("scope", "roleDefinitionId"),
    handles=("roleDefinitionId",),
    exists="RoleDefinitionWithSameNameExists",
)
credential = model(
    CREDENTIAL,
    id="/subscriptions/{subscription}/resourceGroups/{resourceGroupName}/providers/Microsoft.ManagedIdentity"
    "/userAssignedIdentities/{resourceName}/federatedIdentityCredentials/{federatedIdentityCredentialResourceName}",
    name=Name("federatedIdentityCredentialResourceName", max=120, separator=""),
    references=(IN_GROUP, Ref("resourceName", (IDENTITY,), same=("resourceGroupName",))),
    immutable=("resourceName",),
    handles=(),
)


def granted(draft: Draft, principal: Value, roles: tuple[str, ...], scopes: tuple[str, ...]) -> bool:
    """Whether a principal has one of some roles on exactly one of some things."""
    wanted = {scope.lower() for scope in scopes}
    return any(
        str(found["roleDefinitionId"]).endswith(roles) and str(found["scope"]).lower() in wanted
        for found in draft.others(ASSIGNMENT, principalId=principal)
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


@assignment.check
def _condition(draft: Draft) -> Iterator[Failure]:
    condition = draft.known("condition")
    if not isinstance(condition, str):
        return
    if draft.known("conditionVersion") != "2.0":
        yield draft.fail("conditionVersion", "a condition needs version 2.0")
    if len(condition) > _LONGEST_CONDITION:
        yield draft.fail("condition", f"has {len(condition)} characters; at most {_LONGEST_CONDITION}")
    if condition.count("(") != condition.count(")") or not re.search(r"ActionMatches\{'[\w./*-]+'\}", condition):
        yield draft.fail("condition", "InvalidRoleAssignmentCondition: not `(!(ActionMatches{'…'})) OR (…)`")
    attributes = re.findall(r"@(\w+)\[([^\]]+)\]", condition)
    if not attributes or any(
        source not in ("Resource", "Request", "Principal", "Environment") for source, _ in attributes
    ):
        yield draft.fail("condition", "InvalidRoleAssignmentCondition: compares no attribute of a known source")


@assignment.admit
def _role_exists(draft: Draft) -> None:
    wanted = str(draft.get("roleDefinitionId")).rpartition("/")[2].lower()
    own = draft.find(ROLE, wanted)
    if own is None:
        if wanted not in _BUILT_IN:
            raise draft.refuse("RoleDefinitionDoesNotExist", f"The role definition {wanted} does not exist.")
        return
    scope = str(draft.get("scope")).lower()
    if not any(scope.startswith(str(place).lower()) for place in own["assignableScopes"] or ()):
        raise draft.refuse("RoleDefinitionNotAssignable", f"{own['roleName']} is not assignable at {scope}.")


@role.check
def _role_form(draft: Draft) -> Iterator[Failure]:
    if not draft.get("assignableScopes"):
        yield draft.fail("assignableScopes", "a custom role needs a scope at which it may be assigned")
    if draft.known("roleType") not in (None, "CustomRole"):
        yield draft.fail("roleType", "only a CustomRole can be made")
    for kind in ("actions", "dataActions"):
        for path, action in draft.each(f"permissions[*].{kind}[*]"):
            if isinstance(action, str) and action != "*" and not re.fullmatch(r"[A-Za-z.]+(/[A-Za-z*]+)+", action):
                yield draft.fail(path, f"InvalidActionOrNotAction: '{action}' matches no action of a resource provider")


@credential.check
def _credential_form(draft: Draft) -> Iterator[Failure]:
    audiences, issuer = draft.known("audiences"), draft.known("issuer")
    if isinstance(audiences, list) and len(audiences) != 1:
        yield draft.fail("audiences", f"exactly one audience, got {len(audiences)}")
    if isinstance(issuer, str) and not issuer.startswith("https://"):
        yield draft.fail("issuer", f"'{issuer}' is no https:// address")
    subject = draft.known("subject")
    if isinstance(subject, str) and ("*" in subject or not subject):
        yield draft.fail("subject", "is compared as it stands; wildcards mean nothing")


@credential.admit
def _one_of_its_kind(draft: Draft) -> None:
    others = list(draft.others(CREDENTIAL, resourceName=draft.get("resourceName")))
    if len(others) >= _MOST_CREDENTIALS:
        raise draft.refuse("TooManyCredentials", f"An identity has at most {_MOST_CREDENTIALS} federated credentials.")
    for other in others:
        if (other["issuer"], other["subject"]) == (draft.get("issuer"), draft.get("subject")):
            raise draft.refuse("IssuerAndSubjectTaken", f"{other.id} trusts the same issuer and subject.", 409)
