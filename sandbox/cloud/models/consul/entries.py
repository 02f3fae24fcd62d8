"""Configuration entries of a real Consul (/v1/config)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

import consul

from sandbox.cloud.acting import Actor
from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.registry import model
from sandbox.cloud.wire import Value

_CONSULS_OWN: Final = frozenset({"Kind", "Name", "CreateIndex", "ModifyIndex", "Hash", "Namespace", "Partition"})


class _Entry(Actor):
    inputs = frozenset({"kind", "name", "configJson"})

    def place(self, inputs: Mapping[str, Value]) -> str | None:
        return f"{inputs.get('kind')}/{inputs.get('name')}"

    def create(self, api: consul.Consul, draft: Draft) -> str:
        kind, name = draft.inputs["kind"], draft.inputs["name"]
        api.config.set(kind, name, json.loads(draft.get("configJson", "{}")))
        return f"{kind}/{name}"

    def read(self, api: consul.Consul, draft: Draft) -> Mapping[str, Value] | None:
        kind, _, name = draft.id.partition("/")
        found = api.config.get(kind, name)
        if not found:
            return None
        own = {key: value for key, value in found.items() if key not in _CONSULS_OWN}
        given = draft.get("configJson")
        same = given is not None and within(json.loads(given), own)
        return {"kind": kind, "name": name, "configJson": given if same else json.dumps(own, sort_keys=True)}

    def update(self, api: consul.Consul, draft: Draft) -> None:
        self.create(api, draft)

    def delete(self, api: consul.Consul, draft: Draft) -> None:
        kind, _, name = draft.id.partition("/")
        api.config.delete(kind, name)


def within(given: Value, found: Value) -> bool:
    """Whether all that is given is found as it is; Consul adds defaults, and takes `local_path` for `LocalPath`."""
    if isinstance(given, dict) and isinstance(found, dict):
        there = {_folded(key): value for key, value in found.items()}
        return all(
            _folded(key) in there and within(value, there[_folded(key)])
            for key, value in given.items()
            if key not in _CONSULS_OWN
        )
    if isinstance(given, list) and isinstance(found, list):
        return len(given) == len(found) and all(map(within, given, found))
    return given == found


def _folded(key: str) -> str:
    return key.replace("_", "").lower()


entry: Final = model("consul:index/configEntry:ConfigEntry", immutable=("kind", "name"), acts=_Entry())


@entry.check
def _is_an_object(draft: Draft) -> Iterator[Failure]:
    given = draft.known("configJson")
    try:
        fits = given is None or isinstance(json.loads(given), dict)
    except ValueError:
        fits = False
    if not fits:
        yield draft.fail("configJson", "it is not the JSON text of an object")
