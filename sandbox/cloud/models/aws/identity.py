"""AWS identity: roles, their policies, instance profiles.

Source: IAM API reference; IAM user guide, "IAM and STS quotas" and "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.registry import Name, Ref, model

ROLE: Final = "aws:iam/role:Role"
POLICY: Final = "aws:iam/policy:Policy"
_MANAGED: Final = r"arn:aws:iam::aws:policy/.+"  # AWS's own policies exist everywhere
_ELEMENTS: Final = frozenset({
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
})  # fmt: skip
_NAME: Final = "A-Za-z0-9+=,.@_-"

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


@role.check
def _trust(draft: Draft) -> Iterator[Failure]:
    yield from _document(draft, "assumeRolePolicy", needs="Principal")


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
