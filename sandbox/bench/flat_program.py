"""A Pulumi program that registers what `resources.json` lists, one by one, with plain values.

The bench copies it into a project of its own: the least that any program registering the same resources costs, as it
imports no cloud's SDK, computes nothing and waits for no output. Properties arrive as the state spells them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pulumi

PROVIDER = "pulumi:providers:"


class Generic(pulumi.CustomResource):
    """Any resource: its properties keep their names."""

    def translate_input_property(self, prop: str) -> str:
        return prop


def plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The value as a program would write it: the state spells a secret as its JSON text under `plaintext`."""
    if isinstance(value, dict):
        if "plaintext" in value:
            return pulumi.Output.secret(plain(json.loads(value["plaintext"])))
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def register(resource: dict[str, Any], known: dict[str, pulumi.Resource]) -> pulumi.Resource:
    """Registers one resource of a state under the parent, and with the provider, that it had."""
    options = pulumi.ResourceOptions(parent=known.get(resource.get("parent", "")), protect=resource.get("protect"))
    name, inputs = resource["urn"].rpartition("::")[2], plain(resource.get("inputs", {}))
    kind = resource["type"]
    if kind.startswith(PROVIDER):
        options.version = inputs.pop("version")
        inputs.pop("__internal", None)
        return pulumi.ProviderResource(kind.removeprefix(PROVIDER), name, inputs, options)
    if not resource["custom"]:
        return pulumi.ComponentResource(kind, name, inputs, options)
    # A provider is named by its URN and id. One that the engine made is called default_<version>, dots as underscores.
    provider = resource["provider"].rpartition("::")[0]
    if provider in known:
        options.provider = cast("pulumi.ProviderResource", known[provider])
    else:
        options.version = provider.rpartition("::")[2].removeprefix("default_").replace("_", ".")
    options.additional_secret_outputs = resource.get("additionalSecretOutputs")
    return Generic(kind, name, inputs, options)


known: dict[str, pulumi.Resource] = {}
for listed in json.loads(Path("resources.json").read_text(encoding="utf-8")):
    known[listed["urn"]] = register(listed, known)
