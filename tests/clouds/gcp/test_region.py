"""A whole region on the real engine and the simulated cloud: what only Google Cloud has. The contract suite has the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from components.plan.addressing import all_servers, front_ends
from components.plan.spec import ROLES
from tests.clouds.region import PLATFORM
from tests.harness import TREE

if TYPE_CHECKING:
    from tests.harness import Sandbox, Stack

pytestmark = pytest.mark.engine

PROGRAM = f"import sys\nsys.path.insert(0, {str(TREE)!r})\nfrom tests.clouds.gcp.region import run\nrun()\n"
INSTANCE = "gcp:compute/instance:Instance"
MEMBERSHIP = "gcp:compute/instanceGroupMembership:InstanceGroupMembership"
CHOSEN = "vault-gcp-2"


@dataclass(frozen=True)
class Built:
    """The region after its first update."""

    stack: Stack
    resources: list[dict[str, Any]]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Inputs, ids and options of the resources of a type."""
        return [found for found in self.resources if found["type"] == f"gcp:{kind}"]


@pytest.fixture(scope="module")
def built(sandbox: Sandbox) -> Built:
    region = sandbox.stack("region", sandbox.program(PROGRAM, "gcp-region"))
    region.up()
    return Built(region, region.export()["resources"])


def _short(urns: set[str]) -> set[tuple[str, str]]:
    """(type, name) of URNs."""
    return {(urn.split("$")[-1].split("::")[0], urn.rpartition("::")[2]) for urn in urns}


def test_the_account_is_the_credentials_project_and_its_number(built: Built) -> None:
    outputs = built.stack.outputs()
    assert outputs["account"] == "platform-sandbox"
    assert outputs["tenant"].isdigit()


def test_a_region_is_not_built_in_another_project_than_its_own(sandbox: Sandbox) -> None:
    elsewhere = sandbox.stack("elsewhere", sandbox.program(PROGRAM, "gcp-elsewhere"))
    elsewhere.configure(account="another-project")
    said = elsewhere.up(fails=True).errors[0].message
    assert "platform-sandbox" in said
    assert "another-project" in said
    assert sandbox.existing("gcp:*", "elsewhere") == []


def test_a_key_is_used_by_those_alone_who_need_it(built: Built) -> None:
    held: dict[str, set[tuple[str, str]]] = {}
    for grant in built.of("kms/cryptoKeyIAMMember:CryptoKeyIAMMember"):
        given = grant["inputs"]
        place, key = given["cryptoKeyId"].split("/")[3], given["cryptoKeyId"].rpartition("/")[2]
        member = given["member"].removeprefix("serviceAccount:").replace("123456789012", "N")
        held.setdefault(f"{key}@{place}", set()).add((member, given["role"].rpartition(".")[2]))
    use = "cryptoKeyEncrypterDecrypter"
    vault = "hmc-vault-server@platform-sandbox.iam.gserviceaccount.com"
    store = "service-N@gcp-sa-secretmanager.iam.gserviceaccount.com"
    assert held == {
        "hmc-vault-seal@us": {(vault, use), (vault, "viewer")},
        "hmc-disk@us-west1": {("service-N@compute-system.iam.gserviceaccount.com", use)},
        "hmc-secrets@us-west1": {(store, use)},
        "hmc-secrets@us-central1": {(store, use)},
    }


def test_the_seal_names_the_key_that_survives_the_region(built: Built) -> None:
    assert built.stack.outputs()["seal"] == {
        "kind": "gcpckms",
        "project": "platform-sandbox",
        "region": "us",
        "key_ring": "hmc-vault-seal",
        "crypto_key": "hmc-vault-seal",
    }


def test_each_replica_of_a_secret_is_encrypted_where_it_lies(built: Built) -> None:
    secrets = built.of("secretmanager/secret:Secret")
    assert secrets
    for secret in secrets:
        replicas = secret["inputs"]["replication"]["userManaged"]["replicas"]
        places = {replica["location"]: replica["customerManagedEncryption"]["kmsKeyName"] for replica in replicas}
        assert places.keys() == {"us-west1", "us-central1"}
        assert all(f"/locations/{place}/" in key for place, key in places.items())


def test_the_port_that_the_runbook_calls_is_answered_by_the_port_that_serves(built: Built) -> None:
    rules = [rule["inputs"] for rule in built.of("compute/forwardingRule:ForwardingRule")]
    consul = {rule["portRange"]: rule for rule in rules if rule.get("portRange")}
    assert consul.keys() == {"8500", "8501"}
    assert {rule["loadBalancingScheme"] for rule in consul.values()} == {"INTERNAL_MANAGED"}
    assert len({(rule["ipAddress"], rule["target"]) for rule in consul.values()}) == 1
    groups = [group["inputs"] for group in built.of("compute/instanceGroup:InstanceGroup")]
    assert {port["port"] for group in groups if "consul" in group["name"] for port in group["namedPorts"]} == {8501}
    passed = {rule["name"]: rule["ports"] for rule in rules if rule["loadBalancingScheme"] == "INTERNAL"}
    assert passed == {"hmc-vault": ["8200"], "hmc-nomad": ["4646"]}


