"""Key-value entries of a real Consul (/v1/kv).

As with the real provider, entries outlive the resource, and their removal from it, unless they say `delete`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import consul

from sandbox.cloud.acting import Actor
from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.consul.api import get
from sandbox.cloud.products import acts
from sandbox.cloud.registry import model
from sandbox.cloud.wire import Secret, Value


class _Keys(Actor):
    inputs = frozenset({"keys", "datacenter"})

    def place(self, inputs: Mapping[str, Value]) -> str | None:
        return None

    def create(self, api: consul.Consul, draft: Draft) -> str:
        self._write(api, draft)
        return "consul"  # the real provider's id: entries have no other than their paths

    def read(self, api: consul.Consul, draft: Draft) -> Mapping[str, Value] | None:
        """A written entry that is gone reads as empty, and so differs; if all are gone, the resource is."""
        keys = draft.get("keys", [])
        there = {each["path"]: api.kv.get(each["path"], dc=_datacenter(draft))[1] for each in keys}
        written = [each["path"] for each in keys if _is_written(each)]
        if written and not any(there[path] for path in written):
            return None
        return {
            "datacenter": draft.get("datacenter") or api.dc or get(api, "/v1/agent/self")["Config"]["Datacenter"],
            "keys": [{**each, **_state(each, there[each["path"]])} for each in keys],
            "var": Secret({
                each["name"]: _value(there[each["path"]]) if there[each["path"]] else each.get("default", "")
                for each in keys if each.get("name")
            }),
        }  # fmt: skip

    def update(self, api: consul.Consul, draft: Draft) -> None:
        kept = {each["path"] for each in draft.get("keys", [])}
        before = draft.old.plain.get("keys") if draft.old else None
        self._remove(api, draft, [each for each in before or [] if each["path"] not in kept])
        self._write(api, draft)

    def delete(self, api: consul.Consul, draft: Draft) -> None:
        self._remove(api, draft, draft.get("keys", []))

    def _write(self, api: consul.Consul, draft: Draft) -> None:
        for each in draft.get("keys", []):
            if _is_written(each):
                api.kv.put(each["path"], each["value"], flags=each.get("flags") or None, dc=_datacenter(draft))

    def _remove(self, api: consul.Consul, draft: Draft, keys: list[dict[str, Any]]) -> None:
        for each in keys:
            if each.get("delete"):
                api.kv.delete(each["path"], dc=_datacenter(draft))


def _datacenter(draft: Draft) -> str | None:
    return draft.inputs.get("datacenter")


def _is_written(key: Mapping[str, Value]) -> bool:
    """Whether the program says what an entry holds; one that it does not, it reads."""
    return key.get("value") is not None


def _state(key: Mapping[str, Value], there: Mapping[str, Value] | None) -> dict[str, Value]:
    """Of an entry that the program writes, what is there."""
    if not _is_written(key):
        return {}
    flags = {"flags": there["Flags"] if there else 0} if "flags" in key else {}
    return {"value": _value(there) if there else "", **flags}


def _value(entry: Mapping[str, Value]) -> str:
    return (entry["Value"] or b"").decode(errors="replace")


keys: Final = model("consul:index/keys:Keys", immutable=("datacenter",), acts=_Keys())


@keys.check
def _paths(draft: Draft) -> Iterator[Failure]:
    if acts(draft.provider, draft.type):
        for where, path in draft.each("keys[*].path"):
            if isinstance(path, str) and path.startswith("/"):
                yield draft.fail(
                    where, f"'{path}' begins with a slash, and Consul would not find it again: leave it out"
                )
