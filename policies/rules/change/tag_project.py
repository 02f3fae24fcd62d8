"""Everything that can carry a tag says which project it belongs to, and whose it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from components.plan.naming import PROJECT
from policies.concepts.apart import apart
from policies.concepts.taggable import taggable
from policies.conditions import matching
from policies.context import Context
from policies.resource import Node, Resource, World
from policies.rule import Check, Finding, Rule, across, advice, need, on
from policies.values import UNKNOWN, as_bool

_KEYS = ("Project", "Cluster", "Product", "Environment", "Owner")
_LABELS = tuple(key.lower() for key in _KEYS)

_GROUP = "aws:autoscaling/group:Group"
_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
_STARTED = ("instance", "volume")
_RESOURCE_GROUP = "azure-native:resources:ResourceGroup"
_DATABASE = "gcp:sql/databaseInstance:DatabaseInstance"
_GCS_BUCKET, _S3_BUCKET = "gcp:storage/bucket:Bucket", "aws:s3/bucket:Bucket"

_DEFAULTED = ("tags", "labels", "resourceLabels")
"""Properties to which a provider adds its own; it does not to the others."""
_PART_OF = "app.kubernetes.io/part-of"
_NO_OBJECTS = ("kubernetes:helm.sh/", "kubernetes:yaml", "kubernetes:kustomize")
"""What makes objects and is none itself."""


def _map(node: Node) -> Mapping[str, Any]:
    """A map of tags, some values of which may be unknown.

    Raises:
        Undecided: nothing of it is known yet.
    """
    known = node.known()
    return cast("Mapping[str, Any]", known) if isinstance(known, dict) else {}


def _missing(tags: Mapping[str, Any], keys: tuple[str, ...]) -> list[str]:
    """Keys that are not there, or hold nothing, or another project's name. What is not known yet is there."""
    project = keys[0]
    wrong = [project] if tags.get(project) not in (UNKNOWN, PROJECT) else []
    return wrong + [key for key in keys[1:] if tags.get(key) in (None, "")]


def _demanded(path: str, missing: list[str]) -> Iterator[Finding]:
    if missing:
        yield Finding(path, f"must hold {', '.join(missing)}; the project is {PROJECT}")


def _tagged(resource: Resource, _: Context) -> Iterator[Finding]:
    form = taggable(resource.type)
    if form is None:
        return
    keys = _LABELS if resource.type.startswith("gcp:") else _KEYS
    own = _map(resource.at(form))
    missing = _missing(own, keys)
    if missing and form in _DEFAULTED:
        missing = _missing({**_defaults(resource), **own}, keys)
    yield from _demanded(form, missing)


def _defaults(resource: Resource) -> Mapping[str, Any]:
    """What the provider adds: in AWS's a part of a setting, in Google's a setting of its own; both in JSON."""
    props = Node("provider", dict(resource.provider.props) if resource.provider else {})
    if resource.type.startswith("gcp:"):
        return _map(_decoded(props.at("defaultLabels")))
    return _map(_decoded(props.at("defaultTags")).at("tags"))


def _decoded(node: Node) -> Node:
    try:
        return Node(node.path, json.loads(node.value)) if isinstance(node.value, str) else node
    except ValueError:
        return Node(node.path, {})


# Types with a form of their own.


def _group(group: Resource, _: Context) -> Iterator[Finding]:
    listed = list(group.each("tags[]"))
    tags = {str(tag.get("key")): tag.at("value").value for tag in listed if not tag.at("value").absent}
    yield from _demanded("tags", _missing(tags, _KEYS))
    for tag in listed:
        if tag.get("key") in _KEYS and as_bool(tag.get("propagateAtLaunch")) is not True:
            yield Finding(f"{tag.path}.propagateAtLaunch", "must be true, so that machines are found too")


def _template(template: Resource, _: Context) -> Iterator[Finding]:
    listed = list(template.each("tagSpecifications[]"))
    for kind in _STARTED:
        carried = [_map(each.at("tags")).get(_KEYS[0]) for each in listed if each.get("resourceType") == kind]
        if not any(value in (UNKNOWN, PROJECT) for value in carried):
            yield Finding("tagSpecifications", f"must give each {kind} the tag {_KEYS[0]} with {PROJECT}")


def _database(database: Resource, _: Context) -> Iterator[Finding]:
    path = "settings.userLabels"
    yield from _demanded(path, _missing(_map(database.at(path)), _LABELS))


def _object(thing: Resource, _: Context) -> Iterator[Finding]:
    if thing.kind.startswith(_NO_OBJECTS):
        return
    if _map(thing.at("metadata.labels")).get(_PART_OF) not in (UNKNOWN, PROJECT):
        yield advice("metadata.labels", f"should hold {_PART_OF} with {PROJECT}")


# What the clouds made of it.


def _effective(world: World, _: Context) -> Iterator[Finding]:
    for kind, whole, own, key in (
        (_S3_BUCKET, "tagsAll", "tags", _KEYS[0]),
        (_GCS_BUCKET, "effectiveLabels", "labels", _LABELS[0]),
    ):
        for bucket in world.of(kind):
            yield from apart(bucket, _carries(bucket, whole, own, key))


def _carries(bucket: Resource, whole: str, own: str, key: str) -> Iterator[Finding]:
    # Google's provider keeps the effective set secret, which a state does not show; it holds what was asked for.
    if bucket.at(whole).unknown and bucket.at(f"{own}.{key}").value == PROJECT:
        return
    if _map(bucket.at(whole)).get(key) not in (UNKNOWN, PROJECT):
        yield Finding(whole, f"must hold {key} with {PROJECT}")


RULE = Rule(
    "tag-project",
    (
        Check(("aws:", "azure-native:"), _tagged, ("tags",)),
        Check(("gcp:",), _tagged, ("labels", "userLabels", "resourceLabels")),
        Check((_GROUP,), _group, ("tags[].key", "tags[].propagateAtLaunch")),
        Check((_TEMPLATE,), _template, ("tagSpecifications[].resourceType", "tagSpecifications[].tags")),
        on(
            _RESOURCE_GROUP,
            need(
                "resourceGroupName",
                matching(lambda name: name.startswith(f"rg-{PROJECT}"), f"must begin with rg-{PROJECT}"),
            ),
        ),
        Check((_DATABASE,), _database, ("settings.userLabels",)),
        Check(("kubernetes:",), _object, ("metadata.labels",)),
        across(_effective, (_S3_BUCKET, ("tags", "tagsAll")), (_GCS_BUCKET, ("labels", "effectiveLabels"))),
    ),
)
