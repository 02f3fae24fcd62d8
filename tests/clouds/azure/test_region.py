"""The region on the real engine: what a change may touch, and what may not be touched at all.

What the three clouds have in common is the contract suite's; here stands what only Azure's package promises.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clouds.state import resources, touched
from tests.deployed import Deployed, plan
from tests.harness import Sandbox, Stack

pytestmark = pytest.mark.engine

MACHINE, DISK = "azure-native:compute:VirtualMachine", "azure-native:compute:Disk"
NEWER = "Canonical:ubuntu-24_04-lts:server:24.04.202508010"


@pytest.fixture(scope="module")
def box(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with deployed.copy(tmp_path_factory.mktemp("azure") / "home") as copied:
        yield copied


@pytest.fixture
def region(box: Sandbox) -> Stack:
    return box.stack("azure")


def _in_azure(urns: set[str]) -> set[str]:
    """What is more than a component or a look at a peer."""
    return {urn for urn in urns if urn.split("::")[2].rpartition("$")[2].startswith("azure-native:")}


def test_a_second_update_and_a_refresh_change_nothing(region: Stack) -> None:
    assert not _in_azure(region.preview().touched())
    assert not _in_azure(region.refresh().touched())


def test_credentials_of_another_subscription_stop_before_anything_is_planned(region: Stack) -> None:
    region.configure(account="99999999-9999-4999-8999-999999999999")
    try:
        refused = region.preview(fails=True)
    finally:
        region.configure(account="")
    (said,) = [item.message for item in refused.diagnostics if "99999999-9999-4999-8999-999999999999" in item.message]
    assert "az account set" in said
    assert "Traceback" not in said
    assert not touched(refused.touched(), "azure-native:resources:ResourceGroup")


def test_a_new_image_reaches_clients_and_no_server(region: Stack) -> None:
    region.configure(image=NEWER)
    try:
        planned = region.preview()
    finally:
        region.configure(image=plan("azure").image)
    assert not touched(planned.touched(), MACHINE)
    assert touched(planned.touched(), "azure-native:compute:VirtualMachineScaleSet") == {"nomad-clients"}


def test_a_rollout_replaces_the_named_server_and_keeps_its_address_and_disks(region: Stack) -> None:
    before = {type_: resources(region, type_) for type_ in (MACHINE, DISK)}
    region.configure(image=NEWER, rollout=["vault-azure-2"])
    rolled = region.up()
    assert touched(rolled.touched(), MACHINE) == {"vault-azure-2"}
    assert not touched(rolled.touched(), "azure-native:network:NetworkInterface")
    after = {type_: resources(region, type_) for type_ in (MACHINE, DISK)}
    assert {name: item["id"] for name, item in before[DISK].items()} == {
        name: item["id"] for name, item in after[DISK].items()
    }
    made = after[MACHINE]["vault-azure-2"]
    assert made["outputs"]["vmId"] != before[MACHINE]["vault-azure-2"]["outputs"]["vmId"]
    assert made["inputs"]["storageProfile"]["imageReference"]["version"] == NEWER.rpartition(":")[2]
    region.configure(rollout=[])
    assert not _in_azure(region.up().touched())


GATEWAY = "azure-native:network:VirtualNetworkGateway"


def test_only_the_lineage_the_data_and_the_gateway_are_protected(region: Stack) -> None:
    kept = {item["type"] for item in region.export()["resources"] if item.get("protect")}
    of_azure = {type_ for type_ in kept if type_.startswith("azure-native:")}
    stores = {f"azure-native:storage:{kind}" for kind in ("StorageAccount", "BlobContainer")}
    assert of_azure == {
        DISK,
        GATEWAY,
        *stores,
        *(f"azure-native:keyvault:{kind}" for kind in ("Vault", "Key", "Secret")),
    }


def test_no_alias_of_older_sdks_is_registered(region: Stack) -> None:
    below = [item for item in region.export()["resources"] if "hashicorp:clouds:" in item["urn"]]
    assert len(below) > 200
    assert not [item["urn"] for item in below if item.get("aliases")]


def test_the_operators_key_is_in_the_vault_and_in_no_other_place(region: Stack) -> None:
    private = resources(region, "azure-native:keyvault:Secret")["network-operators"]
    granted = [
        item["inputs"]["scope"] for item in resources(region, "azure-native:authorization:RoleAssignment").values()
    ]
    assert private["id"] not in granted
    (pair,) = [item for item in resources(region, "tls:index/privateKey:PrivateKey").values() if "RSA" in str(item)]
    public = pair["outputs"]["publicKeyOpenssh"].strip()
    for machine in resources(region, MACHINE).values():
        linux = machine["inputs"]["osProfile"]["linuxConfiguration"]
        assert [key["keyData"].strip() for key in linux["ssh"]["publicKeys"]] == [public]
