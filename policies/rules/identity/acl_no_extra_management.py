"""Nobody manages Consul or Nomad but with the recorded bootstrap token."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.grammar import grants
from policies.conditions import LITERAL, none_of, one_of
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, need, on

_MANAGEMENT = ("global-management", "builtin/global-management", "00000000-0000-0000-0000-000000000001")
"""The policy by its names and by its id."""
_SCOPED = none_of(*_MANAGEMENT)
_CONSUL_POLICY = "consul:index/aclPolicy:AclPolicy"
_CONSUL_BINDING = "consul:index/aclBindingRule:AclBindingRule"
_NOMAD_POLICY = "nomad:index/aclPolicy:AclPolicy"
_NOMAD_BINDING = "nomad:index/aclBindingRule:AclBindingRule"
_WRITE = "write"


def _consul_policy(policy: Resource, _: Context) -> Iterator[Finding]:
    written = {grant.on for grant in grants(str(policy.get("rules"))) if _WRITE in grant.rights}
    if {"acl", "operator"} <= written:
        yield Finding("rules", "must not give write on both acl and operator")


def _nomad_policy(policy: Resource, _: Context) -> Iterator[Finding]:
    written = {(grant.on, grant.name) for grant in grants(str(policy.get("rulesHcl"))) if _WRITE in grant.rights}
    if {("namespace", "*"), ("operator", "")} <= written:
        yield Finding("rulesHcl", "must not give write on every namespace and on operator")


def _bound(binding: Resource) -> bool:
    return binding.get("bindType") in ("policy", "role")


def _managing(binding: Resource) -> bool:
    return binding.get("bindType") == "management"


RULE = Rule(
    "acl-no-extra-management",
    (
        on("consul:index/aclToken:AclToken", need("policies[]", _SCOPED), need("roles[]", _SCOPED), unknown="fail"),
        on(
            "consul:index/aclTokenPolicyAttachment:AclTokenPolicyAttachment",
            need("policy", _SCOPED),
            unknown="fail",
        ),
        # A role takes ids, which a policy of the same stack has only once it exists.
        on("consul:index/aclRole:AclRole", need("policies[]", _SCOPED)),
        Check((_CONSUL_POLICY,), _consul_policy, ("rules",), "fail"),
        on(_CONSUL_BINDING, need("bindName", _SCOPED), when=_bound, reads=("bindType",), unknown="fail"),
        on(_CONSUL_BINDING, need("selector", LITERAL), unknown="fail"),
        on("nomad:index/aclToken:AclToken", need("type", one_of("client")), unknown="fail"),
        on(_NOMAD_BINDING, need("selector", LITERAL), when=_managing, reads=("bindType",), unknown="fail"),
        Check((_NOMAD_POLICY,), _nomad_policy, ("rulesHcl",), "fail"),
    ),
)
