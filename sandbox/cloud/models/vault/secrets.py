"""Secrets of the second key-value engine of a real Vault (/:mount/data/:name).

As with the real provider, deletion takes the last version only, unless `deleteAllVersions` asks for all.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import hvac
from hvac.exceptions import InvalidPath, InvalidRequest

from sandbox.cloud import wire
from sandbox.cloud.acting import Actor
from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.products import acts
from sandbox.cloud.registry import Name, model
from sandbox.cloud.wire import Secret, Value

_READY_SECONDS: Final = 10.0
_UPGRADING: Final = "Upgrading from non-versioned to versioned data"
_METADATA: Final = {"casRequired": "cas_required", "maxVersions": "max_versions", "data": "custom_metadata"}


class _SecretV2(Actor):
    inputs = frozenset({"mount", "name", "dataJson", "deleteAllVersions", "customMetadata"})

    def place(self, inputs: Mapping[str, Value]) -> str | None:
        return f"{inputs.get('mount')}/data/{inputs.get('name')}"

    def create(self, api: hvac.Client, draft: Draft) -> str:
        mount, name = draft.inputs["mount"].strip("/"), draft.inputs["name"]
        draft.id = f"{mount}/data/{name}"
        self.update(api, draft)
        return draft.id

    def read(self, api: hvac.Client, draft: Draft) -> Mapping[str, Value] | None:
        mount, name = _split(draft.id)
        kv = api.secrets.kv.v2
        try:
            found = kv.read_secret_version(name, mount_point=mount, raise_on_deleted_version=True)["data"]
            told = kv.read_secret_metadata(name, mount_point=mount)["data"]
        except InvalidPath:
            return None
        data = found["data"] or {}
        given = draft.get("dataJson")
        return {
            "mount": mount,
            "name": name,
            "path": draft.id,
            "dataJson": Secret(given if given and json.loads(given) == data else json.dumps(data)),
            "data": Secret({key: _text(value) for key, value in data.items()}),
            "metadata": {key: _text(value) for key, value in found["metadata"].items() if value is not None},
            "customMetadata": {
                **{key: told[theirs] or ({} if key == "data" else told[theirs]) for key, theirs in _METADATA.items()},
                "deleteVersionAfter": _whole_seconds(told["delete_version_after"]),
            },
        }

    def update(self, api: hvac.Client, draft: Draft) -> None:
        """The metadata goes first: it may forbid what follows, and a version made twice is worse than none."""
        mount, name = _split(draft.id)
        about = draft.get("customMetadata")
        if about is not None or (draft.old and draft.old.inputs.get("customMetadata")):
            _patient(lambda: api.secrets.kv.v2.update_metadata(
                name, mount_point=mount, max_versions=(about or {}).get("maxVersions") or 0,
                cas_required=bool((about or {}).get("casRequired")), custom_metadata=(about or {}).get("data") or {},
                delete_version_after=f"{(about or {}).get('deleteVersionAfter') or 0}s",
            ))  # fmt: skip
        if draft.changed("dataJson"):
            data = json.loads(draft.inputs["dataJson"])
            _patient(lambda: api.secrets.kv.v2.create_or_update_secret(name, data, mount_point=mount))

    def delete(self, api: hvac.Client, draft: Draft) -> None:
        mount, name = _split(draft.id)
        kv = api.secrets.kv.v2
        remove = (
            kv.delete_metadata_and_all_versions
            if draft.get("deleteAllVersions")
            else kv.delete_latest_version_of_secret
        )
        remove(name, mount_point=mount)


def _patient(work: Callable[[], Any]) -> None:
    """Do it as soon as the engine, which has just been mounted, is ready."""
    end = time.monotonic() + _READY_SECONDS
    while True:
        try:
            work()
        except InvalidRequest as error:
            if _UPGRADING not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def _split(id_: str) -> tuple[str, str]:
    mount, _, name = id_.partition("/data/")
    return mount, name


def _text(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _whole_seconds(duration: str) -> int:
    """`1h0m5s` of Go in seconds."""
    hours, _, rest = duration.rpartition("h")
    minutes, _, seconds = rest.rpartition("m")
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(float(seconds.removesuffix("s") or 0))


secret: Final = model("vault:kv/secretV2:SecretV2", name=Name("name"), immutable=("mount", "name"), acts=_SecretV2())


@secret.check
def _is_an_object(draft: Draft) -> Iterator[Failure]:
    if not acts(draft.provider, draft.type):
        return
    given = draft.known("dataJson")
    if given is None and wire.is_known(draft.get("dataJson")):
        yield draft.fail("dataJson", "missing: the secret's data as the JSON text of an object")
        return
    try:
        fits = given is None or isinstance(json.loads(given), dict)
    except ValueError:
        fits = False
    if not fits:
        yield draft.fail("dataJson", "it is not the JSON text of an object")
