"""Boundary's database on AWS, by the real engine: out of reach, never lost, and without its password in sight."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from components.clouds.specs import Spec
from components.plan.addressing import database_subnet
from components.plan.database import NAME, USER
from components.plan.flows import POSTGRESQL
from components.plan.naming import PROJECT
from components.plan.objectives import PITR_DAYS
from components.plan.sizing import DATABASE
from tests.clouds.region import PLATFORM
from tests.clouds.state import resources, touched
from tests.harness import TREE, Sandbox, Stack, open_sandbox

pytestmark = pytest.mark.engine

PROGRAM = f"import sys\nsys.path.insert(0, {str(TREE)!r})\nfrom tests.clouds.aws.database_region import run\nrun()\n"
INSTANCE = "aws:rds/instance:Instance"
REPLICATION = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"
REGION = PLATFORM.regions["aws"]


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Iterator[Stack]:
    """A region with a database that is up. Tests leave it as they found it."""
    with open_sandbox(tmp_path_factory.mktemp("database") / "home", like=sandbox) as box:
        stack = box.stack("aws", box.program(PROGRAM, "database"))
        stack.up()
        yield stack


def _instance(stack: Stack) -> Mapping[str, Any]:
    (found,) = resources(stack, INSTANCE).values()
    return found


def _plain(instance: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs that are no secrets, which are encrypted anew every time."""
    return {name: value for name, value in instance["inputs"].items() if not name.startswith("passwordWo")}


def test_a_second_up_and_a_refresh_change_nothing(region: Stack) -> None:
    assert not region.up().changed
    assert not region.refresh().changed


def test_it_stands_in_two_zones_and_reaches_back_as_far_as_promised(region: Stack) -> None:
    inputs = _instance(region)["inputs"]
    assert inputs["multiAz"] is True
    assert inputs["backupRetentionPeriod"] == PITR_DAYS
    assert inputs["copyTagsToSnapshot"] is True
    assert (inputs["deleteAutomatedBackups"], inputs["skipFinalSnapshot"]) == (False, False)
    assert inputs["finalSnapshotIdentifier"].startswith("hmc-boundary-final-")
    assert (inputs["dbName"], inputs["username"], inputs["port"]) == (NAME, USER, POSTGRESQL.first)
    size = DATABASE[PLATFORM.profile]
    assert (inputs["instanceClass"], inputs["allocatedStorage"]) == (size.instance_class, size.gib)


def test_its_version_is_the_configured_one_and_moves_with_it_alone(region: Stack) -> None:
    inputs = _instance(region)["inputs"]
    assert PLATFORM.versions["postgresql"] == "16.9.0"
    assert inputs["engineVersion"] == "16.9"
    assert (inputs["autoMinorVersionUpgrade"], inputs["allowMajorVersionUpgrade"]) == (False, False)
    (group,) = resources(region, "aws:rds/parameterGroup:ParameterGroup").values()
    assert group["inputs"]["family"] == "postgres16"
    assert inputs["parameterGroupName"] == group["id"]


def test_its_backups_lie_in_the_recovery_region_as_well_under_the_keys_replica_there(region: Stack) -> None:
    (copied,) = resources(region, REPLICATION).values()
    (replica,) = resources(region, "aws:kms/replicaKey:ReplicaKey").values()
    (key,) = resources(region, "aws:kms/key:Key").values()
    inputs = copied["inputs"]
    assert inputs["region"] == REGION.recovery == replica["outputs"]["region"]
    assert inputs["kmsKeyId"] == replica["outputs"]["arn"]
    assert inputs["sourceDbInstanceArn"] == _instance(region)["outputs"]["arn"]
    assert inputs["retentionPeriod"] == PITR_DAYS
    instance = _instance(region)["inputs"]
    assert instance["storageEncrypted"] is True
    assert instance["kmsKeyId"] == instance["performanceInsightsKmsKeyId"] == key["outputs"]["arn"]


def test_nobody_but_those_who_dump_it_reaches_it_and_it_reaches_nobody(region: Stack) -> None:
    inputs = _instance(region)["inputs"]
    assert inputs["publiclyAccessible"] is False
    groups = {item["id"]: name for name, item in resources(region, "aws:ec2/securityGroup:SecurityGroup").items()}
    assert [groups[group] for group in inputs["vpcSecurityGroupIds"]] == ["database"]
    rules = [
        (item["type"].rpartition(":")[2], item["inputs"])
        for item in region.export()["resources"]
        if groups.get(item.get("inputs", {}).get("securityGroupId")) == "database"
    ]
    ((kind, rule),) = rules
    assert kind == "SecurityGroupIngressRule"
    assert (rule["ipProtocol"], rule["fromPort"], rule["toPort"]) == ("tcp", POSTGRESQL.first, POSTGRESQL.last)
    assert groups[rule["referencedSecurityGroupId"]] == "firewall-consul-server"
    assert "cidrIpv4" not in rule


