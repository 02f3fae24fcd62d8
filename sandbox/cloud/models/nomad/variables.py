"""Variables of a real Nomad (/v1/var). Their items are secrets."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from nomad.api.exceptions import URLNotFoundNomadException

from sandbox.cloud.acting import Actor
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.nomad.api import Api
from sandbox.cloud.registry import model
from sandbox.cloud.wire import Secret, Value


class _Variable(Actor):
    """As with the real provider, a variable at that path is overwritten."""

    inputs = frozenset({"path", "namespace", "items"})

    def place(self, inputs: Mapping[str, Value]) -> str | None:
        return f"{inputs.get('path')}@{inputs.get('namespace') or 'default'}"

    def create(self, api: Api, draft: Draft) -> str:
        path, namespace = draft.inputs["path"], draft.get("namespace", "default")
        body = {"Path": path, "Namespace": namespace, "Items": draft.get("items", {})}
        api.variable.create_variable(path, body, namespace=namespace)
        return f"{path}@{namespace}"

    def read(self, api: Api, draft: Draft) -> Mapping[str, Value] | None:
        path, _, namespace = draft.id.rpartition("@")
        try:
            found = api.variable.get_variable(path, namespace=namespace)
        except URLNotFoundNomadException:
            return None
        return {"path": path, "namespace": namespace, "items": Secret(found["Items"])}

    def update(self, api: Api, draft: Draft) -> None:
        self.create(api, draft)

    def delete(self, api: Api, draft: Draft) -> None:
        path, _, namespace = draft.id.rpartition("@")
        with suppress(URLNotFoundNomadException):
            api.variable.delete_variable(path, namespace=namespace)


variable: Final = model("nomad:index/variable:Variable", immutable=("path", "namespace"), acts=_Variable())
