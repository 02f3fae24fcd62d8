"""No policy or role gives every action on every resource."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.context import Context
from policies.documents import Statement, policy_statements
from policies.resource import Node, Resource
from policies.rule import Check, Finding, Rule, each

_POLICIES = (
    "aws:iam/policy:Policy",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/userPolicy:UserPolicy",
    "aws:iam/groupPolicy:GroupPolicy",
)
_ROLE, _ATTACHMENT = "aws:iam/role:Role", "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
_ALL = frozenset({"*", "*:*", "kms:*", "s3:*", "iam:*"})
_MANAGED = ("AdministratorAccess", "PowerUserAccess", "IAMFullAccess")
_SAYS = "must not be a policy that administers the whole account"
_DEFINITION = "azure-native:authorization:RoleDefinition"
_ASSIGNMENT = "azure-native:authorization:RoleAssignment"
_BROAD_ROLES = (
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
)
"""Owner, Contributor, User Access Administrator."""
_WIDE = re.compile(r"/*[^/]*/?[^/]*/*$|/*providers/microsoft\.management", re.IGNORECASE)
"""The tenant, a subscription, or a management group."""
_GOOGLE_ROLES = ("roles/owner", "roles/editor", "roles/iam.securityAdmin")
_BINDINGS = ("gcp:projects/iAMMember:IAMMember", "gcp:projects/iAMBinding:IAMBinding")
_CUSTOM = "gcp:projects/iAMCustomRole:IAMCustomRole"
_RULES = ("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "kubernetes:rbac.authorization.k8s.io/v1:Role")
_BINDING = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"


def _everything(statement: Statement) -> bool:
    if statement.effect != "Allow":
        return False
    if "Action" in statement.negated:
        return True
    return "*" in statement.resources and any(action.lower() in _ALL for action in statement.actions)


def _document(node: Node) -> Iterator[Finding]:
    if any(_everything(statement) for statement in policy_statements(node)):
        yield Finding(node.path, "must not allow every action on every resource, nor all but some")


def _policy(policy: Resource, _: Context) -> Iterator[Finding]:
    yield from _document(policy.at("policy"))


def _inline(inline: Node, _: Resource, __: Context) -> Iterator[Finding]:
    yield from _document(inline.at("policy"))


def _managed(node: Node, _: Resource, __: Context) -> Iterator[Finding]:
    if str(node.known()).endswith(_MANAGED):
        yield Finding(node.path, _SAYS)


def _actions(node: Node, _: Resource, __: Context) -> Iterator[Finding]:
    if node.known() == "*":
        yield Finding(node.path, "must name the actions")


def _assignment(assignment: Resource, _: Context) -> Iterator[Finding]:
    role = str(assignment.get("roleDefinitionId")).lower()
    scope = str(assignment.get("scope"))
    if role.endswith(_BROAD_ROLES) and _WIDE.match(scope):
        yield Finding(
            "roleDefinitionId", "must be no Owner, Contributor or User Access Administrator of so wide a scope"
        )


def _google(binding: Resource, _: Context) -> Iterator[Finding]:
    if binding.get("role") in _GOOGLE_ROLES:
        yield Finding("role", f"must not be {' or '.join(_GOOGLE_ROLES)}")


def _permission(node: Node, _: Resource, __: Context) -> Iterator[Finding]:
    if "*" in str(node.known()) or node.known() == "resourcemanager.projects.setIamPolicy":
        yield Finding(node.path, "must name a permission, and none over the project's own policy")


def _rule(rule: Node, _: Resource, __: Context) -> Iterator[Finding]:
    granted = [[node.known() for node in rule.each(f"{part}[]")] for part in ("verbs", "resources", "apiGroups")]
    if all("*" in part for part in granted):
        yield Finding(rule.path, "must not allow every verb on every resource of every group")


def _administrators(binding: Resource, context: Context) -> Iterator[Finding]:
    names = {node.known() for node in binding.each("subjects[].name")}
    if binding.get("roleRef.name") == "cluster-admin" and not names <= set(context.settings.break_glass):
        yield Finding("subjects", "must be the break-glass group alone")


RULE = Rule(
    "iam-no-wildcard",
    (
        Check(_POLICIES, _policy, ("policy",)),
        each(_ROLE, "inlinePolicies[]", _inline, ("policy",)),
        each(_ROLE, "managedPolicyArns[]", _managed, ("",)),
        each(_ATTACHMENT, "policyArn", _managed, ("",)),
        each(_DEFINITION, "permissions[].actions[]", _actions, ("",)),
        each(_DEFINITION, "permissions[].dataActions[]", _actions, ("",)),
        Check((_ASSIGNMENT,), _assignment, ("roleDefinitionId", "scope")),
        Check(_BINDINGS, _google, ("role",)),
        each(_CUSTOM, "permissions[]", _permission, ("",)),
        *(each(token, "rules[]", _rule, ("verbs[]", "resources[]", "apiGroups[]")) for token in _RULES),
        Check((_BINDING,), _administrators, ("roleRef.name", "subjects[].name")),
    ),
)
