"""Every token and every login role ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from components.plan.change import instant
from policies.concepts.prefixes import inside
from policies.concepts.presence import present
from policies.conditions import UNSET, Condition, advised, at_least, lasting, optional
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, demand, need, on

_TTL = lasting(1, 24 * 3600)
_MAX = lasting(1, 30 * 24 * 3600)
_LONGEST = timedelta(days=365)
_TOKEN = "vault:index/token:Token"  # noqa: S105 - a type
_APP = "vault:appRole/authBackendRole:AuthBackendRole"
_ROLES = tuple(
    f"vault:{method}/authBackendRole:AuthBackendRole"
    for method in ("appRole", "kubernetes", "jwt", "aws", "azure", "gcp")
)
_CONSUL_TOKEN = "consul:index/aclToken:AclToken"  # noqa: S105 - a type
_CIDRS = "secretIdBoundCidrs"
_ONCE: Condition = advised(at_least(1))


def _vault_token(token: Resource, _: Context) -> Iterator[Finding]:
    if not any(present(token.at(path)) for path in ("ttl", "period")):
        yield Finding("ttl", "must be set, or `period`")
    if not UNSET.holds(token.get("period")):
        yield from demand(token.at("explicitMaxTtl"), _MAX)


def _in_mesh(role: Resource, context: Context) -> Iterator[Finding]:
    if not present(role.at(_CIDRS)):
        yield Finding(_CIDRS, "must be set")
    for node in role.each(f"{_CIDRS}[]"):
        if not inside(node.known(), context.settings.mesh_cidrs):
            yield Finding(node.path, "must lie inside the mesh")


def _expires(token: Resource, context: Context) -> Iterator[Finding]:
    end = instant(token.get("expirationTime"))
    if end is None:
        yield Finding("expirationTime", "must be an instant with its offset from UTC")
    elif end > context.at + _LONGEST:
        yield Finding("expirationTime", f"must lie within {_LONGEST.days} days")


RULE = Rule(
    "token-ttl-bounded",
    (
        Check((_TOKEN,), _vault_token, ("period",), "fail"),
        on(
            _TOKEN,
            need("ttl", optional(_TTL)),
            need("period", optional(_TTL)),
            need("explicitMaxTtl", optional(_MAX)),
            unknown="fail",
        ),
        on(_ROLES, need("tokenTtl", _TTL), need("tokenMaxTtl", _MAX), unknown="fail"),
        on(
            _APP,
            need("secretIdTtl", _MAX),
            need("secretIdNumUses", _ONCE),
            unknown="fail",
        ),
        Check((_APP,), _in_mesh, (f"{_CIDRS}[]",)),
        on(
            "vault:tokenauth/authBackendRole:AuthBackendRole",
            need("tokenExplicitMaxTtl", _MAX),
            need("tokenPeriod", _TTL),
            unknown="fail",
        ),
        Check((_CONSUL_TOKEN,), _expires, ("expirationTime",)),
        on("consul:index/aclAuthMethod:AclAuthMethod", need("maxTokenTtl", _MAX), unknown="fail"),
        on("nomad:index/aclToken:AclToken", need("expirationTtl", _MAX), unknown="fail"),
        on("nomad:index/aclAuthMethod:AclAuthMethod", need("maxTokenTtl", _MAX), unknown="fail"),
    ),
)
