"""A login role names exactly who may use it."""

from __future__ import annotations

from collections.abc import Iterator

from policies.concepts.presence import filled, present
from policies.conditions import PRESENT, Condition, advised, lasting, matching, none_of, one_of, optional
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, need, on
from policies.values import as_bool

_KUBERNETES, _JWT, _AWS, _AZURE, _GCP = (
    f"vault:{method}/authBackendRole:AuthBackendRole" for method in ("kubernetes", "jwt", "aws", "azure", "gcp")
)
_SSH = "vault:ssh/secretBackendRole:SecretBackendRole"
_NAMED = none_of("*")
_AZURE_BOUNDS = ("boundServicePrincipalIds", "boundScaleSets", "boundResourceGroups")


def _anybody(arn: str) -> bool:
    """Whether an ARN means every principal of an account, or more."""
    return arn.replace(":", "/").rpartition("/")[2] == "*"


_PRINCIPAL: Condition = matching(lambda text: not _anybody(text), "must name a role or a user")
_USERS = Condition(
    lambda value: not isinstance(value, str) or "*" not in [name.strip() for name in value.split(",")],
    "must not be *",
)


def _subject(role: Resource, _: Context) -> Iterator[Finding]:
    if not any(present(role.at(path)) for path in ("boundSubject", "boundClaims")):
        yield Finding("boundSubject", "must be set, or `boundClaims`")


def _machines(role: Resource, _: Context) -> Iterator[Finding]:
    if not any(present(role.at(path)) for path in _AZURE_BOUNDS):
        yield Finding("boundServicePrincipalIds", f"must be set, or {' or '.join(_AZURE_BOUNDS[1:])}")


def _signs(role: Resource) -> bool:
    return as_bool(role.get("allowUserCertificates")) is True


RULE = Rule(
    "login-role-bound",
    (
        filled((_KUBERNETES,), "boundServiceAccountNames", _NAMED),
        filled((_KUBERNETES,), "boundServiceAccountNamespaces", _NAMED),
        on(_KUBERNETES, need("audience", advised(PRESENT))),
        filled((_JWT,), "boundAudiences", PRESENT),
        Check((_JWT,), _subject, ("boundSubject", "boundClaims")),
        on(_AWS, need("authType", optional(one_of("iam")))),
        filled((_AWS,), "boundIamPrincipalArns", _PRINCIPAL),
        Check((_AZURE,), _machines, tuple(f"{path}[]" for path in _AZURE_BOUNDS)),
        filled((_GCP,), "boundServiceAccounts", _NAMED),
        filled((_GCP,), "boundProjects", PRESENT),
        on(_SSH, need("allowedUsers", _USERS)),
        on(_SSH, need("ttl", lasting(1, 3600)), when=_signs, reads=("allowUserCertificates",)),
        on("consul:index/aclBindingRule:AclBindingRule", need("selector", PRESENT)),
    ),
)
