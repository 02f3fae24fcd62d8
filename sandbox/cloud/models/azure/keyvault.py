"""Azure key vaults, keys and secrets.

Source: Microsoft Learn, "Key Vault soft-delete overview", "Key Vault key types, algorithms, and operations",
"Configure key rotation".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.azure.account import IN_GROUP
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.wire import Value

VAULT: Final = "azure-native:keyvault:Vault"
KEY: Final = "azure-native:keyvault:Key"
SECRET: Final = "azure-native:keyvault:Secret"  # noqa: S105 - a type
_VAULT_ID: Final = (
    "/subscriptions/{subscription}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}"
)
_OPERATIONS: Final = frozenset({"encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "import", "release"})
_LONGEST_SECRET: Final = 25 * 1024
_SIZES: Final = (2048, 3072, 4096)
_NOT_RENEWED_WITHIN: Final = 7  # days that must lie between a rotation and the end of the version


def _retention(draft: Draft) -> int | None:
    days = draft.get("properties.softDeleteRetentionInDays", 90)
    return days if isinstance(days, int) else None


def _retention_of_vault(draft: Draft) -> int | None:
    vault = draft.find(VAULT, draft.get("vaultName"))
    return (vault["properties"] or {}).get("softDeleteRetentionInDays", 90) if vault else None


vault = model(
    VAULT,
    id=_VAULT_ID,
    name=Name("vaultName", max=24, separator=""),
    unique=(("vaultName",),),
    references=(IN_GROUP,),
    immutable=("properties.tenantId", "properties.softDeleteRetentionInDays"),
    exists="VaultAlreadyExists",
    lingers=_retention,
)
key = model(
    KEY,
    id=_VAULT_ID + "/keys/{keyName}",
    name=Name("keyName", max=127, separator=""),
    unique=(("vaultName", "keyName"),),
    references=(IN_GROUP, Ref("vaultName", (VAULT,), same=("resourceGroupName",), missing="VaultNotFound")),
    immutable=("properties.kty", "properties.keySize", "properties.curveName"),
    outputs={
        "keyUri": "https://{vaultName}.vault.azure.net/keys/{keyName}",
        "keyUriWithVersion": "https://{vaultName}.vault.azure.net/keys/{keyName}/{hex32}",
    },
    handles=("keyUri", "keyUriWithVersion"),
    lingers=_retention_of_vault,
)
secret = model(
    SECRET,
    id=_VAULT_ID + "/secrets/{secretName}",
    name=Name("secretName", max=127, separator=""),
    unique=(("vaultName", "secretName"),),
    references=(IN_GROUP, Ref("vaultName", (VAULT,), same=("resourceGroupName",), missing="VaultNotFound")),
    handles=(),
    lingers=_retention_of_vault,
)


@vault.check
def _vault_form(draft: Draft) -> Iterator[Failure]:
    days = draft.known("properties.softDeleteRetentionInDays")
    if isinstance(days, int) and not 7 <= days <= 90:
        yield draft.fail("properties.softDeleteRetentionInDays", f"expected between 7 and 90 days, got {days}")
    tenant = draft.known("properties.tenantId")
    if isinstance(tenant, str) and tenant.lower() != draft.scope("tenant").lower():
        yield draft.fail(
            "properties.tenantId", f"the tenant {tenant} is not the subscription's, {draft.scope('tenant')}"
        )
    if draft.known("properties.enablePurgeProtection") is False:
        yield draft.fail("properties.enablePurgeProtection", "can only be true or left out; once on, it stays on")


@vault.admit
def _purge_protection_stays(draft: Draft) -> None:
    before = (draft.old["properties"] or {}) if draft.old else {}
    if before.get("enablePurgeProtection") and not draft.get("properties.enablePurgeProtection"):
        raise draft.refuse(
            "BadRequest", 'The property "enablePurgeProtection" cannot be set to false. Enabling it is irreversible.'
        )


@vault.compute
def _vault_uri(draft: Draft) -> dict[str, Value]:
    return {"properties": {**draft.get("properties", {}), "vaultUri": f"https://{draft.name}.vault.azure.net/"}}


@key.check
def _key_form(draft: Draft) -> Iterator[Failure]:
    kind, size = draft.known("properties.kty"), draft.known("properties.keySize")
    if isinstance(kind, str) and kind.startswith("RSA") and size is not None and size not in _SIZES:
        yield draft.fail("properties.keySize", f"an RSA key has one of {_SIZES} bits, got {size}")
    for path, operation in draft.each("properties.keyOps[*]"):
        if isinstance(operation, str) and operation not in _OPERATIONS:
            yield draft.fail(path, f"'{operation}' is no operation of a key: {', '.join(sorted(_OPERATIONS))}")
    yield from _rotation(draft)


def _rotation(draft: Draft) -> Iterator[Failure]:
    expiry = _days(draft.known("properties.rotationPolicy.attributes.expiryTime"))
    for path, action in draft.each("properties.rotationPolicy.lifetimeActions[*]"):
        kind, trigger = (action.get("action") or {}).get("type"), action.get("trigger") or {}
        after = _days(trigger.get("timeAfterCreate"))
        if len([value for value in trigger.values() if value is not None]) != 1:
            yield draft.fail(f"{path}.trigger", "exactly one of timeAfterCreate and timeBeforeExpiry must be given")
        if str(kind).lower() == "notify" and after is not None:
            yield draft.fail(f"{path}.trigger.timeAfterCreate", "a notice is timed before the expiry")
        if expiry and after and after > expiry - _NOT_RENEWED_WITHIN:
            yield draft.fail(
                f"{path}.trigger.timeAfterCreate",
                f"a rotation must come at least {_NOT_RENEWED_WITHIN} days before the version expires",
            )


def _days(value: Value) -> int | None:
    """Days of an ISO 8601 duration of years, months and days."""
    found = re.fullmatch(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?", value) if isinstance(value, str) else None
    years, months, days = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    return years * 365 + months * 30 + days or None


@key.admit
def _hardware_needs_premium(draft: Draft) -> None:
    found = draft.find(VAULT, draft.get("vaultName"))
    sku = ((found["properties"] or {}).get("sku") or {}).get("name") if found else None
    if str(draft.get("properties.kty")).endswith("-HSM") and sku != "premium":
        raise draft.refuse(
            "HsmKeysNotSupported", f"HSM keys need a vault of the premium SKU; {draft.get('vaultName')} is {sku}."
        )


@key.compute
def _key_answer(draft: Draft) -> dict[str, Value]:
    """What stands under `properties` among the inputs stands at the top among the outputs."""
    inputs = draft.get("properties", {})
    return {
        name: inputs[name] for name in ("keyOps", "keySize", "kty", "curveName", "rotationPolicy") if name in inputs
    }


@secret.check
def _secret_form(draft: Draft) -> Iterator[Failure]:
    value = draft.known("properties.value")
    if isinstance(value, str) and len(value.encode()) > _LONGEST_SECRET:
        yield draft.fail("properties.value", f"a secret has at most {_LONGEST_SECRET} bytes")


@secret.compute
def _secret_answer(draft: Draft) -> dict[str, Value]:
    """The value goes in and never comes back."""
    uri = f"https://{draft.get('vaultName')}.vault.azure.net/secrets/{draft.name}"
    inputs = {name: value for name, value in draft.get("properties", {}).items() if name != "value"}
    return {"properties": {**inputs, "secretUri": uri, "secretUriWithVersion": draft.fill(uri + "/{hex32}")}}
