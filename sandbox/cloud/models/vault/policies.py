"""Policies and audit devices of a real Vault (/sys/policies/acl, /sys/audit)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import hvac
from hvac.exceptions import InvalidPath

from sandbox.cloud.acting import Actor
from sandbox.cloud.draft import Draft
from sandbox.cloud.registry import Name, model
from sandbox.cloud.wire import Value


class _Policy(Actor):
    """As with the real provider, a policy of that name is overwritten."""

    inputs = frozenset({"name", "policy", "allowOverwrite"})

    def create(self, api: hvac.Client, draft: Draft) -> str:
        api.sys.create_or_update_acl_policy(draft.inputs["name"], draft.inputs["policy"])
        return draft.inputs["name"]

    def read(self, api: hvac.Client, draft: Draft) -> Mapping[str, Value] | None:
        try:
            found = api.sys.read_acl_policy(draft.id)["data"]
        except InvalidPath:
            return None
        return {"name": draft.id, "policy": found["policy"]}

    def update(self, api: hvac.Client, draft: Draft) -> None:
        self.create(api, draft)

    def delete(self, api: hvac.Client, draft: Draft) -> None:
        api.sys.delete_acl_policy(draft.id)


class _Audit(Actor):
    """Vault changes nothing of an audit device that is enabled; every change replaces it."""

    inputs = frozenset({"path", "type", "description", "options", "local"})

    def place(self, inputs: Mapping[str, Value]) -> str | None:
        return (inputs.get("path") or inputs.get("type") or "").strip("/")

    def create(self, api: hvac.Client, draft: Draft) -> str:
        path = str(self.place(draft.inputs))
        given = draft.inputs
        api.sys.enable_audit_device(
            given["type"], given.get("description"), given["options"], path, local=given.get("local")
        )
        return path

    def read(self, api: hvac.Client, draft: Draft) -> Mapping[str, Value] | None:
        found = api.sys.list_enabled_audit_devices()["data"].get(f"{draft.id}/")
        return found and {
            "path": draft.id,
            **{name: found[name] for name in ("type", "description", "options", "local")},
        }

    def update(self, api: hvac.Client, draft: Draft) -> None:
        """There is nothing that does not replace it."""

    def delete(self, api: hvac.Client, draft: Draft) -> None:
        with suppress(InvalidPath):
            api.sys.disable_audit_device(draft.id)


policy: Final = model("vault:index/policy:Policy", name=Name("name"), immutable=("name",), acts=_Policy())
audit: Final = model(
    "vault:index/audit:Audit", immutable=("path", "type", "description", "options", "local"), acts=_Audit()
)
