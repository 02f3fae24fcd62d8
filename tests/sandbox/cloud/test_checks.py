"""Inputs are held against the installed SDK and the vendors' published limits: each refusal beside its neighbour."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.cloud.check import check
from sandbox.cloud.schema import SchemaBook
from sandbox.cloud.wire import UNKNOWN, Secret
from tests.sandbox.cloud.client import Client, RefusedError

INSTANCE = {"ami": "ami-1", "instanceType": "m7i.large"}
KEY = {"keyRing": "projects/p/locations/us/keyRings/r", "name": "k"}
CASES: list[tuple[str, str, dict[str, Any], dict[str, Any], str]] = [
    ("unknown property", "aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}, {"cidrBlok": "10.0.0.0/16"},
     "did you mean 'cidrBlock'?"),
    ("missing property", "aws:ec2/routeTable:RouteTable", {"vpcId": "vpc-1"}, {}, "missing required property 'vpcId'"),
    ("text for a number", "aws:ebs/volume:Volume", {"availabilityZone": "us-west-2a", "size": 10},
     {"availabilityZone": "us-west-2a", "size": "10"}, "size: expected an integer, got a string"),
    ("boolean for a text", "aws:ec2/instance:Instance", {**INSTANCE, "keyName": "a"}, {**INSTANCE, "keyName": True},
     "keyName: expected a string, got a boolean"),
    ("fraction for an integer", "aws:ebs/volume:Volume", {"availabilityZone": "us-west-2a", "size": 10},
     {"availabilityZone": "us-west-2a", "size": 10.5}, "expected an integer"),
    ("scalar for a list", "aws:ec2/instance:Instance", {**INSTANCE, "vpcSecurityGroupIds": ["sg-1"]},
     {**INSTANCE, "vpcSecurityGroupIds": "sg-1"}, "expected a list, got a string"),
    ("unknown nested property", "aws:ec2/instance:Instance", {**INSTANCE, "metadataOptions": {"httpTokens": "required"}},
     {**INSTANCE, "metadataOptions": {"httpToken": "required"}}, "metadataOptions.httpToken: unknown property"),
    ("missing nested property", "gcp:storage/bucket:Bucket",
     {"location": "US", "lifecycleRules": [{"action": {"type": "Delete"}, "condition": {"age": 1}}]},
     {"location": "US", "lifecycleRules": [{"condition": {"age": 1}}]}, "lifecycleRules[0].action"),
    ("enumeration of botocore", "aws:ec2/instance:Instance", INSTANCE, {**INSTANCE, "instanceType": "m7i.larg"},
     "'m7i.large'"),
    ("nested enumeration of botocore", "aws:ec2/instance:Instance",
     {**INSTANCE, "metadataOptions": {"httpTokens": "optional"}}, {**INSTANCE, "metadataOptions": {"httpTokens": "on"}},
     "expected one of 'optional', 'required'"),
    ("length of botocore", "aws:iam/instanceProfile:InstanceProfile", {"name": "a" * 128}, {"name": "a" * 129},
     "at most 128 characters"),
    ("pattern of botocore", "aws:iam/instanceProfile:InstanceProfile", {"name": "a+b"}, {"name": "a b"}, "pattern"),
    ("range of botocore", "aws:lb/targetGroup:TargetGroup", {"port": 65535, "protocol": "TCP", "vpcId": "v"},
     {"port": 65536, "protocol": "TCP", "vpcId": "v"}, "at most 65535"),
    ("enumeration of the Azure SDK", "azure-native:eventhub:Namespace",
        {"resourceGroupName": "rg", "sku": {"name": "Basic"}}, {"resourceGroupName": "rg", "sku": {"name": "basic"}},
        "expected one of 'Basic'"),
    ("Azure naming rule", "azure-native:storage:StorageAccount",
     {"resourceGroupName": "rg", "accountName": "abc1", "kind": "StorageV2", "sku": {"name": "Standard_ZRS"}},
     {"resourceGroupName": "rg", "accountName": "ab-1", "kind": "StorageV2", "sku": {"name": "Standard_ZRS"}},
     "pattern"),
    ("pattern of a discovery document", "gcp:compute/network:Network", {"name": "net-1"}, {"name": "Net_1"}, "pattern"),
    ("enumeration of a discovery document", "gcp:kms/cryptoKey:CryptoKey", {**KEY, "purpose": "MAC"},
     {**KEY, "purpose": "ENCRYPT"}, "expected one of"),
    ("renamed member of a discovery document", "gcp:compute/network:Network", {"routingMode": "GLOBAL"},
     {"routingMode": "WORLD"}, "expected one of"),
]  # fmt: skip


def refusals(type_: str, inputs: dict[str, Any]) -> list[str]:
    """What the schema alone says; models are stricter."""
    return [f"{item.property}: {item.reason}" for item in check(SchemaBook().get(type_), inputs)]


@pytest.mark.parametrize(("type_", "good", "bad", "reason"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_inputs_outside_the_schema_are_refused_and_their_neighbour_is_not(
    type_: str, good: dict[str, Any], bad: dict[str, Any], reason: str
) -> None:
    assert not refusals(type_, good)
    assert any(reason in item for item in refusals(type_, bad)), refusals(type_, bad)


def test_an_unknown_type_is_refused_with_the_nearest_name(cloud: Client) -> None:
    with pytest.raises(RefusedError, match=r"unrecognized resource type.*did you mean aws:ec2/vpc:Vpc\?"):
        cloud.failures("aws:ec2/vpc:Vpcs", {})


def test_a_package_without_an_sdk_is_refused_with_what_to_install(cloud: Client) -> None:
    with pytest.raises(RefusedError, match="add pulumi-oci to requirements"):
        cloud.failures("oci:core/vcn:Vcn", {})


def test_values_that_are_not_known_yet_pass_every_check(cloud: Client) -> None:
    assert not cloud.failures("aws:ec2/instance:Instance", dict.fromkeys(INSTANCE, UNKNOWN))


def test_a_failure_about_a_secret_does_not_quote_it(cloud: Client) -> None:
    found = cloud.failures("aws:iam/instanceProfile:InstanceProfile", {"name": Secret("hush hush")})
    assert found
    assert "hush" not in str(found)


def test_all_failures_of_a_resource_are_shown_at_once(cloud: Client) -> None:
    found = cloud.failures("aws:ec2/instance:Instance", {"amy": "x", "instanceType": "huge", "keyName": 1})
    assert len(found) >= 3
