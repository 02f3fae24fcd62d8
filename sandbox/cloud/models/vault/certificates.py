"""Roles of the certificate auth method of a real Vault (/auth/:path/certs/:name)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import hvac

from sandbox.cloud.acting import Actor
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.vault.api import snake
from sandbox.cloud.registry import Name, model
from sandbox.cloud.wire import Value

_LISTS: Final = (
    "allowedCommonNames", "allowedDnsSans", "allowedEmailSans", "allowedNames", "allowedOrganizationalUnits",
    "allowedUriSans", "requiredExtensions", "tokenBoundCidrs", "tokenPolicies",
)  # fmt: skip
_NUMBERS: Final = ("tokenExplicitMaxTtl", "tokenMaxTtl", "tokenNumUses", "tokenPeriod", "tokenTtl")
_SWITCHES: Final = ("tokenNoDefaultPolicy", "ocspEnabled", "ocspFailOpen", "ocspQueryAllServers")
_TEXTS: Final = ("certificate", "displayName", "tokenType")
_FIELDS: Final = (*_LISTS, *_NUMBERS, *_SWITCHES, *_TEXTS)


class _Role(Actor):
    inputs = frozenset({"name", "backend", *_FIELDS})

    def place(self, inputs: Mapping[str, Value]) -> str | None:
        return f"auth/{(inputs.get('backend') or 'cert').strip('/')}/certs/{inputs.get('name')}"

    def create(self, api: hvac.Client, draft: Draft) -> str:
        id_ = str(self.place(draft.inputs))
        api.write_data(id_, data={snake(name): draft.inputs[name] for name in _FIELDS if _given(draft, name)})
        return id_

    def read(self, api: hvac.Client, draft: Draft) -> Mapping[str, Value] | None:
        answer: Any = api.read(draft.id)
        if not answer:
            return None
        backend, _, name = draft.id.removeprefix("auth/").rpartition("/certs/")
        found = answer["data"]
        return {
            "name": name,
            "backend": backend,
            **{field: found.get(snake(field)) or [] for field in _LISTS},
            **{field: found.get(snake(field)) for field in (*_NUMBERS, *_SWITCHES, *_TEXTS)},
        }

    def update(self, api: hvac.Client, draft: Draft) -> None:
        """Vault leaves alone what a request does not name, so what the program no longer says is named empty."""
        before = draft.old.inputs if draft.old else {}
        body = {
            snake(name): draft.inputs[name] if _given(draft, name) else _EMPTY[name]
            for name in _FIELDS
            if _given(draft, name) or before.get(name) is not None
        }
        api.write_data(draft.id, data=body)

    def delete(self, api: hvac.Client, draft: Draft) -> None:
        api.delete(draft.id)


def _given(draft: Draft, name: str) -> bool:
    return draft.inputs.get(name) is not None


_EMPTY: Final[dict[str, Value]] = {
    **{name: [] for name in _LISTS}, **dict.fromkeys(_NUMBERS, 0), **dict.fromkeys(_SWITCHES, False),
    "displayName": "", "tokenType": "default", "certificate": "",
}  # fmt: skip
role: Final = model(
    "vault:index/certAuthBackendRole:CertAuthBackendRole",
    name=Name("name"),
    immutable=("name", "backend"),
    acts=_Role(),
)
