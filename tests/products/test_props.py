"""What clusters say of themselves is what the policy pack reads and what the templates hold."""

from __future__ import annotations

import io
import json
from typing import Any

import hcl2
import pytest

from components.plan.spec import CLOUDS, PRODUCTS, SERVER_ROLE, Cloud, Product
from components.products.props import props
from tests.products.machines import PLATFORM, STANZAS, Case, contents, machine, platform, stack

SHARED = """cloud cluster environment edition version server.instanceType server.spot server.publicIp server.sshPasswordAuth
    server.image.ref audit[].type audit[].target rpoMinutes runsOn tls.certTtlHours tls.rotation"""
RAFT = """nodes zones[].name zones[].voters server.dataDisk.type server.dataDisk.sizeGb server.dataDisk.iops
    server.dataDisk.throughputMb replacement.strategy replacement.maxUnavailable replacement.healthGate"""
FEDERATED = "access.gossipFrom[] access.rpcFrom[] gossipEncryption gossipKeyRef tls.verifyServerHostname tls.minVersion acl.enabled"
READ: dict[Product, str] = {
    "consul": f"{SHARED} {RAFT} {FEDERATED} tls.verifyIncoming tls.verifyOutgoing acl.defaultPolicy acl.downPolicy "
    "autopilot.minQuorum",
    "vault": f"{SHARED} {RAFT} devMode storage listener.tlsDisable listener.tlsMinVersion rawStorageEndpoint seal.type "
    "seal.keyRef seal.auth",
    "nomad": f"{SHARED} {RAFT} {FEDERATED} tls.http tls.rpc tls.verifyHttpsClient keyring.provider keyring.keyRef",
    # Workers have no certificate of the platform and no database: what is not there is not claimed.
    "boundary": SHARED.replace("tls.certTtlHours tls.rotation", "")
    + " devMode listeners[].purpose listeners[].tlsDisable listeners[].public kms[].purpose kms[].type kms[].keyRef "
    "kms[].auth workers.nodes workers.publicProxy workers.from[]",
}
"""Props that the rules read (policy catalogue, "Component props")."""
PLAIN = (str, int, bool)


def reached(value: dict[str, Any], path: str) -> list[Any]:
    """The values at a path of props; `[]` is every element."""
    values: list[Any] = [value]
    for part in path.split("."):
        name, listed = part.removesuffix("[]"), part.endswith("[]")
        values = [inner[name] for inner in values]
        if listed:
            values = [element for inner in values for element in inner]
    return values


def rendered(cloud: Cloud, product: Product) -> dict[str, Any]:
    """The product's configuration as HCL reads it."""
    files = contents(machine(Case(cloud, SERVER_ROLE[product])), cloud)
    path = next(p for p in files if p in (f"/etc/{product}.d/{name}.hcl" for name in ("agent", "server", "worker")))
    return hcl2.load(
        io.StringIO(files[path]), serialization_options=hcl2.SerializationOptions(strip_string_quotes=True)
    )


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("product", PRODUCTS)
def test_every_prop_that_a_rule_reads_is_there(product: Product, cloud: Cloud) -> None:
    said = props(stack(cloud), product)
    for path in READ[product].split():
        found = reached(said, path)
        assert found, path
        assert all(isinstance(value, PLAIN) for value in found), path


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("product", PRODUCTS)
def test_props_are_plain_data(product: Product, cloud: Cloud) -> None:
    said = props(stack(cloud), product)
    assert json.loads(json.dumps(said)) == said


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("product", ["consul", "vault", "nomad"])
def test_voters_add_up_and_no_zone_holds_a_quorum(product: Product, cloud: Cloud) -> None:
    said = props(stack(cloud), product)
    assert sum(zone["voters"] for zone in said["zones"]) == said["nodes"] == PLATFORM.servers[product]
    assert max(zone["voters"] for zone in said["zones"]) < said["nodes"] // 2 + 1


def test_a_cluster_names_only_its_own_servers_of_a_rollout() -> None:
    rolling = stack("gcp")
    rolling = type(rolling)(PLATFORM, "gcp", "", "an-image", ("nomad-gcp-2", "consul-gcp-1"))
    assert props(rolling, "nomad")["replacement"]["rollout"] == ["nomad-gcp-2"]
    assert props(rolling, "vault")["replacement"]["rollout"] == []


