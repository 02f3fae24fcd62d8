"""Azure storage accounts, their blob service, containers, lifecycle and replication.

Source: Microsoft Learn, "Storage account overview", "Version-level WORM policies", "Configure network security perimeter
rules for Azure Storage", "Object replication for block blobs", "Azure Blob Storage lifecycle management".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.cloud.addresses import address, network
from sandbox.cloud.check import Failure
from sandbox.cloud.draft import Draft
from sandbox.cloud.models.azure.account import IN_GROUP
from sandbox.cloud.models.azure.identity import IDENTITY, attached, granted
from sandbox.cloud.models.azure.keyvault import KEY, VAULT
from sandbox.cloud.registry import Name, Ref, model
from sandbox.cloud.store import Record
from sandbox.cloud.wire import Value

ACCOUNT: Final = "azure-native:storage:StorageAccount"
SERVICE: Final = "azure-native:storage:BlobServiceProperties"
CONTAINER: Final = "azure-native:storage:BlobContainer"
REPLICATION: Final = "azure-native:storage:ObjectReplicationPolicy"
_CRYPTO_USER: Final = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
_ID: Final = (
    "/subscriptions/{subscription}/resourceGroups/{resourceGroupName}/providers/Microsoft.Storage/storageAccounts"
    "/{accountName}"
)
_OF_ACCOUNT: Final = Ref("accountName", (ACCOUNT,), same=("resourceGroupName",), missing="ResourceNotFound")
_LONGEST_LOCK: Final = 146_000  # days
_MOST_ADDRESSES: Final = 400
_UUID: Final = "{hex8}-{hex4}-4{hex3}-8{hex3}-{hex12}"

account = model(
    ACCOUNT,
    id=_ID,
    name=Name("accountName", max=24, characters="a-z0-9", lower=True, separator=""),
    unique=(("accountName",),),
    references=(IN_GROUP, Ref("identity.userAssignedIdentities[*]", (IDENTITY,))),
    immutable=("isHnsEnabled",),
    reshaped=("identity",),
    exists="StorageAccountAlreadyTaken",
    handles=("name", "accountName"),
)
service = model(
    SERVICE,
    id=_ID + "/blobServices/default",
    name=Name("blobServicesName", made=False, pattern="default", rule="the one blob service is called default"),
    references=(IN_GROUP, _OF_ACCOUNT),
    immutable=("accountName",),
)
container = model(
    CONTAINER,
    id=_ID + "/blobServices/default/containers/{containerName}",
    name=Name("containerName", max=63, lower=True, separator="-"),
    references=(IN_GROUP, _OF_ACCOUNT),
    immutable=("accountName", "immutableStorageWithVersioning.enabled"),
    handles=(),
)
lifecycle = model(
    "azure-native:storage:ManagementPolicy",
    id=_ID + "/managementPolicies/default",
    name=Name("managementPolicyName", made=False, pattern="default", rule="an account's one policy is called default"),
    references=(IN_GROUP, _OF_ACCOUNT),
    immutable=("accountName",),
)
replication = model(
    REPLICATION,
    id=_ID + "/objectReplicationPolicies/{objectReplicationPolicyId}",
    name=Name("objectReplicationPolicyId", made=False),
    references=(
        IN_GROUP,
        _OF_ACCOUNT,
        Ref("sourceAccount", (ACCOUNT,)),
        Ref("destinationAccount", (ACCOUNT,)),
    ),
    immutable=("accountName", "objectReplicationPolicyId", "sourceAccount", "destinationAccount"),
    handles=("policyId",),
)


@account.check
def _form(draft: Draft) -> Iterator[Failure]:
    days = draft.known("immutableStorageWithVersioning.immutabilityPolicy.immutabilityPeriodSinceCreationInDays")
    if days is not None and not 1 <= days <= _LONGEST_LOCK:
        yield draft.fail("immutableStorageWithVersioning", f"a lock holds for 1 to {_LONGEST_LOCK} days, got {days}")
    rules = list(draft.each("networkRuleSet.ipRules[*].iPAddressOrRange"))
    if len(rules) > _MOST_ADDRESSES:
        yield draft.fail("networkRuleSet.ipRules", f"at most {_MOST_ADDRESSES} rules, got {len(rules)}")
    seen: set[str] = set()
    for path, value in rules:
        yield from _rule(draft, path, value, seen)
    if draft.known("encryption.keySource") == "Microsoft.Keyvault":
        for name in ("keyName", "keyVaultUri"):
            if draft.get(f"encryption.keyVaultProperties.{name}") is None:
                yield draft.fail("encryption.keyVaultProperties", f"a customer's key needs {name}")


def _rule(draft: Draft, path: str, value: Value, seen: set[str]) -> Iterator[Failure]:
    if not isinstance(value, str):
        return
    found = network(value) if "/" in value else address(value)
    if found is None or value.endswith(("/31", "/32")):
        yield draft.fail(path, f"InvalidValuesForRequestParameters: '{value}' is no IPv4 address nor a range up to /30")
    elif found.is_private and not str(found).startswith("198.1"):  # the range for benchmarks stands for the world here
        yield draft.fail(path, f"InvalidValuesForRequestParameters: '{value}' is private; rules take public addresses")
    if value in seen:
        yield draft.fail(path, f"'{value}' is admitted twice")
    seen.add(value)


def _lock(plain: Mapping[str, Value]) -> dict[str, Any]:
    held: dict[str, Any] = plain.get("immutableStorageWithVersioning") or {}
    return {"enabled": bool(held.get("enabled")), **(held.get("immutabilityPolicy") or {})}


@account.admit
def _lock_only_grows(draft: Draft) -> None:
    after = _lock(draft.inputs)
    if draft.old is None:
        if after.get("state") == "Locked":
            raise draft.refuse(
                "ImmutabilityPolicyCannotBeCreatedLocked", "A policy is made Unlocked or Disabled and then locked."
            )
        return
    before = _lock(draft.old.plain)
    if before["enabled"] != after["enabled"]:
        raise draft.refuse(
            "AccountPropertyCannotBeUpdated", "immutableStorageWithVersioning is chosen at creation.", 409
        )
    days = "immutabilityPeriodSinceCreationInDays"
    if before.get("state") != "Locked":
        return
    changed = before.get("allowProtectedAppendWrites") != after.get("allowProtectedAppendWrites")
    if after.get("state") != "Locked" or changed or (after.get(days) or 0) < before[days]:
        raise draft.refuse(
            "ImmutabilityPolicyLocked",
            f"The policy of {draft.name} is locked for {before[days]} days and can only grow.",
            409,
        )


@account.admit
def _key_is_usable(draft: Draft) -> None:
    if draft.get("encryption.keySource") != "Microsoft.Keyvault":
        return
    uri, name = (
        draft.get("encryption.keyVaultProperties.keyVaultUri"),
        draft.get("encryption.keyVaultProperties.keyName"),
    )
    vault = next((v for v in draft.others(VAULT) if (v["properties"] or {}).get("vaultUri") == uri), None)
    key = vault and next(draft.others(KEY, vaultName=vault["vaultName"], keyName=name), None)
    if not vault or not key:
        raise draft.refuse("KeyVaultKeyNotFound", f"There is no key {name} in {uri}.")
    if not (vault["properties"] or {}).get("enablePurgeProtection"):
        raise draft.refuse("KeyVaultNotRecoverable", f"{uri} has no purge protection.")
    who = draft.get("encryption.encryptionIdentity.encryptionUserAssignedIdentity")
    if who not in (draft.get("identity.userAssignedIdentities") or ()):
        raise draft.refuse("EncryptionIdentityNotAssigned", f"{who} is no identity of the account {draft.name}.")
    identity = draft.find(IDENTITY, who)
    if identity and not granted(draft, identity["principalId"], (_CRYPTO_USER,), (key.id, vault.id)):
        raise draft.refuse(
            "KeyVaultAccessForbidden", f"{who} may not wrap and unwrap with the key {name} of {uri}.", 403
        )


@account.compute
def _endpoints(draft: Draft) -> dict[str, Value]:
    return {**attached(draft), "primaryEndpoints": {"blob": f"https://{draft.name}.blob.core.windows.net/"}}


def account_of(draft: Draft) -> Record | None:
    """The account that something inside one belongs to."""
    return draft.find(ACCOUNT, draft.get("accountName"), resourceGroupName=draft.get("resourceGroupName"))


@service.check
def _days(draft: Draft) -> Iterator[Failure]:
    for name in ("deleteRetentionPolicy", "containerDeleteRetentionPolicy"):
        days = draft.known(f"{name}.days")
        if draft.known(f"{name}.enabled") and (days is None or not 1 <= days <= 365):
            yield draft.fail(f"{name}.days", f"expected 1 to 365 days, got {days}")


@service.admit
def _versions_stay(draft: Draft) -> None:
    held = account_of(draft)
    if draft.get("isVersioningEnabled"):
        return
    if held and _lock(held.plain)["enabled"]:
        raise draft.refuse("VersioningRequired", f"{held.id} locks versions; versioning cannot be off.", 409)
    for other in draft.others(REPLICATION):
        if held and held.id.lower() in (str(other["sourceAccount"]).lower(), str(other["destinationAccount"]).lower()):
            raise draft.refuse("VersioningRequired", f"{other.id} replicates versions of {held.id}.", 409)


@container.admit
def _no_more_public_than_its_account(draft: Draft) -> None:
    held = account_of(draft)
    if held and held["allowBlobPublicAccess"] is False and draft.get("publicAccess") not in (None, "None"):
        raise draft.refuse("PublicAccessNotPermitted", f"Public access is not permitted on {held.id}.", 409)


@lifecycle.check
def _rules(draft: Draft) -> Iterator[Failure]:
    names: set[str] = set()
    for path, rule in draft.each("policy.rules[*]"):
        definition = rule.get("definition") or {}
        kinds = (definition.get("filters") or {}).get("blobTypes") or []
        if rule.get("name") in names:
            yield draft.fail(f"{path}.name", f"two rules are called {rule.get('name')}")
        names.add(rule.get("name"))
        if not kinds:
            yield draft.fail(f"{path}.definition.filters.blobTypes", "a rule must say of which kinds of blob")
        actions = definition.get("actions") or {}
        tiers = [action for part in actions.values() if part for action in part if action.startswith("tierTo")]
        if "appendBlob" in kinds and tiers:
            yield draft.fail(f"{path}.definition.actions", f"append blobs can only be deleted, not {tiers[0]}")
        if not any(actions.values()):
            yield draft.fail(f"{path}.definition.actions", "a rule must do something")


@replication.check
def _ends(draft: Draft) -> Iterator[Failure]:
    if draft.known("sourceAccount") is not None and draft.get("sourceAccount") == draft.get("destinationAccount"):
        yield draft.fail("destinationAccount", "an account is not replicated to itself")
    called = draft.known("objectReplicationPolicyId")
    if isinstance(called, str) and called != "default" and not re.fullmatch(r"[0-9a-f-]{36}", called):
        yield draft.fail("objectReplicationPolicyId", "is 'default' at the destination, then the id that it was given")


@replication.admit
def _both_ends_keep_versions(draft: Draft) -> None:
    ends = [draft.find(ACCOUNT, draft.get(end)) for end in ("sourceAccount", "destinationAccount")]
    for which, held in zip(("source", "destination"), ends, strict=True):
        if held is None:
            return
        found = next(draft.others(SERVICE, accountName=held["accountName"]), None)
        if not found or not found["isVersioningEnabled"]:
            raise draft.refuse("VersioningNotEnabled", f"Versioning is not enabled on the {which} account.", 409)
        if which == "source" and not (found["changeFeed"] or {}).get("enabled"):
            raise draft.refuse("ChangeFeedNotEnabled", "The change feed is not enabled on the source account.", 409)
        if held["allowCrossTenantReplication"] is False and "/" not in str(draft.get(f"{which}Account")):
            raise draft.refuse("CrossTenantReplicationDisabled", f"{which}Account must be a full resource id.")
    source, destination = ends
    if source is None or destination is None:
        return
    for which, held in (("source", source), ("destination", destination)):
        for path, rule in draft.each("rules[*]"):
            name = rule.get(f"{which}Container")
            if not any(draft.others(CONTAINER, accountName=held["accountName"], containerName=name)):
                raise draft.refuse("ContainerNotFound", f"{path}: there is no container {name} in {held.id}.", 404)
    _in_order(draft, source, destination)


def _in_order(draft: Draft, source: Record, destination: Record) -> None:
    """The destination's half first; the source's repeats the ids that it was given."""
    own = draft.get("accountName")
    if own == destination["accountName"]:
        if draft.get("objectReplicationPolicyId") != "default" and draft.old is None:
            raise draft.refuse("PolicyIdNotFound", "A policy is made at the destination as 'default'.", 404)
        return
    if own != source["accountName"]:
        raise draft.refuse("InvalidReplicationAccount", f"{own} is neither source nor destination.")
    for other in draft.others(REPLICATION, accountName=destination["accountName"]):
        if other["policyId"] == draft.get("objectReplicationPolicyId"):
            ids = {rule.get("ruleId") for rule in other["rules"] or ()}
            if any(rule.get("ruleId") not in ids for rule in draft.get("rules") or ()):
                raise draft.refuse("RuleIdMismatch", f"A rule of {draft.name} is not one of the destination's.")
            return
    raise draft.refuse(
        "PolicyIdNotFound", f"The destination has no policy {draft.get('objectReplicationPolicyId')}.", 404
    )


@replication.compute
def _ids(draft: Draft) -> dict[str, Value]:
    called = draft.get("objectReplicationPolicyId")
    before = [rule.get("ruleId") for rule in draft.kept("rules") or ()]
    rules = [
        {**rule, "ruleId": rule.get("ruleId") or (before[place] if place < len(before) else draft.fill(_UUID))}
        for place, rule in enumerate(draft.get("rules") or ())
    ]
    made = draft.kept("policyId") or (draft.fill(_UUID) if called == "default" else called)
    return {"policyId": made, "rules": rules}
