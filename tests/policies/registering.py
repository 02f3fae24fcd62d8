"""The program that registers what a JSON file lists: any type, with or without its SDK's classes.

Not imported: its text is the program of a project (`Sandbox.program`). HMC_RESOURCES names the file. Each entry has type,
name, props, above (types of components that it lies below), protect, depends (names of earlier resources by property);
the entry of type `pulumi:pulumi:Stack` is the stack's outputs.
"""

import json
import os
from pathlib import Path
from typing import Any

import pulumi

UNKNOWN = "<unknown>"
STACK = "pulumi:pulumi:Stack"

made: dict[str, pulumi.Resource] = {}


def component(token: str, name: str, props: dict[str, Any], parent: pulumi.Resource | None) -> pulumi.Resource:
    """A component that registers its props as outputs, as stack rules read them."""
    resource = pulumi.ComponentResource(token, name, props, pulumi.ResourceOptions(parent=parent))
    resource.register_outputs(props)
    return resource


def valued(value: Any, sources: list[pulumi.Resource]) -> Any:  # noqa: ANN401
    """The value as something that comes from other resources; unknown until they exist where it says so."""
    if not sources:
        return value
    if value == UNKNOWN:
        return sources[0].id if isinstance(sources[0], pulumi.CustomResource) else sources[0].urn
    return pulumi.Output.all(*(source.urn for source in sources)).apply(lambda _: value)


def register(entry: dict[str, Any]) -> None:
    """One entry."""
    parent = None
    for depth, token in enumerate(entry["above"]):
        name = f"{entry['name']}-above-{depth}"
        parent = component(token, name, {}, parent)
    if entry["type"] == STACK:
        for key, value in entry["props"].items():
            pulumi.export(key, value)
    elif entry["type"].startswith("hashicorp:"):
        made[entry["name"]] = component(entry["type"], entry["name"], entry["props"], parent)
    else:
        depends = {prop: [made[name] for name in names if name in made] for prop, names in entry["depends"].items()}
        props = {key: valued(value, depends.get(key, [])) for key, value in entry["props"].items()}
        options = pulumi.ResourceOptions(
            parent=parent, protect=entry["protect"], ignore_changes=entry["ignoreChanges"] or None
        )
        if entry["type"].startswith("pulumi:providers:"):
            package = entry["type"].rpartition(":")[2]
            made[entry["name"]] = pulumi.ProviderResource(package, entry["name"], props, options)
        else:
            made[entry["name"]] = pulumi.CustomResource(entry["type"], entry["name"], props, options)


for listed in json.loads(Path(os.environ["HMC_RESOURCES"]).read_text(encoding="utf-8")):
    register(listed)
