"""The region's tunnels, backups and trail on the real engine: what the contract cannot see, because it is only Azure's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from components.clouds.azure.storage import only_below
from components.plan.backup import WRITING_ROLES, prefixes
from components.plan.secrets import ENTRIES, MANIFEST
from tests.clouds.state import resources
from tests.deployed import Deployed
from tests.harness import Sandbox, Stack

ACCOUNT = "azure-native:storage:StorageAccount"
CONNECTION = "azure-native:network:VirtualNetworkGatewayConnection"
LONGEST_SECRET = 25_600


@pytest.fixture(scope="module")
def box(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with deployed.copy(tmp_path_factory.mktemp("azure-joined") / "home") as copied:
        yield copied


@pytest.fixture(scope="module")
def region(box: Sandbox) -> Stack:
    return box.stack("azure")


def _locks(stack: Stack) -> dict[str, str]:
    return {
        name: item["inputs"]["immutableStorageWithVersioning"]["immutabilityPolicy"]["state"]
        for name, item in resources(stack, ACCOUNT).items()
    }


def _sealed(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    return isinstance(value, dict) and "ciphertext" in value and "plaintext" not in value


def test_a_condition_lets_a_writer_add_below_its_own_names_alone() -> None:
    said = only_below(prefixes("consul-server", "azure"))
    assert re.findall(r"StringStartsWith '([^']+)'", said) == list(prefixes("consul-server", "azure"))
    assert said.startswith(
        "((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action'}))"
    )
    assert said.count("(") == said.count(")")


@pytest.mark.engine
def test_a_lock_is_closed_by_the_update_after_the_one_that_made_it(deployed: Deployed, region: Stack) -> None:
    made = [
        item["inputs"]["immutableStorageWithVersioning"]["immutabilityPolicy"]["state"]
        for item in deployed.state("azure", "first")["resources"]
        if item["type"] == ACCOUNT
    ]
    assert made == ["Unlocked"] * 4
    assert _locks(region) == dict.fromkeys(("backup", "backup-replica", "audit", "audit-recovery"), "Locked")


@pytest.mark.engine
def test_shared_keys_of_tunnels_are_sealed_in_the_state(region: Stack) -> None:
    connections = resources(region, CONNECTION)
    assert len(connections) == 8
    for item in connections.values():
        assert _sealed(item["inputs"]["sharedKey"])
        assert _sealed(item["outputs"].get("sharedKey", {"ciphertext": ""}))


@pytest.mark.engine
def test_every_writing_role_of_the_second_cloud_is_told_how_to_become_its_identity(region: Stack) -> None:
    told = region.outputs()["manifest"]["backup"]["writers"]["gcp"]
    clients = {
        name.removeprefix("backup-gcp-"): item["outputs"]["clientId"]
        for name, item in resources(region, "azure-native:managedidentity:UserAssignedIdentity").items()
        if name.startswith("backup-gcp-")
    }
    assert {role: facts["client_id"] for role, facts in told.items()} == clients
    assert clients.keys() == set(WRITING_ROLES)
    assert {facts["audience"] for facts in told.values()} == {"api://AzureADTokenExchange"}


@pytest.mark.engine
def test_peers_come_from_their_own_addresses_and_nobody_else(region: Stack) -> None:
    admitted = {
        name: [rule["iPAddressOrRange"] for rule in item["inputs"]["networkRuleSet"].get("ipRules") or []]
        for name, item in resources(region, ACCOUNT).items()
    }
    egress = region.outputs()["manifest"]["peers"]["gcp"]["network"]["egress"]
    assert egress
    assert admitted == {"backup": egress, "backup-replica": [], "audit": [], "audit-recovery": []}


@pytest.mark.engine
def test_the_record_fits_into_the_vault_beside_the_other_entries(region: Stack) -> None:
    clear = {
        item["urn"].rpartition("::")[2]: item["inputs"]["properties"]["value"]
        for item in region.export(secrets=True)["resources"]
        if item["type"] == "azure-native:keyvault:Secret"
    }
    record = json.loads(clear[f"record-{MANIFEST}"]["plaintext"])
    assert 1_000 < len(record) < LONGEST_SECRET
    assert len(clear) > len(ENTRIES) - 1
