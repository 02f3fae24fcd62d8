"""Auth methods and secrets engines of a real Vault (/sys/auth, /sys/mounts).

A changed path replaces. The real provider would move the mount with all that it holds; the sandbox shows the harder case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import hvac

from sandbox.cloud.acting import Actor
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.vault.api import snake
from sandbox.cloud.registry import model
from sandbox.cloud.wire import Value

_LISTS: Final = (
    "auditNonHmacRequestKeys", "auditNonHmacResponseKeys", "passthroughRequestHeaders", "allowedResponseHeaders",
)  # fmt: skip
_TUNED: Final = (*_LISTS, "defaultLeaseTtl", "maxLeaseTtl", "listingVisibility", "tokenType")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class _AuthBackend(Actor):
    inputs = frozenset({"path", "type", "description", "local", "tune"})

    def place(self, inputs: Mapping[str, Value]) -> str | None:
        return (inputs.get("path") or inputs.get("type") or "").strip("/")

    def create(self, api: hvac.Client, draft: Draft) -> str:
        given = draft.inputs
        path = str(self.place(given))
        api.sys.enable_auth_method(
            given["type"], given.get("description") or "", _tuning(draft), path=path, local=bool(given.get("local"))
        )
        return path

    def read(self, api: hvac.Client, draft: Draft) -> Mapping[str, Value] | None:
        found = api.sys.list_auth_methods()["data"].get(f"{draft.id}/")
        if not found:
            return None
        return {
            **{name: found[name] for name in ("type", "description", "local", "accessor")},
            "path": draft.id,
            "tune": _tuned(found["config"], draft.get("tune", {})),
        }

    def update(self, api: hvac.Client, draft: Draft) -> None:
        body = {"description": draft.inputs.get("description") or "", **_tuning(draft)}
        api.adapter.post(f"/v1/sys/auth/{draft.id}/tune", json=body)

    def delete(self, api: hvac.Client, draft: Draft) -> None:
        api.sys.disable_auth_method(draft.id)


class _Mount(Actor):
    inputs = frozenset({
        "path", "type", "description", "local", "sealWrap", "options", "defaultLeaseTtlSeconds", "maxLeaseTtlSeconds",
        "listingVisibility", *_LISTS,
    })  # fmt: skip

    def place(self, inputs: Mapping[str, Value]) -> str | None:
        return (inputs.get("path") or inputs.get("type") or "").strip("/")

    def create(self, api: hvac.Client, draft: Draft) -> str:
        given = draft.inputs
        api.sys.enable_secrets_engine(
            given["type"], given["path"].strip("/"), given.get("description") or "", self._config(draft),
            options=given.get("options"), local=bool(given.get("local")), seal_wrap=bool(given.get("sealWrap")),
        )  # fmt: skip
        return given["path"].strip("/")

    def read(self, api: hvac.Client, draft: Draft) -> Mapping[str, Value] | None:
        found = api.sys.list_mounted_secrets_engines()["data"].get(f"{draft.id}/")
        if not found:
            return None
        options, config = dict(found["options"] or {}), found["config"]
        type_ = found["type"]
        if draft.get("type") == "kv-v2" and type_ == "kv" and options.get("version") == "2":
            type_ = "kv-v2"  # another name for the same
            options = options if draft.get("options") else {}
        return {
            **{name: found[name] for name in ("description", "local", "accessor")},
            **{name: config.get(snake(name)) or [] for name in _LISTS},
            "path": draft.id if draft.get("path", "").strip("/") != draft.id else draft.get("path"),
            "type": type_,
            "options": options,
            "sealWrap": found["seal_wrap"],
            "forceNoCache": config["force_no_cache"],
            "defaultLeaseTtlSeconds": config["default_lease_ttl"],
            "maxLeaseTtlSeconds": config["max_lease_ttl"],
            "listingVisibility": config.get("listing_visibility") or "",
        }

    def update(self, api: hvac.Client, draft: Draft) -> None:
        body = {"description": draft.inputs.get("description") or "", **self._config(draft)}
        if draft.changed("options"):
            body["options"] = draft.inputs.get("options") or {}
        api.adapter.post(f"/v1/sys/mounts/{draft.id}/tune", json=body)

    def delete(self, api: hvac.Client, draft: Draft) -> None:
        api.sys.disable_secrets_engine(draft.id)

    def _config(self, draft: Draft) -> dict[str, Value]:
        """What a mount is tuned to; what the program leaves out is set back, but only where it was set."""
        before = draft.old["listingVisibility"] if draft.old else None
        visible = draft.inputs.get("listingVisibility") or ("hidden" if before else None)
        config = {
            "default_lease_ttl": f"{draft.inputs.get('defaultLeaseTtlSeconds') or 0}s",
            "max_lease_ttl": f"{draft.inputs.get('maxLeaseTtlSeconds') or 0}s",
            "listing_visibility": visible,
            **{snake(name): draft.inputs.get(name) for name in _LISTS if draft.inputs.get(name) or draft.changed(name)},
        }
        return {name: value for name, value in config.items() if value is not None}


def _tuning(draft: Draft) -> dict[str, Value]:
    """The body for an auth method's tuning; what was tuned and no longer is goes back to the default."""
    before = (draft.old.plain.get("tune") if draft.old else None) or {}
    given = draft.get("tune", {})
    return {
        snake(name): given[name] if given.get(name) is not None else [] if name in _LISTS else _UNTUNED[name]
        for name in _TUNED
        if given.get(name) is not None or before.get(name)
    }


_UNTUNED: Final = {
    "defaultLeaseTtl": "0s", "maxLeaseTtl": "0s", "listingVisibility": "hidden", "tokenType": "default-service",
}  # fmt: skip


def _tuned(config: Mapping[str, Value], given: Mapping[str, Value]) -> dict[str, Value]:
    """The tuning in the provider's form: durations are texts, and as the program writes them where they are equal."""
    found: dict[str, Value] = {name: config.get(snake(name)) for name in _TUNED if config.get(snake(name)) is not None}
    for name in ("defaultLeaseTtl", "maxLeaseTtl"):
        seconds = found.get(name, 0)
        found[name] = given[name] if _seconds(given.get(name)) == seconds else f"{seconds}s"
    return found


def _seconds(text: Value) -> int | None:
    """`1h30m`, `90s` or `90` in seconds; None if it is none of them."""
    parts = re.findall(r"(\d+)([smhd]?)", str(text))
    if text is None or "".join(map("".join, parts)) != str(text):
        return None
    return sum(int(number) * _UNITS[unit or "s"] for number, unit in parts)


auth: Final = model("vault:index/authBackend:AuthBackend", immutable=("path", "type", "local"), acts=_AuthBackend())
mount: Final = model("vault:index/mount:Mount", immutable=("path", "type", "local", "sealWrap"), acts=_Mount())
