"""Clusters name the cloud key that opens them.

An exemption is taken for a Vault that people unseal, and for nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from policies.concepts.charts import RELEASE, chart
from policies.concepts.clusters import BOUNDARY, NOMAD, VAULT
from policies.conditions import LITERAL, one_of
from policies.context import Context
from policies.resource import Node, Resource
from policies.rule import Check, Finding, Rule, advice, deferred, demand
from policies.values import as_int

_SERVICES: Mapping[str, str] = {"aws": "awskms", "azure": "azurekeyvault", "gcp": "gcpckms"}
"""The key service by cloud, as Vault, Nomad and Boundary call it."""
_NAMED = "|".join(_SERVICES.values())
_STANZA = re.compile(rf"""seal["']?\s*[:=]?\s*\{{?\s*\[?\s*\{{?\s*["']?(?:{_NAMED})\b""")
_SETTING = re.compile(rf"(?:^|\.)seal(?:\[\d+\])?\.(?:{_NAMED})$")


def _binding(found: Iterable[Finding]) -> Iterator[Finding]:
    return (replace(finding, exemptible=False) for finding in found)


def _vault(cluster: Resource, _: Context) -> Iterator[Finding]:
    type_, cloud = cluster.at("seal.type"), cluster.at("cloud")
    if type_.value == "shamir":
        yield Finding(type_.path, "is shamir: people must unseal every server by hand")
        return
    yield from _binding(demand(cloud, one_of(*_SERVICES)))
    fitting = [service for place, service in _SERVICES.items() if cloud.value == place] or _SERVICES.values()
    yield from _binding(demand(type_, one_of(*fitting)))
    yield from _binding(demand(cluster.at("seal.keyRef"), LITERAL))


def _boundary(cluster: Resource, _: Context) -> Iterator[Finding]:
    keys = list(cluster.each("kms[]"))
    for key in keys:
        # Workers of one cloud may be let in by a key of another.
        yield from _binding(demand(key.at("type"), one_of(*_SERVICES.values())))
        for path in ("purpose", "keyRef"):
            yield from _binding(demand(key.at(path), LITERAL))
    if len({key.at("keyRef").value for key in keys}) < len(keys):
        yield Finding("kms", "must name a key of its own for each purpose", exemptible=False)
    yield from _binding(_purposes(cluster.at("nodes"), {key.at("purpose").value for key in keys}))


def _purposes(nodes: Node, purposes: set[object]) -> Iterator[Finding]:
    """Workers need the key by which they are let in; controllers also the root of all others."""
    if nodes.unknown:
        yield deferred(nodes.path)
    if "worker-auth" not in purposes:
        yield _missing("worker-auth")
    if nodes.absent or as_int(nodes.value) == 0:
        yield advice("nodes", "holds no controller yet, so that only the workers' key is judged")
        return
    if "root" not in purposes:
        yield _missing("root")
    if "recovery" not in purposes:
        yield replace(_missing("recovery"), kind="advice")


def _missing(purpose: str) -> Finding:
    return Finding("kms", f"must name a key for {purpose}")


def _nomad(cluster: Resource, _: Context) -> Iterator[Finding]:
    yield from _binding(demand(cluster.at("keyring.provider"), one_of(*_SERVICES.values(), "transit")))
    yield from _binding(demand(cluster.at("keyring.keyRef"), LITERAL))


def _release(release: Resource, _: Context) -> Iterator[Finding]:
    if chart(release) != "vault":
        return
    texts = list(release.at("values").texts())
    if any(_SETTING.search(text.path) or _STANZA.search(_bare(text)) for text in texts if not text.unknown):
        return
    unknown = [text for text in texts if text.unknown]
    for text in unknown:
        yield Finding(text.path, "is not known before the update, and nothing else names a seal", exemptible=False)
    if not unknown:
        yield Finding("values", f"must hold a seal stanza of {_NAMED.replace('|', ', ')}", exemptible=False)


def _bare(text: Node) -> str:
    """A configuration without its comments."""
    return re.sub(r"^\s*(?:#|//).*$", "", str(text.value), flags=re.MULTILINE)


_KMS = tuple(f"kms[].{path}" for path in ("purpose", "type", "keyRef"))
RULE = Rule(
    "seal-key-present",
    (
        Check((VAULT,), _vault, ("cloud", "seal.type", "seal.keyRef"), unknown="fail"),
        Check((BOUNDARY,), _boundary, ("nodes", *_KMS), unknown="fail"),
        Check((NOMAD,), _nomad, ("keyring.provider", "keyring.keyRef"), unknown="fail"),
        Check((RELEASE,), _release, ("chart", "values"), unknown="fail"),
    ),
)
