"""AWS identity: roles, their policies, instance profiles.

Source: IAM API reference; IAM user guide, "IAM and STS quotas" and "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import Value

ROLE: Final = "aws:iam/role:Role"
POLICY: Final = "aws:iam/policy:Policy"
ISSUER: Final = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
_MANAGED: Final = r"arn:aws:iam::aws:policy/.+"  # AWS's own policies exist everywhere
_ELEMENTS: Final = frozenset({
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
})  # fmt: skip
_NAME: Final = "A-Za-z0-9+=,.@_-"
_INLINE_CHARACTERS: Final = 10_240  # of all inline policies of a role together, blanks aside

role = model(
    ROLE,
    id="{name}",
    name=Name("name", max=64, characters=_NAME),
    unique=(("account", "name"),),
    references=(Ref("permissionsBoundary", (POLICY,), external=_MANAGED, missing="NoSuchEntity"),),
    immutable=("name", "namePrefix", "path"),
    outputs={
        "arn": lambda draft: draft.fill(f"arn:aws:iam::{{account}}:role{draft.get('path', '/')}{{name}}"),
        "uniqueId": "AROA{hex17}",
        "createDate": "2026-01-01T00:00:00Z",
        "path": "/",
        "maxSessionDuration": 3600,
        "managedPolicyArns": [],
        "inlinePolicies": [],
    },
    exists="EntityAlreadyExists",
    in_use="DeleteConflict",
)
policy = model(
    POLICY,
    id=lambda draft: draft.fill(f"arn:aws:iam::{{account}}:policy{draft.get('path', '/')}{{name}}"),
    name=Name("name", max=128, characters=_NAME),
    unique=(("account", "name"),),
    immutable=("name", "namePrefix", "path", "description"),
    outputs={"arn": "{id}", "policyId": "ANPA{hex17}", "path": "/", "attachmentCount": 0},
    exists="EntityAlreadyExists",
    in_use="DeleteConflict",
)
role_policy = model(
    "aws:iam/rolePolicy:RolePolicy",
    id="{role}:{name}",
    name=Name("name", max=128, characters=_NAME),
    unique=(("role", "name"),),
    references=(Ref("role", (ROLE,), missing="NoSuchEntity"),),
    immutable=("name", "namePrefix", "role"),
    handles=(),
)
role_policy_attachment = model(
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    id="{role}/{policyArn}",
    references=(
        Ref("role", (ROLE,), missing="NoSuchEntity"),
        Ref("policyArn", (POLICY,), external=_MANAGED, missing="NoSuchEntity"),
    ),
    immutable=("role", "policyArn"),
    handles=(),
)
profile = model(
    "aws:iam/instanceProfile:InstanceProfile",
    id="{name}",
    name=Name("name", max=128, characters=_NAME),
    unique=(("account", "name"),),
    references=(Ref("role", (ROLE,), missing="NoSuchEntity"),),
    immutable=("name", "namePrefix", "path"),
    outputs={
        "arn": lambda draft: draft.fill(f"arn:aws:iam::{{account}}:instance-profile{draft.get('path', '/')}{{name}}"),
        "uniqueId": "AIPA{hex17}",
        "createDate": "2026-01-01T00:00:00Z",
    },
    exists="EntityAlreadyExists",
    in_use="DeleteConflict",
)
issuer = model(
    ISSUER,
    id=lambda draft: draft.fill(
        f"arn:aws:iam::{{account}}:oidc-provider/{str(draft.get('url')).removeprefix('https://')}"
    ),
    unique=(("account", "url"),),
    immutable=("url",),
    outputs={"arn": "{id}", "thumbprintLists": []},
    exists="EntityAlreadyExists",
    in_use="DeleteConflict",
)


@issuer.check
def _speaks_https(draft: Draft) -> Iterator[Failure]:
    url = draft.known("url")
    if isinstance(url, str) and not re.fullmatch(r"https://[^?#\s]+", url):
        yield draft.fail("url", "must begin with https:// and hold neither a query nor a fragment")


@role.check
def _trust(draft: Draft) -> Iterator[Failure]:
    yield from _document(draft, "assumeRolePolicy", needs="Principal")


def principals(text: Value, kind: str) -> Iterator[tuple[dict[str, Any], str]]:
    """(statement, who) for everybody of a kind (`AWS`, `Federated`) whom a well formed policy names."""
    found: Any = json.loads(text) if isinstance(text, str) and text else {}
    statements = found.get("Statement") or []
    for statement in statements if isinstance(statements, list) else [statements]:
        named = statement.get("Principal")
        who = named.get(kind, []) if isinstance(named, dict) else [named] if kind == "AWS" and named else []
        yield from ((statement, item) for item in ([who] if isinstance(who, str) else who))


@role.admit
def _trusted_exist(draft: Draft) -> None:
    for kind, type_ in (("Federated", ISSUER), ("AWS", ROLE)):
        for _, who in principals(draft.get("assumeRolePolicy"), kind):
            if (":oidc-provider/" in who or ":role/" in who) and draft.find(type_, who) is None:
                raise draft.refuse("MalformedPolicyDocument", f'Invalid principal in policy: "{kind}":"{who}"')


@role_policy.admit
def _role_has_room(draft: Draft) -> None:
    texts = [draft.get("policy"), *(other["policy"] for other in draft.others(draft.type, role=draft.get("role")))]
    if sum(len(re.sub(r"\s", "", str(text))) for text in texts) > _INLINE_CHARACTERS:
        raise draft.refuse(
            "LimitExceeded",
            f"Maximum policy size of {_INLINE_CHARACTERS} bytes exceeded for role {draft.get('role')}",
            409,
        )


@policy.check
@role_policy.check
def _permissions(draft: Draft) -> Iterator[Failure]:
    yield from _document(draft, "policy", needs="Resource")


def _document(draft: Draft, path: str, needs: str) -> Iterator[Failure]:
    """MalformedPolicyDocument, as far as the grammar goes; `needs` is the element that this kind of policy must have."""
    text = draft.known(path)
    if not isinstance(text, str):
        return
    try:
        document: Any = json.loads(text)
    except ValueError as error:
        yield draft.fail(path, f"contains an invalid JSON policy: {error}")
        return
    statements = document.get("Statement") if isinstance(document, dict) else None
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict):
            yield draft.fail(path, "MalformedPolicyDocument: Statement must be an object or a list of objects")
            continue
        unknown = sorted(statement.keys() - _ELEMENTS)
        if unknown:
            yield draft.fail(path, f"MalformedPolicyDocument: unknown element {', '.join(unknown)}")
        if statement.get("Effect") not in ("Allow", "Deny"):
            yield draft.fail(path, "MalformedPolicyDocument: Effect must be Allow or Deny")
        for element in ("Action", needs):
            if element not in statement and f"Not{element}" not in statement:
                yield draft.fail(path, f"MalformedPolicyDocument: a statement lacks {element}")
        if needs == "Principal" and "Resource" in statement:
            yield draft.fail(path, "MalformedPolicyDocument: Has prohibited field Resource")
