"""The mesh, backups and the trail on the real engine and the simulated cloud: what only Google Cloud has of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from components.plan.backup import WRITING_ROLES
from tests.clouds.gcp.joined import ACCOUNT
from tests.clouds.state import resources
from tests.harness import TREE

if TYPE_CHECKING:
    from tests.harness import Sandbox, Stack

pytestmark = pytest.mark.engine

PROGRAM = f"import sys\nsys.path.insert(0, {str(TREE)!r})\nfrom tests.clouds.gcp.joined import run\nrun()\n"
AWS = ["52.0.0.1", "52.0.0.2", "52.0.0.3", "52.0.0.4"]
AZURE = ["20.0.0.1", "20.0.0.2", "20.0.0.1", "20.0.0.2"]
FAR = {"aws-gcp": AWS, "azure-gcp": AZURE}
JOINED: dict[str, Any] = {"far": FAR, "foreign": ["aws", "azure"]}
EXTERNAL = "gcp:compute/externalVpnGateway:ExternalVpnGateway"
TUNNEL = "gcp:compute/vPNTunnel:VPNTunnel"
INTERFACE, PEER = "gcp:compute/routerInterface:RouterInterface", "gcp:compute/routerPeer:RouterPeer"
POOL = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
BUCKET, MEMBER = "gcp:storage/bucket:Bucket", "gcp:storage/bucketIAMMember:BucketIAMMember"


@dataclass(frozen=True)
class Built:
    """The region with both peers, and machines of both that write here; before, what it said alone."""

    stack: Stack
    alone: dict[str, Any]
    said: dict[str, Any]
    resources: list[dict[str, Any]]

    def of(self, type_: str) -> dict[str, dict[str, Any]]:
        """Those of a type by name."""
        return {found["urn"].rpartition("::")[2]: found for found in self.resources if found["type"] == type_}


@pytest.fixture(scope="module")
def built(sandbox: Sandbox) -> Built:
    stack = sandbox.stack("joined", sandbox.program(PROGRAM, "gcp-joined"))
    stack.up()
    alone = stack.outputs()
    stack.configure(**JOINED)
    stack.up()
    return Built(stack, alone, stack.outputs(), stack.export()["resources"])


@pytest.fixture
def joined(built: Built) -> Stack:
    """The same to be changed, as it was when it was built."""
    built.stack.configure(**JOINED, revision=None)
    built.stack.up()
    return built.stack


def _touched(urns: set[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for urn in urns:
        found.setdefault(urn.split("::")[2].split("$")[-1], set()).add(urn.rpartition("::")[2])
    return found


def test_addresses_of_gateways_are_known_before_any_peer_is(built: Built) -> None:
    said = built.alone
    aws, azure = said["endpoints"]["aws-gcp"], said["endpoints"]["azure-gcp"]
    assert aws[0] == aws[1] != aws[2] == aws[3], "one interface to each connection of AWS"
    assert len({*azure}) == 4, "two gateways for Azure, which opens one tunnel to an address"
    assert len({*aws, *azure}) == 6


def test_gateways_keep_their_addresses_when_peers_come(built: Built) -> None:
    assert built.said["endpoints"] == built.alone["endpoints"]
    assert not built.stack.up().changed
    assert not built.stack.refresh().changed


def test_the_peers_gateways_are_such_as_google_draws_them(built: Built) -> None:
    drawn = {
        name: (made["inputs"]["redundancyType"], [one["ipAddress"] for one in made["inputs"]["interfaces"]])
        for name, made in built.of(EXTERNAL).items()
    }
    assert drawn == {
        "tunnels-aws-gcp-0": ("FOUR_IPS_REDUNDANCY", AWS),
        "tunnels-azure-gcp-0": ("TWO_IPS_REDUNDANCY", AZURE[:2]),
        "tunnels-azure-gcp-1": ("TWO_IPS_REDUNDANCY", AZURE[2:]),
    }


def test_one_router_speaks_for_the_region_and_advertises_nothing_else(built: Built) -> None:
    routers = [made["inputs"] for made in built.of("gcp:compute/router:Router").values()]
    (bgp,) = (made["bgp"] for made in routers if "bgp" in made)
    assert bgp["advertiseMode"] == "CUSTOM"
    assert "advertisedGroups" not in bgp
    assert [one["range"] for one in bgp["advertisedIpRanges"]] == ["10.3.0.0/16"]
    assert bgp["keepaliveInterval"] == 60


def test_a_machine_of_another_cloud_is_admitted_by_its_own_name_alone(built: Built) -> None:
    roles = [f"hmc-{role}-us-west-2" for role in WRITING_ROLES]
    aws, azure = (built.of(PROVIDER)[f"backup-{cloud}"]["inputs"] for cloud in ("aws", "azure"))
    assert aws["aws"] == {"accountId": ACCOUNT}
    assert aws["attributeCondition"] == f"attribute.aws_role in ['{roles[0]}', '{roles[1]}', '{roles[2]}']"
    assert azure["oidc"]["issuerUri"].startswith("https://sts.windows.net/")
    assert len(azure["oidc"]["allowedAudiences"]) == 1
    assert azure["attributeCondition"].startswith("google.subject in ['object-of-")
    members = {name: made["inputs"] for name, made in built.of(MEMBER).items()}
    pool = built.of(POOL)["backup-aws"]["outputs"]["name"]
    assert members["backup-aws-vault-server"]["member"] == (
        f"principalSet://iam.googleapis.com/{pool}/attribute.aws_role/hmc-vault-server-us-west-2"
    )
    bucket = members["backup-aws-vault-server"]["bucket"]
    assert members["backup-aws-vault-server"]["condition"]["expression"] == (
        f'resource.name.startsWith("projects/_/buckets/{bucket}/objects/vault/aws/")'
    )
    assert members["backup-azure-vault-server"]["member"].endswith("/subject/object-of-vault-server")


def test_what_a_foreign_machine_needs_to_write_is_said_by_cloud_and_role(built: Built) -> None:
    writers = built.said["backup"]["writers"]
    assert writers.keys() == {"aws", "azure"}
    for cloud, kind in (
        ("aws", "urn:ietf:params:aws:token-type:aws4_request"),
        ("azure", "urn:ietf:params:oauth:token-type:jwt"),
    ):
        assert writers[cloud].keys() == set(WRITING_ROLES)
        for way in writers[cloud].values():
            assert way["provider"] == f"//iam.googleapis.com/{built.of(PROVIDER)[f'backup-{cloud}']['outputs']['name']}"
            assert way["subject_token_type"] == kind
    assert writers["azure"]["vault-server"]["audience"] == "api://AzureADTokenExchange"


def test_every_object_is_in_two_regions_within_a_quarter_of_an_hour_under_a_key_of_both(built: Built) -> None:
    bucket = built.of(BUCKET)["backup"]["inputs"]
    assert bucket["rpo"] == "ASYNC_TURBO"
    assert bucket["customPlacementConfig"]["dataLocations"] == ["US-WEST1", "US-CENTRAL1"]
    assert "/locations/us/" in bucket["encryption"]["defaultKmsKeyName"]
    assert "/locations/us-west1/" in built.of(BUCKET)["audit"]["inputs"]["encryption"]["defaultKmsKeyName"]
    actions = {rule["action"]["type"]: rule["condition"] for rule in bucket["lifecycleRules"]}
    assert actions["AbortIncompleteMultipartUpload"] == {"age": 7}
    assert actions["SetStorageClass"]["age"] * 86400 >= int(bucket["retentionPolicy"]["retentionPeriod"])


def test_nobody_may_act_as_the_restorer_and_it_has_no_grant_on_the_key(built: Built) -> None:
    restorer = built.said["backup"]["restorer"]
    naming = [
        made for made in built.resources
        if made["type"].lower().endswith("iammember") and restorer in json.dumps(made["inputs"])
    ]  # fmt: skip
    assert [made["inputs"]["role"] for made in naming] == ["roles/storage.objectViewer"]


def test_a_peer_that_was_built_again_is_found_by_one_plain_update(joined: Stack) -> None:
    moved = [*AWS[:2], "52.0.0.33", "52.0.0.44"]
    joined.configure(far={**FAR, "aws-gcp": moved})
    changed = joined.up()
    names = {f"tunnels-aws-gcp-{index}" for index in range(4)}
    assert _touched(changed.touched()) == {
        EXTERNAL: {"tunnels-aws-gcp-0"}, TUNNEL: names, INTERFACE: names, PEER: names
    }  # fmt: skip
    assert changed.changes.keys() == {"replace", "same"}
    (gateway,) = (made for name, made in resources(joined, EXTERNAL).items() if "aws" in name)
    assert [one["ipAddress"] for one in gateway["inputs"]["interfaces"]] == moved
    assert not joined.up().changed


def test_an_interrupted_move_is_finished_by_the_next_update(joined: Stack) -> None:
    joined.configure(far={**FAR, "azure-gcp": ["20.0.0.7", "20.0.0.8", "20.0.0.7", "20.0.0.8"]})
    with joined.sandbox.faults({"on": "create", "type": TUNNEL, "nth": 2, "effect": "fail"}):
        joined.up(fails=True)
    joined.up()
    assert len(resources(joined, PEER)) == len(resources(joined, TUNNEL)) == 8
    assert not joined.up().changed


def test_a_new_key_replaces_its_tunnel_by_itself_and_stands_nowhere_in_the_open(joined: Stack) -> None:
    joined.configure(revision="second")
    assert _touched(joined.up().touched()).keys() == {TUNNEL, INTERFACE, PEER}
    assert "hush" not in json.dumps(joined.export())
    clear = json.dumps(joined.export(secrets=True))
    assert "hush-mesh-aws-gcp-0-second" in clear, "the test looks for what is there"


def test_a_peer_that_is_gone_takes_its_tunnels_and_its_trust_along_and_finds_both_again(joined: Stack) -> None:
    before = set(resources(joined, POOL)), resources(joined, POOL)["backup-aws"]["id"]
    joined.configure(far={"azure-gcp": AZURE}, foreign=["azure"])
    joined.up()
    assert all("azure" in name for name in [*resources(joined, TUNNEL), *resources(joined, POOL)])
    joined.configure(far=FAR, foreign=["aws", "azure"])
    joined.up()
    # Google keeps the old pool's name for a month, so the new one has another.
    assert set(resources(joined, POOL)) == before[0]
    assert resources(joined, POOL)["backup-aws"]["id"] != before[1]
    assert resources(joined, POOL)["backup-aws"]["id"].rpartition("/")[2] in json.dumps(joined.outputs()["backup"])


def test_a_lock_is_not_shortened_nor_lifted(joined: Stack) -> None:
    for change in ({"lockDays": 30}, {"lock": "governance"}):
        joined.configure(**change)
        assert "locked Retention Policy" in joined.up(fails=True).errors[0].message
        joined.configure(lock=None, lockDays=None)
    joined.up()


def test_a_region_that_was_destroyed_finds_its_buckets_and_is_built_beside_the_old_pools(joined: Stack) -> None:
    names = {name: made["id"] for name, made in resources(joined, BUCKET).items()}
    pools = {made["id"] for made in resources(joined, POOL).values()}
    joined.destroy("--exclude-protected")
    assert {name: made["id"] for name, made in resources(joined, BUCKET).items()} == names
    joined.up()
    assert not pools & {made["id"] for made in resources(joined, POOL).values()}
