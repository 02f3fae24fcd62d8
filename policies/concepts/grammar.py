"""Policies of Vault, Consul and Nomad as text: which block grants what on which name.

Owns the one reading of both of their forms, HCL and JSON. A text in which nothing is granted reads as no grants; whether
that may be, rules decide. Nothing here refuses a policy; the product does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from policies.concepts.jobspecs import Block, from_hcl

_WORD = re.compile(r'"((?:\\.|[^"\\])*)"')
_LEVELS = ("policy", "capabilities")


@dataclass(frozen=True)
class Grant:
    """What one block of a policy gives.

    Attributes:
        on: the kind of thing: `path`, `namespace`, `acl`, `operator`.
        name: which one of the kind; empty where there is only one.
        rights: a level such as `write`, or capabilities.
    """

    on: str
    name: str
    rights: frozenset[str]


def grants(text: str) -> Iterator[Grant]:
    """What a policy gives."""
    try:
        document: object = json.loads(text)
    except ValueError:
        yield from _from_hcl(from_hcl(text))
        return
    yield from _from_json(cast("dict[str, Any]", document) if isinstance(document, dict) else {})


def _from_hcl(policy: Block) -> Iterator[Grant]:
    # `acl = "write"` in Consul's policies, `operator { policy = "write" }` in Nomad's.
    for kind, level in policy.values.items():
        yield Grant(kind, "", frozenset({level}))
    for block in policy.blocks:
        rights = {block.get("policy"), *_WORD.findall(block.get("capabilities"))}
        yield Grant(block.type, block.name, frozenset(rights - {""}))


def _from_json(policy: dict[str, Any]) -> Iterator[Grant]:
    for kind, said in policy.items():
        if not isinstance(said, dict):
            yield Grant(kind, "", frozenset({str(said)}))
            continue
        below = cast("dict[str, Any]", said)
        named = {"": below} if set(below) & set(_LEVELS) else below
        for name, rights in named.items():
            yield Grant(kind, name, frozenset(_rights(rights)))


def _rights(said: object) -> Iterator[str]:
    if isinstance(said, dict):
        for level in _LEVELS:
            yield from _rights(cast("dict[str, Any]", said).get(level))
    elif isinstance(said, list):
        yield from (str(each) for each in cast("list[object]", said))
    elif said is not None:
        yield str(said)
