"""A resource's life as the engine drives it, for types with and without a model."""

from __future__ import annotations

from pathlib import Path

import pytest
from pulumi.runtime.proto import provider_pb2 as pb

from sandbox.cloud import store, wire
from sandbox.cloud.wire import UNKNOWN, Secret
from tests.sandbox.cloud.client import Client, RefusedError, World, running

VPC = "aws:ec2/vpc:Vpc"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
UNMODELLED = "aws:sns/topic:Topic"
BLOCK = {"cidrBlock": "10.0.0.0/16"}


def test_a_preview_answers_unknown_for_what_only_the_cloud_knows(cloud: Client) -> None:
    outputs = cloud.preview(VPC, BLOCK)
    assert outputs["cidrBlock"] == "10.0.0.0/16"
    assert outputs["arn"] is UNKNOWN
    assert not list(cloud.read(VPC, "vpc-1").id)


def test_a_type_without_a_model_is_kept_and_answers_the_same_again(cloud: Client) -> None:
    topic = cloud.create(UNMODELLED, {"displayName": "x"})
    assert topic["arn"].startswith("arn:aws:sns:us-west-2:123456789012:")
    found = cloud.read(UNMODELLED, topic.id)
    assert wire.decode(found.properties) == topic.wrapped
    assert wire.decode(found.inputs) == topic.inputs
    assert cloud.update(topic, {"displayName": "y"})["arn"] == topic["arn"]


def test_what_is_deleted_or_taken_away_is_gone_for_a_refresh(world: World, cloud: Client) -> None:
    first, second = cloud.create(VPC, BLOCK, "a"), cloud.create(VPC, BLOCK, "b")
    cloud.delete(first)
    assert store.delete_row(world.state, (VPC, second.id))
    assert not cloud.read(VPC, first.id).id
    assert not cloud.read(VPC, second.id).id


def test_deleting_what_is_gone_is_no_error(cloud: Client) -> None:
    made = cloud.create(VPC, BLOCK)
    cloud.delete(made)
    cloud.delete(made)


def test_what_exists_survives_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        made = first.client().create(VPC, {**BLOCK, "tags": {"k": Secret("v")}})
    with running(tmp_path) as second:
        assert wire.decode(second.client().read(VPC, made.id).properties) == made.wrapped


def test_a_secret_stays_secret_and_is_nowhere_in_the_state_folder(tmp_path: Path) -> None:
    with running(tmp_path) as world:
        made = world.client().create(VPC, {**BLOCK, "tags": {"k": Secret("hush-hush-0815")}})
        assert made.wrapped["tags"] == {"k": Secret("hush-hush-0815")}
        shown = next(iter(store.rows(tmp_path)))
        assert shown["inputs"]["tags"] == {"k": "[secret]"}
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"hush-hush" in path.read_bytes()]


def test_outputs_the_sdk_calls_secret_are_secret(cloud: Client) -> None:
    made = cloud.create("gcp:compute/address:Address", {"name": "a", "labels": {"a": "b"}})
    assert isinstance(made.wrapped["effectiveLabels"], Secret)


def test_write_only_inputs_never_come_back(cloud: Client) -> None:
    secret = cloud.create("aws:secretsmanager/secret:Secret", {})
    made = cloud.create(
        "aws:secretsmanager/secretVersion:SecretVersion",
        {"secretId": secret.id, "secretStringWo": Secret("x"), "secretStringWoVersion": 1},
    )
    assert "secretStringWo" not in made.wrapped


def test_a_missing_name_is_made_once_and_kept(cloud: Client) -> None:
    vpc = cloud.create(VPC, BLOCK)
    made = cloud.create(GROUP, {"vpcId": vpc.id}, "web")
    assert made["name"].startswith("web-")
    assert cloud.check(GROUP, {"vpcId": vpc.id}, "web", made.inputs)[0]["name"] == made["name"]
    assert cloud.diff(made, {"vpcId": vpc.id}).changes == pb.DiffResponse.DIFF_NONE


