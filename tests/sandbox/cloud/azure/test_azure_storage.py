"""Azure's accounts, locks, replication, trails, roles and trust: each refusal beside its accepted neighbour."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cloud.azure.region import Region, subnet
from tests.sandbox.cloud.client import RefusedError, Resource

ACCOUNT, POLICY = "azure-native:storage:StorageAccount", "azure-native:storage:ManagementPolicy"
CREDENTIAL = "azure-native:managedidentity:FederatedIdentityCredential"
GRANT, ROLE = "azure-native:authorization:RoleAssignment", "azure-native:authorization:RoleDefinition"
FLOW, SETTING = "azure-native:network:FlowLog", "azure-native:monitor:DiagnosticSetting"
SECRET = "azure-native:keyvault:Secret"
CRYPTO, CONTRIBUTOR = "e147488a-f6f5-4113-8e2d-b22465e65bf6", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
ADD = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action"
GUIDS = tuple(f"0000000{n}-0000-4000-8000-000000000000" for n in range(1, 6))


def _lock(days: int = 35, state: str = "Unlocked", **rest: object) -> dict[str, Any]:
    policy = {"immutabilityPeriodSinceCreationInDays": days, "state": state, "allowProtectedAppendWrites": False}
    return {"immutableStorageWithVersioning": {"enabled": True, "immutabilityPolicy": {**policy, **rest}}}


def _inputs(name: str = "backups1", **rest: object) -> dict[str, Any]:
    sku = {"name": "Standard_ZRS"}
    return {"resourceGroupName": "rg", "accountName": name, "kind": "StorageV2", "sku": sku, **rest}


def _account(region: Region, name: str = "backups1", **rest: object) -> Resource:
    return region.cloud.create(ACCOUNT, _inputs(name, **rest), name)


def _grant(region: Region, scope: str, principal: str, role: str, name: str = GUIDS[0], **rest: object) -> Resource:
    subscription = scope.partition("/resourceGroups")[0]
    inputs = {
        "roleAssignmentName": name, "scope": scope, "principalId": principal, "principalType": "ServicePrincipal",
        "roleDefinitionId": f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}", **rest,
    }  # fmt: skip
    return region.cloud.create(GRANT, inputs, name)


def test_an_accounts_name_is_the_worlds(region: Region) -> None:
    _account(region)
    region.cloud.create("azure-native:resources:ResourceGroup", {"resourceGroupName": "rg2", "location": "westus2"})
    with pytest.raises(RefusedError, match="StorageAccountAlreadyTaken"):
        region.cloud.create(ACCOUNT, {**_inputs(), "resourceGroupName": "rg2"})
    assert region.cloud.failures(ACCOUNT, _inputs("With-Dash"))
    assert region.cloud.failures(ACCOUNT, _inputs("a" * 25))


@pytest.mark.parametrize(
    ("rule", "said"),
    [("10.3.0.1", "private"), ("198.51.100.1/32", "no IPv4"), ("somewhere", "no IPv4")],
)
def test_rules_take_public_addresses(region: Region, rule: str, said: str) -> None:
    def of(*rules: str) -> dict[str, Any]:
        return _inputs(
            networkRuleSet={"defaultAction": "Deny", "ipRules": [{"iPAddressOrRange": value} for value in rules]}
        )

    assert not region.cloud.failures(ACCOUNT, of("34.1.2.3", "34.1.2.4"))
    assert any(said in failure for failure in region.cloud.failures(ACCOUNT, of(rule)))
    assert any("twice" in failure for failure in region.cloud.failures(ACCOUNT, of("34.1.2.3", "34.1.2.3")))


def test_a_lock_is_made_open_closed_once_and_then_only_grows(region: Region) -> None:
    with pytest.raises(RefusedError, match="CannotBeCreatedLocked"):
        _account(region, **_lock(state="Locked"))
    assert region.cloud.failures(ACCOUNT, _inputs(**_lock(days=0)))
    made = _account(region, **_lock())
    shorter = region.cloud.update(made, _inputs(**_lock(days=30)))
    closed = region.cloud.update(shorter, _inputs(**_lock(days=30, state="Locked")))
    for worse in (
        _lock(days=29, state="Locked"),
        _lock(days=30),
        _lock(days=30, state="Locked", allowProtectedAppendWrites=True),
    ):
        with pytest.raises(RefusedError, match="ImmutabilityPolicyLocked"):
            region.cloud.update(closed, _inputs(**worse))
    with pytest.raises(RefusedError, match="chosen at creation"):
        region.cloud.update(closed, _inputs())
    assert region.cloud.update(closed, _inputs(**_lock(days=60, state="Locked")))


def test_a_customers_key_must_be_there_and_usable(region: Region) -> None:
    vault, key, identity = region.vault(), region.key(), region.identity("encryption")
    uri = vault["properties"]["vaultUri"]

    def of(name: str = "key", who: str = identity.id) -> dict[str, Any]:
        return {
            "identity": {"type": "UserAssigned", "userAssignedIdentities": [identity.id]},
            "encryption": {
                "keySource": "Microsoft.Keyvault",
                "keyVaultProperties": {"keyName": name, "keyVaultUri": uri},
                "encryptionIdentity": {"encryptionUserAssignedIdentity": who},
            },
        }

    with pytest.raises(RefusedError, match="KeyVaultKeyNotFound"):
        _account(region, **of("other"))
    with pytest.raises(RefusedError, match="EncryptionIdentityNotAssigned"):
        _account(region, **of(who="/somebody"))
    with pytest.raises(RefusedError, match="KeyVaultAccessForbidden"):
        _account(region, **of())
    _grant(region, key.id, identity["principalId"], CRYPTO)
    assert _account(region, **of())


def _service(region: Region, account: str, **rest: object) -> Resource:
    on = {"isVersioningEnabled": True, "changeFeed": {"enabled": True}}
    inputs = {"resourceGroupName": "rg", "accountName": account, "blobServicesName": "default", **on, **rest}
    return region.cloud.create("azure-native:storage:BlobServiceProperties", inputs, account)


def _container(region: Region, account: str, **rest: object) -> Resource:
    inputs = {"resourceGroupName": "rg", "accountName": account, "containerName": "backups", **rest}
    return region.cloud.create("azure-native:storage:BlobContainer", inputs, account)


def test_a_locking_account_keeps_its_versions(region: Region) -> None:
    _account(region, **_lock())
    with pytest.raises(RefusedError, match="VersioningRequired"):
        _service(region, "backups1", isVersioningEnabled=False)
    assert _service(region, "backups1")


def test_a_container_is_no_more_public_than_its_account(region: Region) -> None:
    _account(region, allowBlobPublicAccess=False)
    with pytest.raises(RefusedError, match="PublicAccessNotPermitted"):
        _container(region, "backups1", publicAccess="Blob")
    assert _container(region, "backups1", publicAccess="None")


def _half(region: Region, ends: dict[str, str], account: str, called: str, **rule: object) -> Resource:
    whole = {"sourceContainer": "backups", "destinationContainer": "backups", **rule}
    inputs = {
        "resourceGroupName": "rg", "accountName": account, "objectReplicationPolicyId": called, "rules": [whole],
        "sourceAccount": ends["source1"], "destinationAccount": ends["target1"],
    }  # fmt: skip
    return region.cloud.create("azure-native:storage:ObjectReplicationPolicy", inputs, f"{account}{called}")


def test_replication_starts_at_the_destination_and_needs_versions_at_both_ends(region: Region) -> None:
    ends = {name: _account(region, name).id for name in ("source1", "target1")}

    with pytest.raises(RefusedError, match="VersioningNotEnabled"):
        _half(region, ends, "target1", "default")
    _service(region, "source1", changeFeed={"enabled": False})
    _service(region, "target1")
    with pytest.raises(RefusedError, match="ChangeFeedNotEnabled"):
        _half(region, ends, "target1", "default")


def test_the_source_repeats_the_ids_that_the_destination_was_given(region: Region) -> None:
    ends = {name: _account(region, name).id for name in ("source1", "target1")}
    for name in ends:
        _service(region, name)

    with pytest.raises(RefusedError, match="ContainerNotFound"):
        _half(region, ends, "target1", "default")
    for name in ends:
        _container(region, name)
    arriving = _half(region, ends, "target1", "default")
    rule = arriving["rules"][0]["ruleId"]
    with pytest.raises(RefusedError, match="PolicyIdNotFound"):
        _half(region, ends, "source1", GUIDS[0], ruleId=rule)
    with pytest.raises(RefusedError, match="RuleIdMismatch"):
        _half(region, ends, "source1", arriving["policyId"], ruleId=GUIDS[1])
    assert _half(region, ends, "source1", arriving["policyId"], ruleId=rule)


def test_a_lifecycle_moves_no_append_blobs(region: Region) -> None:
    def of(kind: str, **actions: object) -> dict[str, Any]:
        definition = {"filters": {"blobTypes": [kind]}, "actions": {"baseBlob": actions}}
        rules = [{"name": "one", "type": "Lifecycle", "definition": definition}]
        return {
            "resourceGroupName": "rg", "accountName": "backups1", "managementPolicyName": "default",
            "policy": {"rules": rules},
        }  # fmt: skip

    age = {"daysAfterCreationGreaterThan": 90}
    assert not region.cloud.failures(POLICY, of("blockBlob", tierToCold=age))
    assert not region.cloud.failures(POLICY, of("appendBlob", delete=age))
    assert any(
        "only be deleted" in failure for failure in region.cloud.failures(POLICY, of("appendBlob", tierToCold=age))
    )


def test_an_identity_trusts_an_issuer_and_subject_once(region: Region) -> None:
    region.identity("writer")

    def of(name: str, **rest: object) -> dict[str, Any]:
        return {
            "resourceGroupName": "rg", "resourceName": "writer", "federatedIdentityCredentialResourceName": name,
            "issuer": "https://accounts.google.com", "subject": "1234", "audiences": ["api://AzureADTokenExchange"],
            **rest,
        }  # fmt: skip

    assert region.cloud.create(CREDENTIAL, of("first"))
    with pytest.raises(RefusedError, match="IssuerAndSubjectTaken"):
        region.cloud.create(CREDENTIAL, of("second"))
    assert region.cloud.create(CREDENTIAL, of("second", subject="5678"))
    for worse in ({"audiences": ["a", "b"]}, {"issuer": "http://accounts.google.com"}, {"subject": "*"}):
        assert region.cloud.failures(CREDENTIAL, of("third", **worse))


def test_a_role_of_ones_own_is_assigned_where_it_may_be(region: Region) -> None:
    account, person = _account(region), region.identity("writer")["principalId"]
    group = account.id.partition("/providers")[0]
    elsewhere = f"{group}-other"

    def role(n: int, scope: str) -> Resource:
        permissions = [{"actions": [], "dataActions": [ADD]}]
        inputs = {"scope": group, "roleDefinitionId": GUIDS[n], "roleName": f"adds {n}", "roleType": "CustomRole"}
        return region.cloud.create(ROLE, {**inputs, "assignableScopes": [scope], "permissions": permissions}, f"r{n}")

    with pytest.raises(RefusedError, match="RoleDefinitionDoesNotExist"):
        _grant(region, account.id, person, GUIDS[0])
    role(0, elsewhere)
    with pytest.raises(RefusedError, match="RoleDefinitionNotAssignable"):
        _grant(region, account.id, person, GUIDS[0])
    role(1, group)
    condition = f"((!(ActionMatches{{'{ADD}'}})) OR (@Resource[a/b:path] StringStartsWith 'vault/'))"
    for worse in ({"condition": condition}, {"condition": "vault/*", "conditionVersion": "2.0"}):
        with pytest.raises(RefusedError, match="condition"):
            _grant(region, account.id, person, GUIDS[1], GUIDS[1], **worse)
    assert _grant(region, account.id, person, GUIDS[1], GUIDS[1], condition=condition, conditionVersion="2.0")


def _closed(bypass: str = "AzureServices", **rest: object) -> dict[str, Any]:
    return {"networkRuleSet": {"defaultAction": "Deny", "bypass": bypass}, **rest}


def test_logs_reach_an_account_that_lets_them_in_and_append(region: Region) -> None:
    vault = region.vault()

    def setting(account: str, **log: object) -> dict[str, Any]:
        logs = [{"enabled": True, **(log or {"categoryGroup": "allLogs"})}]
        return {"resourceUri": vault.id, "name": "audit", "storageAccountId": account, "logs": logs}

    shut, locked = _account(region, "shut1", **_closed("None")), _account(region, "locked1", **_closed(**_lock()))
    with pytest.raises(RefusedError, match="StorageAccountFirewall"):
        region.cloud.create(SETTING, setting(shut.id))
    with pytest.raises(RefusedError, match="StorageAccountImmutable"):
        region.cloud.create(SETTING, setting(locked.id))
    right = _account(region, "right1", **_closed(**_lock(allowProtectedAppendWrites=True)))
    assert any("not supported" in said for said in region.cloud.failures(SETTING, setting(right.id, category="Reads")))
    assert region.cloud.failures(SETTING, {**setting(right.id), "storageAccountId": None})
    assert region.cloud.create(SETTING, setting(right.id))


def test_a_flow_log_is_the_watchers_of_the_region_and_may_write(region: Region) -> None:
    network = region.network(subnet("one", "10.2.1.0/24"), location="westus2")
    person = region.identity("flows")
    account = _account(region, **_closed(allowSharedKeyAccess=False, location="westus2"))
    far = _account(region, "far1", **_closed(location="eastus"))
    good: dict[str, Any] = {
        "resourceGroupName": "NetworkWatcherRG", "networkWatcherName": "NetworkWatcher_westus2", "flowLogName": "flows",
        "location": "westus2", "targetResourceId": network.id, "storageId": account.id, "enabled": True,
        "identity": {"type": "UserAssigned", "userAssignedIdentities": [person.id]},
    }  # fmt: skip
    for worse in (
        {"resourceGroupName": "rg"},
        {"networkWatcherName": "NetworkWatcher_eastus"},
        {"targetResourceId": "/x/networkSecurityGroups/y"},
    ):
        assert region.cloud.failures(FLOW, {**good, **worse})
    with pytest.raises(RefusedError, match="FlowLogRegionMismatch"):
        region.cloud.create(FLOW, {**good, "storageId": far.id})
    with pytest.raises(RefusedError, match="FlowLogStorageAccessDenied"):
        region.cloud.create(FLOW, good)
    _grant(region, account.id, person["principalId"], CONTRIBUTOR)
    assert region.cloud.create(FLOW, good)
    with pytest.raises(RefusedError, match="already exists"):
        region.cloud.create(FLOW, {**good, "flowLogName": "again"}, "again")


def test_a_secret_has_a_longest_value(region: Region) -> None:
    def of(length: int) -> dict[str, Any]:
        return {"resourceGroupName": "rg", "vaultName": "v-1", "secretName": "s", "properties": {"value": "x" * length}}

    assert not region.cloud.failures(SECRET, of(25_600))
    assert any("25600 bytes" in failure for failure in region.cloud.failures(SECRET, of(25_601)))


def test_a_private_endpoint_is_of_one_service_of_an_account(region: Region) -> None:
    network, account = region.network(subnet("one", "10.2.1.0/24")), _account(region)

    def of(*groups: str) -> dict[str, Any]:
        target = {"name": "one", "privateLinkServiceId": account.id, "groupIds": list(groups)}
        return {
            "resourceGroupName": "rg", "privateEndpointName": "way", "subnet": {"id": f"{network.id}/subnets/one"},
            "privateLinkServiceConnections": [target],
        }  # fmt: skip

    kind = "azure-native:network:PrivateEndpoint"
    assert region.cloud.failures(kind, of("vault"))
    made = region.cloud.create(kind, of("blob"))
    assert made["customDnsConfigs"][0]["fqdn"] == "backups1.blob.core.windows.net"
