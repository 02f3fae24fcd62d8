"""Regions made worse on purpose: one property of one registered resource each, and the rule that must notice.

A rule that no mutation here breaks would hold whatever is built; a reader that looks at the wrong property would not
notice one.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from components.plan.spec import Cloud

GONE = object()
"""In place of a value: the property is not there. In place of a path: the resource is not there."""


@dataclass(frozen=True)
class Mutation:
    """`resource` is the end of a type and a name (`Volume vault-aws-1-data`), after `SecretStore/` if only there.
    `path` walks the inputs (or, starting with `!`, the engine's own record): keys, and `key=value` for list items."""

    cloud: Cloud
    rule: Callable[..., Any]
    resource: str
    path: str
    value: Any

    def __str__(self) -> str:
        return f"{self.cloud}-{self.rule.__name__}-{self.resource.replace(' ', '-')}-{self.path}"

    def apply(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The deployment made worse; the original stays."""
        kind, name = self.resource.split()
        whose = re.compile(rf"(^|:){kind.replace('/', '[$].*:')}::{re.escape(name)}$")
        (place,) = [
            place for place, raw in enumerate(document["resources"]) if raw["custom"] and whose.search(raw["urn"])
        ]
        resources = list(document["resources"])
        found = resources[place] = copy.deepcopy(resources[place])
        if self.path == "":
            del resources[place]
        elif self.path.startswith("!"):
            found[self.path[1:]] = self.value
        else:
            for side in ("inputs", "outputs"):
                _set(found[side], self.path.split("."), self.value, strict=side == "inputs")
        return {**document, "resources": resources}


def _set(inside: Any, path: list[str], value: Any, *, strict: bool) -> None:  # noqa: ANN401 - any JSON value
    for step in path[:-1]:
        if "=" in step:
            key, _, wanted = step.partition("=")
            inside = next((item for item in inside if str(item.get(key)) == wanted), None)
        elif isinstance(inside, list):
            inside = inside[int(step)]
        else:
            inside = inside.get(step)
        if inside is None:
            # The cloud's answer may be spelled otherwise than what it was asked.
            assert not strict, f"no {step} on the way to {path}"
            return
    if value is GONE:
        inside.pop(path[-1], None)
    else:
        inside[path[-1]] = value
