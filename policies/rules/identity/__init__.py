"""Rules on who may do what: principals, roles, tokens, machines' identities."""

from __future__ import annotations

from policies.rule import Rule

from . import (
    acl_default_deny,
    acl_no_extra_management,
    iam_no_static_keys,
    iam_no_wildcard,
    login_role_bound,
    metadata_hardened,
    principal_no_wildcard,
    seal_workload_identity,
    ssh_no_password,
    token_ttl_bounded,
    vault_not_dev,
    vault_policy_no_sudo,
)

RULES: tuple[Rule, ...] = (
    principal_no_wildcard.RULE,
    iam_no_wildcard.RULE,
    iam_no_static_keys.RULE,
    seal_workload_identity.RULE,
    vault_policy_no_sudo.RULE,
    acl_default_deny.RULE,
    acl_no_extra_management.RULE,
    token_ttl_bounded.RULE,
    login_role_bound.RULE,
    ssh_no_password.RULE,
    metadata_hardened.RULE,
    vault_not_dev.RULE,
)
