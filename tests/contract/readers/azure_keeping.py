"""Azure's locked accounts, who may touch what lies in them, and what is recorded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.plan.backup import RESTORER
from components.plan.federation import TRUSTED
from tests.contract.posture import Bucket, Trail
from tests.contract.readers.words import Words
from tests.contract.state import Resource, State

ACCOUNT, GRANT = "azure-native:storage:StorageAccount", "azure-native:authorization:RoleAssignment"
IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
_SERVICE, _CONTAINER = "azure-native:storage:BlobServiceProperties", "azure-native:storage:BlobContainer"
_REPLICATION, _LIFECYCLE = "azure-native:storage:ObjectReplicationPolicy", "azure-native:storage:ManagementPolicy"
_ROLE, _FLOWS = "azure-native:authorization:RoleDefinition", "azure-native:network:FlowLog"
_CREDENTIAL = "azure-native:managedidentity:FederatedIdentityCredential"
_SETTING, _ACTIVITY = (
    "azure-native:monitor:DiagnosticSetting",
    "azure-native:monitor:SubscriptionDiagnosticSetting",
)
_NEVER = 1_000_000
_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
_ADD = f"{_BLOBS}/add/action"
_WORDS = {f"{_BLOBS}/read": "read", f"{_BLOBS}/write": "overwrite", f"{_BLOBS}/delete": "delete"}
_BUILT_IN: Mapping[str, set[str]] = {
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": {"read", "list"},
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": {"read", "list", "overwrite", "delete"},
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": {"read", "list", "overwrite", "delete", "settings"},
}
_CONDITION = re.compile(
    rf"\(\(!\(ActionMatches\{{'{re.escape(_ADD)}'\}}\)\) OR \((?P<begins>[^()]*)\)\)",
)
_BEGINS = re.compile(rf"@Resource\[{re.escape(_BLOBS)}:path\] StringStartsWith '(?P<name>[^']+)'")
_ADMINISTRATION = {
    "Administrative", "Security", "ServiceHealth", "Alert", "Recommendation", "Policy", "Autoscale", "ResourceHealth",
}  # fmt: skip
_ISSUERS = {"https://accounts.google.com": "gcp"}


@dataclass(frozen=True)
class Keeping:
    """Reads the accounts of a region."""

    state: State
    words: Words
    carried: Callable[[str], bool]
    """Whether a machine has the identity of an id."""

    def backups(self) -> Bucket:
        """The account of the backups, with its replica."""
        account = self._account("backup")
        return self._bucket(account, self._replica(account))

    def trail(self) -> Trail:
        """What is recorded where."""
        account = self._account("audit")
        activity = self._logged(_ACTIVITY, account, "")
        vault = self._logged(_SETTING, account, "/vaults/")
        objects = self._logged(_SETTING, account, f"{self._account('backup').id}/blobServices/default")
        kept = bool(vault & {"allLogs", "audit"})
        calls = {
            "write": activity >= _ADMINISTRATION,
            "read": kept and "StorageRead" in objects,
            "data": kept and objects >= {"StorageWrite", "StorageDelete"},
        }
        return Trail(
            calls=frozenset(kind for kind, recorded in calls.items() if recorded),
            verified=None,
            flows=frozenset(self._flows(account)),
            bucket=self._bucket(account, None),
        )

    def _account(self, name: str) -> Resource:
        return next(found for found in self.state.of(ACCOUNT) if found.name == name)

    def _logged(self, type_: str, account: Resource, of: str) -> set[str]:
        """Categories and groups of them that go to the account, from things with such a part in their id."""
        return {
            log.get("category") or log["categoryGroup"]
            for setting in self.state.of(type_)
            if _same(setting["storageAccountId"], account.id)
            and of.lower() in setting.inputs.get("resourceUri", "").lower()
            for log in setting["logs"]
            if log["enabled"]
        }

    def _flows(self, account: Resource) -> Iterator[str]:
        for log in self.state.of(_FLOWS):
            if log["enabled"] and _same(log["storageId"], account.id):
                network = self.state.named("azure-native:network:VirtualNetwork", log["targetResourceId"])
                yield from (subnet["addressPrefix"] for subnet in network["subnets"])

    def _replica(self, account: Resource) -> Resource | None:
        """Where every object of an account goes, if both halves say so."""
        halves = [
            policy
            for policy in self.state.of(_REPLICATION)
            if _same(policy["sourceAccount"], account.id)
            and all(_whole(rule) for rule in policy["rules"])
            and {rule["sourceContainer"] for rule in policy["rules"]} == {self._container(account)["containerName"]}
        ]
        if len(halves) != len({half["accountName"] for half in halves}) or len(halves) != 2:
            return None
        return self.state.named(ACCOUNT, halves[0]["destinationAccount"])

    def _container(self, account: Resource) -> Resource:
        return next(found for found in self._of(_CONTAINER, account))

    def _of(self, type_: str, account: Resource) -> list[Resource]:
        return [found for found in self.state.of(type_) if found["accountName"] == account["accountName"]]

    def _bucket(self, account: Resource, replica: Resource | None) -> Bucket:
        both = [account, *([replica] if replica else [])]
        locks = [lock for one in both for lock in [one["immutableStorageWithVersioning"] or {}]]
        policies = [lock.get("immutabilityPolicy") or {} for lock in locks]
        containers = [container for one in both for container in self._of(_CONTAINER, one)]
        creators, powers = self._rights(both)
        return Bucket(
            region=account["location"],
            replica_region=replica["location"] if replica else None,
            versioned=all(_recoverable(self._of(_SERVICE, one)) for one in both),
            key=self._key(account),
            replica_key=self._key(replica) if replica else None,
            lock_days=min(policy.get("immutabilityPeriodSinceCreationInDays", 0) for policy in policies),
            locked=all(
                lock.get("enabled") and policy.get("state") == "Locked"
                for lock, policy in zip(locks, policies, strict=True)
            ),
            expire_days=min(self._ages(one, "baseBlob", 0) for one in both),
            superseded_days=min(self._ages(one, "version", _NEVER) for one in both),
            public=frozenset(opening for one in both for opening in self._openings(one)),
            clear_text=any(
                not one["enableHttpsTrafficOnly"] or one["minimumTlsVersion"] not in ("TLS1_2", "TLS1_3")
                for one in both
            ),
            protected=all(one.protected for one in [*both, *containers]),
            creators=creators,
            powers=powers,
        )

    def _key(self, account: Resource) -> str | None:
        encryption = account["encryption"] or {}
        (vault,) = self.state.of("azure-native:keyvault:Vault")
        named = encryption.get("keyVaultProperties") or {}
        at_home = named.get("keyVaultUri") == vault.outputs["properties"]["vaultUri"]
        held = encryption.get("keySource") == "Microsoft.Keyvault" and at_home
        return self.words.plain(named["keyName"]) if held else None

    def _ages(self, account: Resource, part: str, otherwise: int) -> int:
        """Least age at which something of a kind is deleted."""
        rules = [rule for policy in self._of(_LIFECYCLE, account) for rule in policy["policy"]["rules"]]
        actions = [rule["definition"]["actions"].get(part) or {} for rule in rules if rule["enabled"]]
        ages = [action["delete"]["daysAfterCreationGreaterThan"] for action in actions if action.get("delete")]
        return min(ages, default=otherwise)

    def _openings(self, account: Resource) -> Iterator[str]:
        name, rules = account["accountName"], account["networkRuleSet"] or {}
        if account["allowBlobPublicAccess"] is not False:
            yield f"containers of {name} may be made public"
        if account["allowSharedKeyAccess"] is not False:
            yield f"whoever has a key of {name} needs no identity"
        if account["publicNetworkAccess"] != "Disabled" and rules.get("defaultAction") != "Deny":
            yield f"{name} is open to the world's networks"
        for rule in rules.get("ipRules") or []:
            if "/" in rule["iPAddressOrRange"]:
                yield f"{name} admits the whole of {rule['iPAddressOrRange']}"
        for container in self._of(_CONTAINER, account):
            if container["publicAccess"] != "None":
                yield f"{container['containerName']} of {name} is public"

    def _rights(self, accounts: list[Resource]) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
        creators: dict[str, frozenset[str]] = {}
        powers: dict[str, list[frozenset[str]]] = {}
        for account in accounts:
            here: dict[str, frozenset[str]] = {}
            for grant in self.state.of(GRANT):
                if not f"{grant['scope']}/".lower().startswith(f"{account.id}/".lower()) or self._is_service(grant):
                    continue
                who, words = self._who(grant["principalId"]), frozenset(self._words_of(grant))
                if "add" in words:
                    creators[who] = creators.get(who, frozenset()) | frozenset(_beginnings(grant))
                here[who] = here.get(who, frozenset()) | words - {"add"}
            for who in here.keys() | powers.keys():
                powers.setdefault(who, []).append(here.get(who, frozenset()))
        merged = {who: frozenset[str]().union(*found) for who, found in powers.items()}
        if found := powers.get("restorer"):
            # Who restores must be able to in both places; whatever else he may is too much in either.
            everywhere = frozenset.intersection(*found) if len(found) == len(accounts) else frozenset[str]()
            merged["restorer"] -= {"read", "list"} - everywhere
        return creators, merged

    def _words_of(self, grant: Resource) -> Iterator[str]:
        definition = grant["roleDefinitionId"].rpartition("/")[2]
        if definition in _BUILT_IN:
            yield from _BUILT_IN[definition]
            return
        role = next((found for found in self.state.of(_ROLE) if found["roleDefinitionId"] == definition), None)
        for permission in role["permissions"] if role else [{"actions": [definition]}]:
            actions: list[str] = permission.get("dataActions") or []
            yield from ("add" if action == _ADD else _WORDS.get(action, action) for action in actions)
            yield from permission.get("actions") or []

    def _who(self, principal: str) -> str:
        identity = next((one for one in self.state.of(IDENTITY) if one["principalId"] == principal), None)
        if identity is None:
            return principal
        name = self.words.plain(identity["resourceName"])
        trusted = [
            credential
            for credential in self.state.of(_CREDENTIAL)
            if credential["resourceName"] == identity["resourceName"]
        ]
        if not trusted:
            return "restorer" if name == RESTORER else name
        return " and ".join(sorted(self._stranger(credential) for credential in trusted))

    def _stranger(self, credential: Resource) -> str:
        """The peer's role whose machines a credential believes; whatever else it says where that is nobody's."""
        issuer, subject = credential["issuer"], credential["subject"]
        cloud: Any = _ISSUERS.get(issuer)
        peer: Mapping[str, Any] = self.state.outputs["manifest"]["peers"].get(cloud, {})
        role = next((role for role, known in peer.get("identities", {}).items() if known == subject), None)
        known = role and credential["audiences"] == [TRUSTED[cloud, "azure"]]
        return f"{cloud}/{role}" if known else f"{subject} of {issuer} for {credential['audiences']}"

    def _is_service(self, grant: Resource) -> bool:
        """Whether a grant lets the network's flow log write, and nobody else."""
        used = {
            identity.lower()
            for log in self.state.of(_FLOWS)
            if _same(log["storageId"], grant["scope"])
            for identity in (log["identity"] or {}).get("userAssignedIdentities") or []
        }
        return any(
            identity.id.lower() in used and identity["principalId"] == grant["principalId"]
            for identity in self.state.of(IDENTITY)
            if not self.carried(identity.id)
        )


def _same(one: str | None, other: str) -> bool:
    return one is not None and one.lower() == other.lower()


def _whole(rule: Mapping[str, Any]) -> bool:
    """Whether a rule replicates every object, whatever its name and age."""
    filters = rule.get("filters") or {}
    return not filters.get("prefixMatch") and filters.get("minCreationTime", "").startswith("1601-")


def _recoverable(services: list[Resource]) -> bool:
    return any(
        service["isVersioningEnabled"]
        and (service["deleteRetentionPolicy"] or {}).get("enabled")
        and (service["containerDeleteRetentionPolicy"] or {}).get("enabled")
        for service in services
    )


def _beginnings(grant: Resource) -> Iterator[str]:
    """Beginnings of names to which a grant's condition limits it; an empty one where it does not."""
    found = _CONDITION.fullmatch(grant["condition"] or "")
    names = [_BEGINS.fullmatch(part) for part in found["begins"].split(" OR ")] if found else [None]
    yield from (name["name"] if name else "" for name in names)