def test_a_balancer_stands_at_its_planned_address(built: Built) -> None:
    addresses = [made["inputs"] for made in built.of("compute/address:Address")]
    found = {made["name"]: made["address"] for made in addresses if made["addressType"] == "INTERNAL"}
    region = PLATFORM.regions["gcp"]
    assert found == {f"hmc-{product}": front_ends(region, product)[0] for product in ("consul", "vault", "nomad")}


def test_machines_leave_by_reserved_addresses_alone(built: Built) -> None:
    (nat,) = (made["inputs"] for made in built.of("compute/routerNat:RouterNat"))
    reserved = [made for made in built.of("compute/address:Address") if made["inputs"]["addressType"] == "EXTERNAL"]
    assert nat["natIpAllocateOption"] == "MANUAL_ONLY"
    assert sorted(nat["natIps"]) == sorted(made["outputs"]["selfLink"] for made in reserved)
    assert len({made["outputs"]["address"] for made in reserved}) == len(reserved) > 1


def test_all_that_is_not_named_is_denied_and_every_rule_is_logged(built: Built) -> None:
    rules = [rule["inputs"] for rule in built.of("compute/firewall:Firewall")]
    assert all(rule["logConfig"]["metadata"] == "INCLUDE_ALL_METADATA" and not rule["disabled"] for rule in rules)
    denied = {rule["direction"]: rule for rule in rules if rule.get("denies")}
    assert denied.keys() == {"INGRESS", "EGRESS"}
    allowed = [rule for rule in rules if rule.get("allows")]
    assert max(rule["priority"] for rule in allowed) < min(rule["priority"] for rule in denied.values())
    assert all(rule["targetServiceAccounts"] for rule in allowed)
    assert all(len(rule.get("sourceServiceAccounts", ())) <= len(ROLES) for rule in allowed)


def test_the_region_ends_in_a_state_that_another_update_leaves_alone(built: Built) -> None:
    assert not built.stack.up().changed
    assert not built.stack.refresh().changed


def test_no_secret_stands_in_the_open(built: Built) -> None:
    assert "hush" not in json.dumps(built.resources)


def test_a_rollout_replaces_one_server_in_two_updates_and_a_plain_update_none(built: Built) -> None:
    region = built.stack
    region.configure(revision="second")
    assert {kind for kind, _ in _short(region.up().touched())} == {
        "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
        "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager",
    }
    region.configure(rollout=[CHOSEN])
    lifted = region.up()
    assert _short(lifted.touched()) == {(INSTANCE, CHOSEN)}
    assert lifted.changes["update"] == 1
    assert any("Run it again" in item.message for item in lifted.diagnostics)
    replaced = region.up()
    assert _short(replaced.touched()) == {(INSTANCE, CHOSEN), (MEMBERSHIP, CHOSEN)}
    assert replaced.changes["replace"] == 2
    assert not region.up().changed
    region.configure(rollout=None)
    assert _short(region.up().touched()) == {(INSTANCE, CHOSEN)}
    (machine,) = (
        found for found in region.export()["resources"] if found["type"] == INSTANCE and CHOSEN in found["urn"]
    )
    assert machine["inputs"]["deletionProtection"] is True
    assert "second" in machine["inputs"]["metadata"]["user-data"]


def test_a_guarded_region_is_not_destroyed_and_what_is_left_of_an_unguarded_one_is_used_again(built: Built) -> None:
    region = built.stack
    assert any(
        "Deletion Protection" in item.message for item in region.destroy("--exclude-protected", fails=True).errors
    )
    region.configure(rollout=[server.name for server in all_servers(PLATFORM, "gcp")])
    region.up()
    region.destroy("--exclude-protected")
    left = {found["id"]: found for found in region.export()["resources"] if found["type"].startswith("gcp:")}
    assert {found["type"] for found in left.values()} == {
        "gcp:kms/keyRing:KeyRing",
        "gcp:kms/cryptoKey:CryptoKey",
        "gcp:secretmanager/secret:Secret",
        "gcp:compute/disk:Disk",
        # Without these grants Google could decrypt none of the above.
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        "gcp:projects/serviceIdentity:ServiceIdentity",
    }
    region.configure(rollout=None)
    region.up()
    again = {found.get("id") for found in region.export()["resources"]}
    assert left.keys() <= again
    assert not region.up().changed