def test_its_subnets_have_no_way_out_of_the_network(region: Stack) -> None:
    (place,) = resources(region, "aws:rds/subnetGroup:SubnetGroup").values()
    assert _instance(region)["inputs"]["dbSubnetGroupName"] == place["id"]
    subnets = {item["id"]: item["inputs"] for item in resources(region, "aws:ec2/subnet:Subnet").values()}
    own = [subnets[subnet] for subnet in place["inputs"]["subnetIds"]]
    assert [subnet["cidrBlock"] for subnet in own] == [database_subnet(REGION, zone) for zone in range(3)]
    assert [subnet["availabilityZone"] for subnet in own] == list(REGION.zones)
    routed = {
        item["inputs"]["subnetId"]: item["inputs"]["routeTableId"]
        for item in resources(region, "aws:ec2/routeTableAssociation:RouteTableAssociation").values()
    }
    tables = {routed[subnet] for subnet in place["inputs"]["subnetIds"]}
    assert len(tables) == 1
    assert not tables & {item["inputs"]["routeTableId"] for item in resources(region, "aws:ec2/route:Route").values()}


def test_clients_must_use_tls_and_connections_are_logged_without_statements(region: Stack) -> None:
    (group,) = resources(region, "aws:rds/parameterGroup:ParameterGroup").values()
    parameters = {item["name"]: item["value"] for item in group["inputs"]["parameters"]}
    assert parameters["rds.force_ssl"] == "1"
    assert parameters["ssl_min_protocol_version"] == "TLSv1.2"
    assert parameters["log_connections"] == parameters["log_disconnections"] == "1"
    assert parameters["log_statement"] == "none", "CREATE ROLE would show a password"
    inputs = _instance(region)["inputs"]
    assert inputs["iamDatabaseAuthenticationEnabled"] is False
    assert inputs["enabledCloudwatchLogsExports"] == ["postgresql", "upgrade"]
    kept = {
        item["inputs"]["name"]: item["inputs"]
        for item in resources(region, "aws:cloudwatch/logGroup:LogGroup").values()
    }
    for log in inputs["enabledCloudwatchLogsExports"]:
        assert kept[f"/aws/rds/instance/hmc-boundary/{log}"]["retentionInDays"] >= PLATFORM.audit_days >= 365
    assert inputs["monitoringInterval"] == 60
    assert inputs["performanceInsightsEnabled"] is True


def test_what_outlives_the_region_is_guarded_by_the_engine_and_by_the_cloud(region: Stack) -> None:
    kept = {item["type"] for item in region.export()["resources"] if item.get("protect")}
    assert {INSTANCE, REPLICATION, "aws:kms/key:Key", "aws:cloudwatch/logGroup:LogGroup"} <= kept
    assert _instance(region)["inputs"]["deletionProtection"] is True
    region.configure(deletion="open")
    planned = region.preview()
    region.configure(deletion=None)
    assert touched(planned.touched("update"), "rds/instance:Instance") == {"database"}
    assert not planned.touched("create", "replace", "delete")


def test_a_destroyed_region_leaves_the_database_and_comes_back_on_it(region: Stack) -> None:
    before, outputs = _instance(region), region.outputs()
    region.configure(deletion="open")
    region.up()
    region.destroy("--exclude-protected")
    assert _instance(region)["id"] == before["id"]
    assert not resources(region, "aws:ec2/natGateway:NatGateway")
    assert not resources(region, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"), "nobody may reach it now"
    region.configure(deletion=None)
    region.up()
    assert _instance(region)["id"] == before["id"]
    assert _plain(_instance(region)) == _plain(before)
    assert region.outputs() == outputs
    assert not region.up().changed


def test_the_password_is_in_no_state_in_clear_and_a_new_one_is_an_update(region: Stack) -> None:
    assert "hush" not in json.dumps(region.export())
    instance = _instance(region)
    assert "passwordWo" not in instance["outputs"], "the cloud never tells it again"
    region.configure(password="hush-second-hush")
    planned = region.preview()
    changed = region.up()
    region.configure(password=None)
    assert touched(planned.touched("update"), "rds/instance:Instance") == {"database"}
    assert not planned.touched("replace")
    assert "hush" not in json.dumps(region.export())
    said = " ".join(item.message for item in (*planned.diagnostics, *changed.diagnostics))
    assert "hush" not in said
    region.up()


def test_everything_that_takes_tags_names_the_project(region: Stack) -> None:
    for item in region.export()["resources"]:
        if "tagsAll" in item.get("outputs", {}):
            assert (item["inputs"].get("tags") or {}).get("Project") == PROJECT, item["urn"]


def test_the_component_says_what_policies_read(region: Stack) -> None:
    (component,) = resources(region, "hashicorp:clouds:Database").values()
    spec: Spec = component["outputs"]["spec"]
    assert spec == {
        "cloud": "aws",
        "product": "boundary",
        "version": "16.9",
        "pitrDays": PITR_DAYS,
        "copyRegion": REGION.recovery,
        "keyRef": "hmc-database-aws",
    }
    outputs = region.outputs()
    assert outputs["id"] == "hmc-boundary"
    assert outputs["address"].startswith("hmc-boundary.")
