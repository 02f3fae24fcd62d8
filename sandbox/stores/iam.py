"""AWS's policy language, as far as roles, buckets, keys and secrets use it.

What is not modelled is an error, never a yes or a no.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

Context = Mapping[str, str]
"""Condition keys of a request, in lower case; a key that the request lacks is absent."""


class NotModelledError(Exception):
    """The stack declares something that this evaluation does not know."""


def _like(value: str, pattern: str) -> bool:
    return fnmatchcase(value, pattern.replace("[", "[[]"))


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
}


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _holds(operator: str, key: str, wanted: list[Any], context: Context) -> bool:
    value = context.get(key.lower())
    if operator == "Null":
        return (value is None) == (str(wanted[0]).lower() == "true")
    optional, base = operator.endswith("IfExists"), operator.removesuffix("IfExists")
    if value is None:
        return optional or "Not" in base
    positive = base.replace("Not", "", 1) if "Not" in base else base
    if positive not in _OPERATORS:
        raise NotModelledError(f"condition operator {operator}")
    matched = any(_OPERATORS[positive](value, str(one)) for one in wanted)
    return matched != ("Not" in base)


def _meant(statement: Mapping[str, Any], principals: Mapping[str, frozenset[str]]) -> bool:
    """Whether a statement of a resource's policy speaks of the caller."""
    if "NotPrincipal" in statement:
        raise NotModelledError("NotPrincipal")
    named = statement.get("Principal")
    if named is None or named == "*":
        return True
    return any(one in ("*", *principals.get(kind, ())) for kind, ones in named.items() for one in _listed(ones))


def _applies(statement: Mapping[str, Any], action: str, resource: str, context: Context) -> bool:
    if {"NotAction", "NotResource"} & set(statement):
        raise NotModelledError("NotAction or NotResource")
    return (
        any(_like(action.lower(), one.lower()) for one in _listed(statement["Action"]))
        and any(_like(resource, one) for one in _listed(statement.get("Resource", "*")))
        and all(
            _holds(operator, key, _listed(wanted), context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def effects(
    document: str, action: str, resource: str, context: Context, principals: Mapping[str, frozenset[str]]
) -> Iterator[str]:
    """`Allow` and `Deny` of the statements that apply."""
    for statement in json.loads(document)["Statement"] if document else ():
        if _meant(statement, principals) and _applies(statement, action, resource, context):
            yield statement["Effect"]


def allowed(
    identity: tuple[str, ...], resource_policy: str, action: str, resource: str, context: Context, role: str
) -> bool:
    """Whether a role of the resource's own account may act: one Allow anywhere and no Deny."""
    own = [effect for document in identity for effect in effects(document, action, resource, context, {})]
    theirs, delegated = _said_of(resource_policy, action, resource, context, role)
    return "Allow" in (*own, *theirs) and "Deny" not in (*own, *theirs, *delegated)


def allowed_key(identity: tuple[str, ...], key_policy: str, action: str, key: str, context: Context, role: str) -> bool:
    """Whether a role of the key's own account may use it.

    The account's policies count only where the key's own policy names the account; one that nobody wrote does.
    """
    theirs, delegated = _said_of(key_policy, action, key, context, role)
    rooted = not key_policy or "Allow" in (*theirs, *delegated)
    return rooted and allowed(identity, key_policy, action, key, context, role)


def _said_of(document: str, action: str, resource: str, context: Context, role: str) -> tuple[list[str], list[str]]:
    """What a resource's policy says of the role itself, and of its account.

    Naming the account lets its own policies decide; it gives nobody anything.
    """
    account = f"arn:{role.split(':')[1]}:iam::{role.split(':')[4]}:root"
    theirs, delegated = (
        list(effects(document, action, resource, context, {"AWS": frozenset({who})})) for who in (role, account)
    )
    return theirs, delegated