def test_a_change_that_cannot_be_made_in_place_replaces_and_others_do_not(cloud: Client) -> None:
    vpc = cloud.create(VPC, {**BLOCK, "tags": {"a": "1"}})
    moved = cloud.diff(vpc, {"cidrBlock": "10.1.0.0/16", "tags": {"a": "1"}})
    assert list(moved.replaces) == ["cidrBlock"]
    tagged = cloud.diff(vpc, {**BLOCK, "tags": {"a": "2", "b.c": "3"}})
    assert not tagged.replaces
    assert {path: item.kind for path, item in tagged.detailedDiff.items()} == {
        "tags.a": pb.PropertyDiff.UPDATE,
        'tags["b.c"]': pb.PropertyDiff.ADD,
    }


def test_a_value_not_known_yet_replaces_where_a_change_would(cloud: Client) -> None:
    vpc = cloud.create(VPC, BLOCK)
    assert list(cloud.diff(vpc, {"cidrBlock": UNKNOWN}).replaces) == ["cidrBlock"]


def test_ids_of_azure_and_google_are_immutable_without_a_model(cloud: Client) -> None:
    entry = cloud.create("gcp:pubsub/topic:Topic", {"name": "a"})
    assert entry.id == "projects/platform-sandbox/topics/a"
    assert list(cloud.diff(entry, {"name": "b"}).replaces) == ["name"]


def test_an_input_that_the_cloud_would_compute_may_be_dropped(cloud: Client) -> None:
    vpc = cloud.create(VPC, BLOCK)
    subnet = cloud.create(
        "aws:ec2/subnet:Subnet", {"vpcId": vpc.id, "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-west-2b"}
    )
    assert cloud.diff(subnet, {"vpcId": vpc.id, "cidrBlock": "10.0.1.0/24"}).changes == pb.DiffResponse.DIFF_NONE


def test_a_replacement_under_a_given_name_goes_old_first_and_under_a_made_name_new_first(cloud: Client) -> None:
    vpc, other = cloud.create(VPC, BLOCK, "a"), cloud.create(VPC, BLOCK, "b")
    given = cloud.create(GROUP, {"vpcId": vpc.id, "name": "web"}, "given")
    made = cloud.create(GROUP, {"vpcId": vpc.id}, "made")
    assert cloud.diff(given, {"vpcId": other.id, "name": "web"}).deleteBeforeReplace
    assert not cloud.diff(made, {"vpcId": other.id}).deleteBeforeReplace


def test_two_stacks_cannot_have_one_global_name(world: World) -> None:
    first, second = world.client("aws"), world.client("other")
    first.create("aws:s3/bucket:Bucket", {"bucket": "the-only-one"})
    with pytest.raises(RefusedError, match="BucketAlreadyOwnedByYou"):
        second.create("aws:s3/bucket:Bucket", {"bucket": "the-only-one"})
    second.create("aws:s3/bucket:Bucket", {"bucket": "the-other-one"})


def test_providers_of_one_package_keep_their_own_configuration(world: World) -> None:
    west = world.client("aws")
    east = world.client("aws", {"aws": {"region": "us-east-1", "defaultTags": '{"tags":{"by":"provider"}}'}})
    topic = east.create(UNMODELLED, {"tags": {"own": "1"}})
    assert ":us-east-1:" in topic["arn"]
    assert topic["tagsAll"] == {"by": "provider", "own": "1"}
    assert ":us-west-2:" in west.create(UNMODELLED, {}, "other")["arn"]


@pytest.mark.parametrize(
    ("package", "good", "bad"),
    [
        ("aws", {"region": "us-west-2"}, {"region": "us-west-9"}),
        ("aws", {"region": "us-west-2"}, {}),
        ("gcp", {"project": "platform-1"}, {"project": "Platform"}),
        ("azure-native", {"subscriptionId": "11111111-1111-4111-8111-111111111111"}, {"subscriptionId": "mine"}),
    ],
)
def test_a_provider_with_a_wrong_configuration_is_refused(
    world: World, package: str, good: dict[str, str], bad: dict[str, str]
) -> None:
    world.client("good", {package: good}).stub(package)
    with pytest.raises(AssertionError, match=next(iter(good))):
        world.client("bad", {package: bad, "aws-": {}}).stub(package)


def test_an_unknown_function_is_refused(cloud: Client) -> None:
    assert cloud.invoke("aws:index/getRegion:getRegion")["id"] == "us-west-2"
    with pytest.raises(RefusedError, match="does not answer aws:index/getNothing:getNothing"):
        cloud.invoke("aws:index/getNothing:getNothing")
