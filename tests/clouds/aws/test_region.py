"""A whole region on AWS, by the real engine: what a change may touch, what outlives it, what must never show."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from components.plan.addressing import all_servers, front_ends
from components.plan.flows import BALANCERS
from components.plan.naming import PROJECT
from components.plan.userdata import DISK_TABLE
from tests.clouds.region import PLATFORM
from tests.clouds.state import resources, touched
from tests.harness import TREE, Sandbox, Stack, open_sandbox

pytestmark = pytest.mark.engine

PROGRAM = f"import sys\nsys.path.insert(0, {str(TREE)!r})\nfrom tests.clouds.aws.region import run\nrun()\n"
INSTANCE, VOLUME = "aws:ec2/instance:Instance", "aws:ebs/volume:Volume"
KEY, ROLE = "aws:kms/key:Key", "aws:iam/role:Role"
LINEAGE = {
    KEY,
    VOLUME,
    "aws:kms/alias:Alias",
    "aws:kms/replicaKey:ReplicaKey",
    "aws:secretsmanager/secret:Secret",
}
WORKER_ROLE = "hmc-boundary-worker-us-west-2-peers"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Iterator[Sandbox]:
    with open_sandbox(tmp_path_factory.mktemp("aws") / "home", like=sandbox) as opened:
        yield opened


@pytest.fixture(scope="module")
def region(box: Sandbox) -> Stack:
    """A region that is up. Tests only preview, or leave it as they found it."""
    stack = box.stack("aws", box.program(PROGRAM, "region"))
    stack.up()
    return stack


def _all(stack: Stack) -> list[dict[str, Any]]:
    return stack.export()["resources"]


def _user_data(inputs: Mapping[str, Any], name: str) -> str:
    return gzip.decompress(base64.b64decode(inputs[name])).decode()


def test_a_second_up_and_a_refresh_change_nothing(region: Stack) -> None:
    assert not region.up().changed
    assert not region.refresh().changed


def test_every_planned_server_has_its_address_zone_and_disks(region: Stack) -> None:
    instances = resources(region, INSTANCE)
    made = resources(region, "aws:ec2/subnet:Subnet").values()
    subnets = {item["id"]: item["outputs"]["availabilityZone"] for item in made}
    zones = PLATFORM.regions["aws"].zones
    planned = {item.name: (item.address, zones[item.zone]) for item in all_servers(PLATFORM, "aws")}
    assert planned == {
        name: (item["outputs"]["privateIp"], subnets[item["outputs"]["subnetId"]]) for name, item in instances.items()
    }
    for attachment in resources(region, "aws:ec2/volumeAttachment:VolumeAttachment").values():
        volume, machine = attachment["inputs"]["volumeId"], attachment["inputs"]["instanceId"]
        (server,) = [item["inputs"] for item in instances.values() if item["id"] == machine]
        disks = yaml.safe_load(_user_data(server, "userDataBase64"))["write_files"]
        (table,) = [file["content"] for file in disks if file["path"] == DISK_TABLE]
        path = f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume.replace('-', '')}"
        assert path in [line.split("\t")[0] for line in table.splitlines()]


def test_machines_are_hardened(region: Stack) -> None:
    (template,) = resources(region, "aws:ec2/launchTemplate:LaunchTemplate").values()
    (mapping,) = template["inputs"]["blockDeviceMappings"]
    (disk_key,) = [item["outputs"]["arn"] for name, item in resources(region, KEY).items() if name == "disk"]
    machines = [item["inputs"] for item in resources(region, INSTANCE).values()]
    roots = [*(machine["rootBlockDevice"] for machine in machines), mapping["ebs"]]
    assert {(str(root["encrypted"]).lower(), root["kmsKeyId"]) for root in roots} == {("true", disk_key)}
    for machine in [*machines, template["inputs"]]:
        metadata = machine["metadataOptions"]
        assert (metadata["httpTokens"], metadata["httpPutResponseHopLimit"]) == ("required", 1)
        assert "keyName" not in machine
    assert all(machine["disableApiTermination"] and not machine["associatePublicIpAddress"] for machine in machines)
    volumes = resources(region, VOLUME).values()
    assert {(item["inputs"]["encrypted"], item["inputs"]["kmsKeyId"]) for item in volumes} == {(True, disk_key)}


def test_the_lineage_is_protected_and_nothing_else_is(region: Stack) -> None:
    found = {(item["type"], bool(item.get("protect"))) for item in _all(region) if item["custom"]}
    assert {type_ for type_, protected in found if protected} == LINEAGE
    assert not {type_ for type_, protected in found if not protected} & LINEAGE


def test_everything_that_takes_tags_names_the_project(region: Stack) -> None:
    for item in _all(region):
        tags = item.get("inputs", {}).get("tags")
        if item["type"] == "aws:autoscaling/group:Group":
            assert {"key": "Project", "value": PROJECT, "propagateAtLaunch": True} in tags
        elif "tagsAll" in item.get("outputs", {}):
            assert (tags or {}).get("Project") == PROJECT, item["urn"]


def test_balancers_answer_at_the_planned_addresses_and_share_pools_by_server_port(region: Stack) -> None:
    balancers = resources(region, "aws:lb/loadBalancer:LoadBalancer")
    for product, balanced in BALANCERS.items():
        mappings = balancers[f"{product}-balancer"]["inputs"]["subnetMappings"]
        assert [item["privateIpv4Address"] for item in mappings] == list(front_ends(PLATFORM.regions["aws"], product))
        listeners = resources(region, "aws:lb/listener:Listener")
        pools = {
            listener.front.first: listeners[f"{product}-balancer-{listener.front}"]["inputs"]["defaultActions"][0][
                "targetGroupArn"
            ]
            for listener in balanced.listeners
        }
        assert len(set(pools.values())) == len({listener.back for listener in balanced.listeners})


def test_no_secret_value_shows_in_state_or_user_data(region: Stack) -> None:
    assert "hush" not in json.dumps(region.export())
    for item in resources(region, INSTANCE).values():
        assert "hush" not in _user_data(item["inputs"], "userDataBase64")


def test_an_entry_is_readable_by_its_readers_alone(region: Stack) -> None:
    entries = {
        item["outputs"]["arn"]: name for name, item in resources(region, "aws:secretsmanager/secret:Secret").items()
    }
    readers: dict[str, set[str]] = {name: set() for name in entries.values()}
    for item in resources(region, "aws:iam/rolePolicy:RolePolicy").values():
        for statement in json.loads(item["inputs"]["policy"])["Statement"]:
            assert "*" not in statement["Resource"]
            if statement["Action"] == "secretsmanager:GetSecretValue":
                for arn in statement["Resource"]:
                    readers[entries[arn]].add(item["inputs"]["role"])
    everyone = {f"hmc-{role}-us-west-2" for role in ("consul-server", "vault-server", "nomad-server", "nomad-client",
                                                     "boundary-worker")}  # fmt: skip
    assert readers == {
        "secrets-vault-server-key": {"hmc-vault-server-us-west-2"},
        "secrets-consul-gossip": everyone,
        "secrets-ca-key": set(),
    }


def test_without_a_rollout_no_server_is_touched_by_new_user_data_or_image(region: Stack) -> None:
    region.configure(revision="second", image="ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20250805")
    try:
        planned = region.preview()
    finally:
        region.configure(revision=None, image=None)
    assert not touched(planned.touched(), INSTANCE)
    assert touched(planned.touched("update"), "LaunchTemplate"), "clients are no voters: they roll"


def test_a_rollout_replaces_the_named_server_and_keeps_its_disks(region: Stack) -> None:
    before = {name: item["id"] for name, item in resources(region, INSTANCE).items()}
    disks = {name: item["id"] for name, item in resources(region, VOLUME).items()}
    region.configure(revision="third", rollout='["vault-aws-2"]')
    region.up()
    after = {name: item["id"] for name, item in resources(region, INSTANCE).items()}
    assert {name for name in before if before[name] != after[name]} == {"vault-aws-2"}
    assert {name: item["id"] for name, item in resources(region, VOLUME).items()} == disks
    attached = {
        item["inputs"]["volumeId"]: item["inputs"]["instanceId"]
        for item in resources(region, "aws:ec2/volumeAttachment:VolumeAttachment").values()
    }
    assert {attached[disks[f"vault-aws-2-{purpose}"]] for purpose in ("data", "audit")} == {after["vault-aws-2"]}
    region.configure(rollout=None)
    assert not touched(region.up().touched(), INSTANCE)


def test_a_new_template_version_reaches_the_group_in_the_same_update(region: Stack) -> None:
    region.configure(revision="fourth")
    region.up()
    (template,) = resources(region, "aws:ec2/launchTemplate:LaunchTemplate").values()
    (group,) = resources(region, "aws:autoscaling/group:Group").values()
    assert group["id"] == "hmc-nomad-client"
    assert group["inputs"]["launchTemplate"]["version"] == str(template["outputs"]["latestVersion"])
    assert not region.up().changed


def test_peers_workers_are_trusted_once_they_are_known_and_told_the_same_before(region: Stack) -> None:
    told = region.outputs()["federation"]
    assert told["role_arn"].endswith(f":role/{WORKER_ROLE}")
    assert WORKER_ROLE not in {item["id"] for item in resources(region, ROLE).values()}
    region.configure(workloads=True)
    region.up()
    assert region.outputs()["federation"] == told
    (role,) = [item for item in resources(region, ROLE).values() if item["id"] == WORKER_ROLE]
    trusted = {
        statement["Principal"]["Federated"].rpartition("oidc-provider/")[2]: statement["Condition"]["StringEquals"]
        for statement in json.loads(role["inputs"]["assumeRolePolicy"])["Statement"]
    }
    issuer = "sts.windows.net/tenant-1/"
    assert trusted.keys() == {issuer, "accounts.google.com"}
    assert trusted[issuer][f"{issuer}:sub"] == "object-1"
    assert trusted["accounts.google.com"] == {
        "accounts.google.com:sub": "1234567890",
        "accounts.google.com:aud": "1234567890",
        "accounts.google.com:oaud": "sts.amazonaws.com",
    }
    assert not region.up().changed
    region.configure(workloads=None)
    region.up()


def test_credentials_of_another_account_are_refused_before_anything_is_registered(box: Sandbox) -> None:
    stack = box.stack("elsewhere", box.program(PROGRAM, "elsewhere"))
    stack.configure(account="999999999999")
    refused = stack.up(fails=True)
    said = " ".join(item.message for item in refused.errors)
    assert "123456789012" in said
    assert "999999999999" in said
    assert "Traceback" not in said
    made = {item["type"] for item in stack.export().get("resources", [])}
    assert made <= {"pulumi:pulumi:Stack", "pulumi:providers:aws"}


def test_an_image_that_does_not_exist_is_an_error_and_not_another_image(box: Sandbox) -> None:
    stack = box.stack("imageless", box.program(PROGRAM, "imageless"))
    stack.configure(image="ubuntu/images/hvm-ssd-gp3/ubuntu-*")
    assert "more than one result" in " ".join(item.message for item in stack.preview(fails=True).errors)
