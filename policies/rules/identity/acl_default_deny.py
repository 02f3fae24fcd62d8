"""Consul denies by default, also while the primary is away, and to whoever has no token; Nomad's access control is on."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.charts import RELEASE, chart
from policies.concepts.clusters import CONSUL, NOMAD
from policies.conditions import TRUE, one_of
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, demand, need, on

_ANONYMOUS = "00000000-0000-0000-0000-000000000002"
_TOKEN = "consul:index/aclToken:AclToken"  # noqa: S105 - a type
_ATTACHMENT = "consul:index/aclTokenPolicyAttachment:AclTokenPolicyAttachment"
_INTENTIONS = "consul:index/configEntryServiceIntentions:ConfigEntryServiceIntentions"
_INTENTION = "consul:index/intention:Intention"
_EVERY, _ALLOW = "*", "allow"
_SAYS = "must not allow every service to reach every other"


def _attached(attachment: Resource, context: Context) -> Iterator[Finding]:
    if attachment.get("tokenId") == _ANONYMOUS:
        yield from _anonymous("policy", attachment.get("policy"), context)


def _token(token: Resource, context: Context) -> Iterator[Finding]:
    if token.get("accessorId") != _ANONYMOUS:
        return
    for node in token.each("policies[]"):
        yield from _anonymous(node.path, node.known(), context)
    for node in token.each("roles[]"):
        yield Finding(node.path, "must not be given to whoever has no token")


def _anonymous(path: str, policy: object, context: Context) -> Iterator[Finding]:
    if policy not in context.settings.anonymous_policies:
        yield Finding(path, "must be one of the pack's `anonymousPolicies`")


def _intentions(intentions: Resource, _: Context) -> Iterator[Finding]:
    if intentions.get("name") != _EVERY:
        return
    for source in intentions.each("sources[]"):
        if source.get("name") == _EVERY and source.get("action") == _ALLOW:
            yield Finding(source.path, _SAYS)


def _intention(intention: Resource, _: Context) -> Iterator[Finding]:
    ends = (intention.get("sourceName"), intention.get("destinationName"))
    if ends == (_EVERY, _EVERY) and intention.get("action") == _ALLOW:
        yield Finding("action", _SAYS)


def _release(release: Resource, _: Context) -> Iterator[Finding]:
    if chart(release) == "consul":
        yield from demand(release.at("values.global.acls.manageSystemACLs"), TRUE)


RULE = Rule(
    "acl-default-deny",
    (
        on(
            CONSUL,
            need("acl.enabled", TRUE),
            need("acl.defaultPolicy", one_of("deny")),
            need("acl.downPolicy", one_of("extend-cache", "deny")),
            unknown="fail",
        ),
        on(NOMAD, need("acl.enabled", TRUE), unknown="fail"),
        Check((_ATTACHMENT,), _attached, ("tokenId", "policy")),
        Check((_TOKEN,), _token, ("accessorId", "policies[]", "roles[]")),
        Check((_INTENTIONS,), _intentions, ("name", "sources[].name", "sources[].action")),
        Check((_INTENTION,), _intention, ("sourceName", "destinationName", "action")),
        Check((RELEASE,), _release, ("chart", "values")),
    ),
)
