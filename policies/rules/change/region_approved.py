"""Resources lie only in approved regions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping

from policies.concepts.backups import GCS_BUCKET, of_backups
from policies.concepts.facts import FACTS
from policies.concepts.presence import present
from policies.conditions import PRESENT, UNSET, advised
from policies.context import Context
from policies.resource import Node, Resource
from policies.rule import Check, Finding, Rule, advice, need, on
from policies.values import ABSENT

_AWS, _AZURE, _GOOGLE = (f"pulumi:providers:{package}" for package in ("aws", "azure-native", "gcp"))
_KEY_RING = "gcp:kms/keyRing:KeyRing"
_PLACES = ("region", "zone", "location")
_GLOBAL = "global"
"""Of a thing that lies nowhere, such as a name server's zone."""
_ZONE = re.compile(r"(.+\d)-[a-z]$")
_MULTI_REGION = re.compile(r"(us|nam|europe|eur?|asia)\d*$")
_CONTINENTS: Mapping[str, str] = {
    "us": "us-",
    "nam": "us-",
    "europe": "europe-",
    "eu": "europe-",
    "eur": "europe-",
    "asia": "asia-",
}
"""How regions of a multi-region begin."""

_SAYS = "is no approved region"


def _lies(node: Node, context: Context, name: Callable[[str], str]) -> Iterator[Finding]:
    """Whether what a place is called, once its spelling is evened out, is approved."""
    text = node.known()
    if not isinstance(text, str) or name(text) not in context.settings.approved_regions:
        yield Finding(node.path, _SAYS)


def _even(text: str) -> str:
    """`West US 2` is `westus2`."""
    return text.lower().replace(" ", "")


def _region(text: str) -> str:
    """A region from its name, a zone's, or an address that ends in one."""
    last = text.rpartition("/")[2].lower()
    zone = _ZONE.match(last)
    return zone[1] if zone else last


def _provider(resource: Resource, setting: str) -> Node:
    props = dict(resource.provider.props) if resource.provider else {}
    return Node("provider", props).at(setting)


def _aws(resource: Resource, context: Context) -> Iterator[Finding]:
    node = resource.at("region")
    if node.absent:
        node = _provider(resource, "region")
    if not node.absent:
        yield from _lies(node, context, str)


def _azure(resource: Resource, context: Context) -> Iterator[Finding]:
    node = resource.at("location")
    if node.absent:
        node = _provider(resource, "location")
    if not node.absent and _even(str(node.known())) != _GLOBAL:
        yield from _lies(node, context, _even)


def _google(resource: Resource, context: Context) -> Iterator[Finding]:
    if resource.provider and not any(
        present(node) for node in (_provider(resource, "project"), resource.at("project"))
    ):
        yield Finding("project", "must be pinned, on the resource or on its provider")
    twice = resource.kind == _KEY_RING or (resource.kind == GCS_BUCKET and of_backups(resource))
    for place in _PLACES:
        node = resource.at(place)
        text = node.known()
        if text is ABSENT or str(text).lower() == _GLOBAL or (twice and _near(str(text), context)):
            continue
        yield from _lies(node, context, _region)


def _near(text: str, context: Context) -> bool:
    """Whether a multi-region holds an approved region."""
    found = _MULTI_REGION.match(text.lower())
    return found is not None and any(
        region.startswith(_CONTINENTS[found[1]]) for region in context.settings.approved_regions
    )


def _placed(bucket: Resource, context: Context) -> Iterator[Finding]:
    for node in bucket.each("customPlacementConfig?.dataLocations[]"):
        yield from _lies(node, context, _region)


def _settled(name: Callable[[str], str], setting: str) -> Callable[[Resource, Context], Iterator[Finding]]:
    """A provider's own region, which holds for whatever names none."""
    return lambda provider, context: _lies(provider.at(setting), context, name)


def _pinned(provider: Resource, _: Context) -> Iterator[Finding]:
    said = provider.get("allowedAccountIds")
    if UNSET.holds(_decoded(said)):
        yield advice("allowedAccountIds", "should name the account, so that no other is changed by mistake")


def _decoded(value: object) -> object:
    """A provider's lists come as JSON."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return ABSENT


def _facts(facts: Resource, context: Context) -> Iterator[Finding]:
    yield from _lies(facts.at("region"), context, str)
    if {node.known() for node in facts.each("approvedRegions[]")} != set(context.settings.approved_regions):
        yield Finding("approvedRegions", "must be the regions of the pack's setting approvedRegions, and no other")


RULE = Rule(
    "region-approved",
    (
        Check(("aws:",), _aws, ("region",)),
        Check(("azure-native:",), _azure, ("location",)),
        Check(("gcp:",), _google, (*_PLACES, "project")),
        Check((GCS_BUCKET,), _placed, ("customPlacementConfig?.dataLocations[]",)),
        Check((_AWS,), _settled(str, "region"), ("region",)),
        Check((_AWS,), _pinned, ("allowedAccountIds",)),
        Check((_AZURE,), _azure, ("location",)),
        Check((_GOOGLE,), _settled(_region, "region"), ("region",)),
        on(_GOOGLE, need("project", advised(PRESENT))),
        Check((FACTS,), _facts, ("region", "approvedRegions[]")),
    ),
)
