"""No Vault policy rules over everything, and nobody is bound to `root`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from policies.concepts.grammar import Grant, grants
from policies.conditions import Condition, matching
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, need, on

_POLICY = "vault:index/policy:Policy"
_ROLES = tuple(
    f"vault:{method}/authBackendRole:AuthBackendRole"
    for method in ("appRole", "kubernetes", "jwt", "aws", "azure", "gcp")
)
_NO_ROOT = Condition(lambda value: _read(value) != "root", "must not be root")
_GLOB = matching(lambda value: not fnmatchcase("root", _read(value)), "must not match root")
_ALTER = frozenset({"create", "update", "delete"})
_WIDE = re.compile(r"/*(?:[^/]*[*+]|sys/[*+]/*$)")
"""Paths that mean every mount, or all of the system's own."""
_RAW = re.compile(r"/*sys/raw")


def _read(name: object) -> str:
    """A policy's name as Vault reads it."""
    return str(name).strip().lower()


def _rights(grant: Grant) -> frozenset[str]:
    if "deny" in grant.rights:
        return frozenset()
    # A level of Vault's first policies, which it still reads.
    return grant.rights | _ALTER if "write" in grant.rights else grant.rights


def _policy(policy: Resource, _: Context) -> Iterator[Finding]:
    given = [grant for grant in grants(str(policy.get("policy"))) if grant.on == "path"]
    if not given:
        yield Finding("policy", "must hold paths with their capabilities, in HCL or JSON")
    for grant in given:
        rights = _rights(grant)
        if _WIDE.match(grant.name) and ("sudo" in rights or rights >= _ALTER):
            yield Finding("policy", "must not give sudo, nor create, update and delete together, on so wide a path")
        if rights and _RAW.match(grant.name):
            yield Finding("policy", "must not reach sys/raw, which is the storage without any access control")


RULE = Rule(
    "vault-policy-no-sudo",
    (
        on(_POLICY, need("name", _NO_ROOT), unknown="fail"),
        Check((_POLICY,), _policy, ("policy",), "fail"),
        on(
            (
                "vault:index/token:Token",
                "vault:identity/groupPolicies:GroupPolicies",
                "vault:identity/entityPolicies:EntityPolicies",
            ),
            need("policies[]", _NO_ROOT),
            unknown="fail",
        ),
        on(
            "vault:tokenauth/authBackendRole:AuthBackendRole",
            need("allowedPolicies[]", _NO_ROOT),
            need("allowedPoliciesGlobs[]", _GLOB),
            unknown="fail",
        ),
        on(_ROLES, need("tokenPolicies[]", _NO_ROOT), unknown="fail"),
    ),
)
