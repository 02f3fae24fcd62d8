"""Namespaces of a real Nomad (/v1/namespace)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from nomad.api.exceptions import URLNotFoundNomadException

from sandbox.cloud.acting import Actor
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.nomad.api import Api
from sandbox.cloud.registry import Name, model
from sandbox.cloud.wire import Value

_CAPABILITIES: Final = {
    "enabledTaskDrivers": "EnabledTaskDrivers", "disabledTaskDrivers": "DisabledTaskDrivers",
    "enabledNetworkModes": "EnabledNetworkModes", "disabledNetworkModes": "DisabledNetworkModes",
}  # fmt: skip


class _Namespace(Actor):
    """As with the real provider, a namespace of that name is overwritten."""

    inputs = frozenset({"name", "description", "meta", "capabilities"})

    def create(self, api: Api, draft: Draft) -> str:
        given = draft.inputs
        allowed = given.get("capabilities")
        api.namespace.create_namespace({
            "Name": given["name"],
            "Description": given.get("description") or "",
            "Meta": given.get("meta") or {},
            "Capabilities": allowed and {theirs: allowed.get(ours) for ours, theirs in _CAPABILITIES.items()},
        })  # fmt: skip
        return given["name"]

    def read(self, api: Api, draft: Draft) -> Mapping[str, Value] | None:
        try:
            found = api.namespace.get_namespace(draft.id)
        except URLNotFoundNomadException:
            return None
        allowed = found.get("Capabilities")
        return {
            "name": found["Name"],
            "description": found["Description"],
            "meta": found["Meta"] or {},
            "capabilities": allowed and {
                ours: allowed[theirs] for ours, theirs in _CAPABILITIES.items() if allowed.get(theirs)
            },
        }  # fmt: skip

    def update(self, api: Api, draft: Draft) -> None:
        self.create(api, draft)

    def delete(self, api: Api, draft: Draft) -> None:
        with suppress(URLNotFoundNomadException):
            api.namespace.delete_namespace(draft.id)


namespace: Final = model("nomad:index/namespace:Namespace", name=Name("name"), immutable=("name",), acts=_Namespace())
