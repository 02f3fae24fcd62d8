"""What an AWS policy document lets a service do: enough of the language to tell whether a service is admitted.

No model stands here. Conditions that a request says nothing about are believed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.cloud.wire import Value


def statements(text: Value) -> Iterator[dict[str, Any]]:
    """Statements of a document; nothing where there is none or it is no JSON."""
    try:
        document: Any = json.loads(text) if isinstance(text, str) and text else {}
    except ValueError:
        return
    found = document.get("Statement") or [] if isinstance(document, dict) else []
    yield from found if isinstance(found, list) else [found]


def listed(value: Value) -> list[Any]:
    """A list where one value may stand for itself."""
    return value if isinstance(value, list) else [] if value is None else [value]


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern of `*` and `?` covers the whole text."""
    return re.fullmatch("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern), text) is not None


def admits(text: Value, service: str, action: str, resource: str, said: Mapping[str, str]) -> bool:
    """Whether a document lets a service do something to a resource.

    Args:
        text: the document.
        service: for example `cloudtrail.amazonaws.com`.
        action: for example `s3:PutObject`.
        resource: ARN; what the document calls `*` covers it.
        said: keys of conditions that the request brings along.
    """
    return any(
        statement.get("Effect") == "Allow"
        and service in _services(statement)
        and any(matches(given, action) for given in listed(statement.get("Action")))
        and any(matches(given, resource) for given in listed(statement.get("Resource")))
        and _met(statement.get("Condition") or {}, said)
        for statement in statements(text)
    )


def _services(statement: Mapping[str, Any]) -> list[Any]:
    principal = statement.get("Principal")
    return listed(principal.get("Service")) if isinstance(principal, dict) else []


def _met(conditions: Mapping[str, Mapping[str, Any]], said: Mapping[str, str]) -> bool:
    for wanted in conditions.values():
        for key, patterns in wanted.items():
            if key in said and not any(matches(pattern, said[key]) for pattern in listed(patterns)):
                return False
    return True
