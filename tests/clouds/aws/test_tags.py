"""Everything that takes a tag gets one, in its own form, and keeps what it had."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pulumi_aws
import pytest

from components.clouds import aws
from components.clouds.aws.tags import TAGGED, tagged

TAGS = {"Project": "hashicorp-multicloud", "Owner": "platform"}
_USE = re.compile(r"\baws\.([a-z0-9]+)\.([A-Z][A-Za-z]+)\(")


def _used() -> dict[str, type]:
    """Every resource class that the package makes, by type token."""
    rules: list[Any] = [pulumi_aws.vpc.SecurityGroupIngressRule, pulumi_aws.vpc.SecurityGroupEgressRule]
    found: dict[str, type] = {made.pulumi_type: made for made in rules}
    for file in Path(aws.__file__).parent.glob("*.py"):
        for module, name in _USE.findall(file.read_text(encoding="utf-8")):
            made = getattr(getattr(pulumi_aws, module), name)
            found[made.pulumi_type] = made
    return found


def _takes_tags(made: type) -> bool:
    arguments = getattr(importlib.import_module(made.__module__), f"{made.__name__}Args")
    return "tags" in inspect.signature(arguments.__init__).parameters


def test_the_table_is_exactly_what_the_package_makes_and_the_sdk_lets_tag() -> None:
    used = _used()
    assert len(used) > 30, "the search found too little"
    assert {token for token, made in used.items() if _takes_tags(made)} == TAGGED


@pytest.mark.parametrize("token", sorted(TAGGED))
def test_common_tags_are_added_and_a_resources_own_stand(token: str) -> None:
    own = {"Name": "mine", "Owner": "me"}
    given = [{"key": key, "value": value, "propagate_at_launch": True} for key, value in own.items()]
    is_group = token == "aws:autoscaling/group:Group"
    made = tagged(token, {"name": "it", "tags": given if is_group else own}, TAGS)
    assert made is not None
    assert made["name"] == "it"
    found = {tag["key"]: tag["value"] for tag in made["tags"]} if is_group else made["tags"]  # type: ignore[union-attr]
    assert found == {**TAGS, **own}
    if is_group:
        assert all(tag["propagate_at_launch"] for tag in made["tags"])  # type: ignore[union-attr]
    assert tagged(token, made, {"Owner": "someone else", "Project": "other"}) == made


def test_a_type_without_tags_is_left_alone() -> None:
    assert tagged("aws:ec2/route:Route", {"routeTableId": "rtb"}, TAGS) is None
    assert tagged("hashicorp:clouds:Network", {"cidr": "10.1.0.0/16"}, TAGS) is None


def test_what_a_template_starts_and_a_machines_root_disk_are_tagged_too() -> None:
    kinds = ("instance", "volume")
    given = {"tag_specifications": [{"resource_type": kind, "tags": {"Name": "mine"}} for kind in kinds]}
    template = tagged("aws:ec2/launchTemplate:LaunchTemplate", given, TAGS)
    assert template is not None
    assert template["tags"] == TAGS
    assert template["tag_specifications"] == [
        {"resource_type": kind, "tags": {**TAGS, "Name": "mine"}} for kind in kinds
    ]
    machine = tagged("aws:ec2/instance:Instance", {"root_block_device": {"volume_size": 50}}, TAGS)
    assert machine is not None
    assert machine["root_block_device"] == {"volume_size": 50, "tags": TAGS}