@pytest.mark.parametrize("cloud", CLOUDS)
def test_seal_keyring_and_worker_key_are_of_the_kind_that_the_cloud_gives(cloud: Cloud) -> None:
    kind = STANZAS[cloud].kind
    assert props(stack(cloud), "vault")["seal"]["type"] == kind
    assert props(stack(cloud), "nomad")["keyring"]["provider"] == kind
    (key,) = props(stack(cloud), "boundary")["kms"]
    assert key["type"] == STANZAS["aws"].kind
    assert key["auth"] == ("instance-role" if cloud == "aws" else "workload-identity")


def test_shared_keys_are_said_to_be_shared() -> None:
    assert props(stack("aws", platform(seal="shamir")), "vault")["seal"] == {"type": "shamir"}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_consul_says_what_its_configuration_holds(cloud: Cloud) -> None:
    said, holds = props(stack(cloud), "consul"), rendered(cloud, "consul")
    defaults = holds["tls"][0]["defaults"][0]
    assert said["tls"]["verifyIncoming"] == defaults["verify_incoming"]
    assert said["tls"]["verifyOutgoing"] == defaults["verify_outgoing"]
    assert said["tls"]["minVersion"] == defaults["tls_min_version"]
    assert said["tls"]["verifyServerHostname"] == holds["tls"][0]["internal_rpc"][0]["verify_server_hostname"]
    acl = holds["acl"][0]
    assert said["acl"] == {
        "enabled": acl["enabled"], "defaultPolicy": acl["default_policy"], "downPolicy": acl["down_policy"],
    }  # fmt: skip
    assert said["autopilot"]["minQuorum"] == holds["autopilot"][0]["min_quorum"]
    assert said["nodes"] == holds["bootstrap_expect"]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_vault_says_what_its_configuration_holds(cloud: Cloud) -> None:
    said, holds = props(stack(cloud), "vault"), rendered(cloud, "vault")
    listener = holds["listener"][0]["tcp"]
    assert said["listener"] == {"tlsDisable": "tls_disable" in listener, "tlsMinVersion": listener["tls_min_version"]}
    assert list(holds["storage"][0]) == [said["storage"]]
    assert said["rawStorageEndpoint"] == holds["raw_storage_endpoint"]
    unit = contents(machine(Case(cloud, "vault-server")), cloud)["/etc/systemd/system/vault.service"]
    assert said["devMode"] == ("-dev" in unit)
    audited = contents(machine(Case(cloud, "vault-server")), cloud)["/etc/systemd/system/vault-audit.service"]
    assert all(f" {sink['target']}" in audited for sink in said["audit"])


@pytest.mark.parametrize("cloud", CLOUDS)
def test_nomad_says_what_its_configuration_holds(cloud: Cloud) -> None:
    said, holds = props(stack(cloud), "nomad"), rendered(cloud, "nomad")
    tls = holds["tls"][0]
    assert said["tls"]["http"] == tls["http"]
    assert said["tls"]["rpc"] == tls["rpc"]
    assert said["tls"]["verifyServerHostname"] == tls["verify_server_hostname"]
    assert said["tls"]["verifyHttpsClient"] == tls["verify_https_client"]
    assert said["tls"]["minVersion"] == tls["tls_min_version"]
    assert said["acl"]["enabled"] == holds["acl"][0]["enabled"]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_boundary_says_what_its_configuration_holds(cloud: Cloud) -> None:
    said, holds = props(stack(cloud), "boundary"), rendered(cloud, "boundary")
    listeners = [listener["tcp"] for listener in holds["listener"]]
    assert {(one["purpose"], one["tlsDisable"]) for one in said["listeners"]} == {
        (one["purpose"], one.get("tls_disable", False)) for one in listeners
    }
    sinks = holds["events"][0]["sink"]
    written = [f"{s['file'][0]['path']}/{s['file'][0]['file_name']}" for s in sinks if "file" in s]
    assert written == [sink["target"] for sink in said["audit"] if sink["type"] == "file"]
