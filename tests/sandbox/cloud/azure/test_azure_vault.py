"""Azure's vaults, keys, secrets, identities and grants: each refusal beside its accepted neighbour."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.cloud.azure.region import Region, key, vault
from tests.sandbox.cloud.client import RefusedError, Resource

VAULT, KEY = "azure-native:keyvault:Vault", "azure-native:keyvault:Key"
READ = "4633458b-17de-408a-b874-0445c86b69e6"
GUIDS = tuple(f"0000000{n}-0000-4000-8000-000000000000" for n in range(1, 5))


def _role(region: Region, definition: str = READ) -> str:
    subscription = region.cloud.invoke("azure-native:authorization:getClientConfig")["subscriptionId"]
    return f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{definition}"


def _grant(region: Region, scope: str, principal: str, name: str = GUIDS[0], **rest: object) -> Resource:
    inputs = {
        "roleAssignmentName": name, "scope": scope, "principalId": principal, "principalType": "ServicePrincipal",
        "roleDefinitionId": _role(region),
    }  # fmt: skip
    return region.cloud.create("azure-native:authorization:RoleAssignment", {**inputs, **rest})


def test_a_vaults_name_is_taken_everywhere_and_after_its_deletion(region: Region) -> None:
    made = region.vault()
    region.cloud.create("azure-native:resources:ResourceGroup", {"resourceGroupName": "rg2", "location": "westus2"})
    elsewhere = {"resourceGroupName": "rg2", "vaultName": "vault-1", "properties": vault(region.tenant)}
    with pytest.raises(RefusedError, match="VaultAlreadyExists"):
        region.cloud.create(VAULT, elsewhere)
    region.cloud.delete(made)
    with pytest.raises(RefusedError, match="vault-1"):
        region.cloud.create(VAULT, elsewhere)
    assert region.cloud.create(VAULT, {**elsewhere, "vaultName": "vault-2"})


def test_purge_protection_and_retention_are_one_way(region: Region) -> None:
    def of(**properties: object) -> dict[str, Any]:
        return {"resourceGroupName": "rg", "vaultName": "vault-1", "properties": vault(region.tenant, **properties)}

    assert region.cloud.failures(VAULT, of(enablePurgeProtection=False))
    assert region.cloud.failures(VAULT, of(softDeleteRetentionInDays=91))
    assert region.cloud.failures(VAULT, of(tenantId="99999999-9999-4999-8999-999999999999"))
    made = region.vault()
    with pytest.raises(RefusedError, match="irreversible"):
        region.cloud.update(made, of(enablePurgeProtection=None))
    assert region.cloud.diff(made, of(softDeleteRetentionInDays=30)).replaces
    assert not region.cloud.diff(made, of(enabledForDeployment=True)).replaces


def test_a_key_in_hardware_needs_a_premium_vault(region: Region) -> None:
    region.vault("plain-vault", sku={"family": "A", "name": "standard"})
    with pytest.raises(RefusedError, match="HsmKeysNotSupported"):
        region.key("plain-vault")
    assert region.key("plain-vault", kty="RSA")
    region.vault()
    made = region.key()
    assert made["keyUri"] == "https://vault-1.vault.azure.net/keys/key"
    assert made["keyUriWithVersion"].startswith(f"{made['keyUri']}/")
    with pytest.raises(RefusedError, match="VaultNotFound"):
        region.key("no-vault")


def _rotating(after: str = "P90D", expiry: str = "P2Y", kind: str = "rotate", **trigger: str) -> dict[str, Any]:
    action = {"action": {"type": kind}, "trigger": trigger or {"timeAfterCreate": after}}
    return {"rotationPolicy": {"attributes": {"expiryTime": expiry}, "lifetimeActions": [action]}}


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ({}, {"keySize": 1024}, "bits"),
        ({}, {"keyOps": ["wrapkey"]}, "no operation of a key"),
        (_rotating("P83D", "P90D"), _rotating("P84D", "P90D"), "7 days before"),
        (
            _rotating(kind="notify", timeBeforeExpiry="P30D"),
            _rotating(kind="notify", timeAfterCreate="P30D"),
            "timed before the expiry",
        ),
        (
            _rotating(timeBeforeExpiry="P30D"),
            _rotating(timeBeforeExpiry="P30D", timeAfterCreate="P30D"),
            "exactly one",
        ),
    ],
)
def test_a_keys_form(region: Region, good: dict[str, Any], bad: dict[str, Any], said: str) -> None:
    base = {"resourceGroupName": "rg", "vaultName": "vault-1", "keyName": "key"}
    assert not region.cloud.failures(KEY, {**base, "properties": key(**good)})
    assert any(said in failure for failure in region.cloud.failures(KEY, {**base, "properties": key(**bad)}))


def test_a_secrets_value_goes_in_and_never_comes_back(region: Region) -> None:
    region.vault()
    made = region.make("keyvault:Secret", vaultName="vault-1", secretName="entry", properties={"value": "hush"})
    assert "hush" not in str(made.outputs)
    assert made["properties"]["secretUri"] == "https://vault-1.vault.azure.net/secrets/entry"
    region.cloud.delete(made)
    with pytest.raises(RefusedError, match="entry"):
        region.make("keyvault:Secret", vaultName="vault-1", secretName="entry", properties={"value": "hush"})


def test_a_vault_with_keys_stays(region: Region) -> None:
    made = region.vault()
    held = region.key()
    with pytest.raises(RefusedError, match="InUse"):
        region.cloud.delete(made)
    region.cloud.delete(held)
    region.cloud.delete(made)


def test_a_grant_names_a_principal_and_a_scope_that_exist(region: Region) -> None:
    region.vault()
    scope, person = region.key().id, region.identity()
    with pytest.raises(RefusedError, match="PrincipalNotFound"):
        _grant(region, scope, GUIDS[3])
    assert _grant(region, scope, GUIDS[3], GUIDS[2], principalType="User"), "people are in the directory"
    with pytest.raises(RefusedError, match="ResourceNotFound"):
        _grant(region, f"{scope}-other", person["principalId"])
    assert _grant(region, scope, person["principalId"]).id.startswith(f"{scope}/providers/")
    assert _grant(region, _role(region).partition("/providers")[0], person["principalId"], GUIDS[1])


def test_a_grant_is_made_once_under_a_guid(region: Region) -> None:
    region.vault()
    scope, person = region.key().id, region.identity()["principalId"]
    made = _grant(region, scope, person)
    with pytest.raises(RefusedError, match="RoleAssignmentExists"):
        _grant(region, scope, person, GUIDS[1])
    for name in ("reader", None):
        with pytest.raises(RefusedError, match="GUID"):
            _grant(region, scope, region.identity(f"other-{name}")["principalId"], name)  # type: ignore[arg-type]
    with pytest.raises(RefusedError, match="InvalidRoleDefinitionId"):
        _grant(region, scope, person, GUIDS[2], roleDefinitionId="Reader")
    other = {**made.inputs, "principalId": region.identity("third")["principalId"]}
    assert region.cloud.diff(made, other).replaces, "Azure changes no assignment"


def test_a_disk_encryption_set_needs_a_vault_that_cannot_be_purged(region: Region) -> None:
    weak = region.vault("weak-vault", enablePurgeProtection=None)
    strong = region.vault()

    def encryption(held: Resource, found: Resource) -> Resource:
        return region.make(
            "compute:DiskEncryptionSet", diskEncryptionSetName=f"set-{held['name']}",
            identity={"type": "UserAssigned", "userAssignedIdentities": [person.id]},
            activeKey={"keyUrl": found["keyUriWithVersion"], "sourceVault": {"id": held.id}},
        )  # fmt: skip

    person = region.identity()
    with pytest.raises(RefusedError, match="KeyVaultNotPurgeProtected"):
        encryption(weak, region.key("weak-vault"))
    found = region.key()
    made = encryption(strong, found)
    assert made["identity"]["userAssignedIdentities"][person.id]["principalId"] == person["principalId"]
    for held in (found, person):
        with pytest.raises(RefusedError, match="InUse"):
            region.cloud.delete(held)
