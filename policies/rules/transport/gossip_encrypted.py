"""Gossip is encrypted, by a key that is a reference and no literal."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.concepts.charts import RELEASE, chart
from policies.concepts.clusters import CONSUL, NOMAD
from policies.conditions import TRUE, between, matching
from policies.context import Context
from policies.resource import Resource
from policies.rule import Check, Finding, Rule, need, on
from policies.values import ABSENT, as_bool

_LITERAL = re.compile(r"[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{22}==")
_REFERENCE = matching(
    lambda text: bool(text) and not _LITERAL.fullmatch(text), "must name the key and not be the key itself"
)
_BYTES = 32
_RANDOM = {"random:index/randomBytes:RandomBytes": "length", "random:index/randomId:RandomId": "byteLength"}
"""What makes a key, and where its length is said."""
_GLOBAL = "values.global.gossipEncryption"


def _gossip(source: Resource) -> bool:
    return "gossip" in source.name


def _chart(release: Resource, _: Context) -> Iterator[Finding]:
    if chart(release) != "consul" or as_bool(release.get(f"{_GLOBAL}.autoGenerate")) is True:
        return
    if any(release.get(f"{_GLOBAL}.{name}") in (ABSENT, "") for name in ("secretName", "secretKey")):
        yield Finding(_GLOBAL, "must generate the key, or name the secret and its key")


RULE = Rule(
    "gossip-encrypted",
    (
        on((CONSUL, NOMAD), need("gossipEncryption", TRUE), need("gossipKeyRef", _REFERENCE), unknown="fail"),
        Check(
            (RELEASE,),
            _chart,
            ("chart", *(f"{_GLOBAL}.{name}" for name in ("autoGenerate", "secretName", "secretKey"))),
            "fail",
        ),
        *(
            on(token, need(length, between(_BYTES, _BYTES)), when=_gossip, unknown="fail")
            for token, length in _RANDOM.items()
        ),
    ),
)
