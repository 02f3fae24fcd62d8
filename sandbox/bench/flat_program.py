"""A Pulumi program that registers what `resources.json` lists, one by one, with plain values.

The bench copies it into a project of its own: the least that any program registering the same resources costs, as it
imports no cloud's SDK, computes nothing and waits for no output. Properties arrive as the state spells them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi


class Generic(pulumi.CustomResource):
    """Any resource: its properties keep their names."""

    def translate_input_property(self, prop: str) -> str:
        return prop


def register(resource: dict[str, Any], known: dict[str, pulumi.Resource]) -> pulumi.Resource:
    """Registers one resource of a state under the parent it had."""
    options = pulumi.ResourceOptions(parent=known.get(resource.get("parent", "")), protect=resource.get("protect"))
    name = resource["urn"].rpartition("::")[2]
    if not resource["custom"]:
        return pulumi.ComponentResource(resource["type"], name, {}, options)
    # urn:pulumi:stack::project::pulumi:providers:aws::default_7_51_1::id
    default = resource.get("provider", "").split("::")[-2].removeprefix("default_")
    options.version = default.replace("_", ".")
    options.additional_secret_outputs = resource.get("additionalSecretOutputs")
    return Generic(resource["type"], name, resource.get("inputs", {}), options)


known: dict[str, pulumi.Resource] = {}
for listed in json.loads(Path("resources.json").read_text(encoding="utf-8")):
    known[listed["urn"]] = register(listed, known)
