"""Faults strike where the rules say, as often as they say, in the protocol's ways."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2 as pb

from sandbox.cloud import wire
from sandbox.cloud.faults import Faults
from tests.sandbox.cloud.client import Client, RefusedError, World

VPC = "aws:ec2/vpc:Vpc"
BLOCK = {"cidrBlock": "10.0.0.0/16"}


def arm(world: World, *rules: dict[str, Any]) -> None:
    path = world.state / "faults.yaml"
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(yaml.safe_dump({"rules": list(rules)}))
    os.utime(path, ns=(before + 1, before + 1))  # a new time, however coarse the file system's clock is


def outcomes(cloud: Client, count: int) -> list[bool]:
    found = []
    for index in range(count):
        try:
            cloud.create(VPC, BLOCK, f"v{index}")
            found.append(True)
        except RefusedError:
            found.append(False)
    return found


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"nth": 2}, [True, False, True, True]),
        ({"after": 2}, [True, True, False, False]),
        ({"times": 1}, [False, True, True, True]),
        ({"after": 1, "times": 2}, [True, False, False, True]),
        ({"type": "aws:ec2/*"}, [False] * 4),
        ({"type": "aws:s3/*"}, [True] * 4),
        ({"name": "v[13]"}, [True, False, True, False]),
        ({"stack": "other"}, [True] * 4),
        ({"on": "delete"}, [True] * 4),
    ],
)
def test_a_rule_strikes_what_it_names_as_often_as_it_says(
    world: World, cloud: Client, rule: dict[str, Any], expected: list[bool]
) -> None:
    arm(world, {"effect": "fail", **rule})
    assert outcomes(cloud, 4) == expected


@pytest.mark.parametrize("effect", ["fail", "quota", "timeout"])
def test_a_failure_before_creation_leaves_nothing(world: World, cloud: Client, effect: str) -> None:
    arm(world, {"effect": effect, "seconds": 0, "times": 1})
    assert outcomes(cloud, 1) == [False]
    assert not world.cloud.store.of_type(VPC)


def test_a_throttled_creation_succeeds(world: World, cloud: Client) -> None:
    arm(world, {"effect": "throttle", "seconds": 0})
    assert outcomes(cloud, 1) == [True]


def test_a_partial_failure_hands_the_resource_to_the_engine_with_the_error(world: World, cloud: Client) -> None:
    arm(world, {"effect": "partial"})
    with pytest.raises(RefusedError, match="did not become ready") as caught:
        cloud.create(VPC, BLOCK)
    status = status_pb2.Status.FromString(caught.value.details)
    detail = pb.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    record = world.cloud.store.get((VPC, detail.id))
    assert record is not None
    assert wire.decode(detail.properties) == record.outputs
    assert wire.decode(detail.inputs) == record.inputs


def test_a_lost_answer_leaves_a_resource_that_the_engine_does_not_know(world: World, cloud: Client) -> None:
    arm(world, {"effect": "lost", "times": 1})
    bucket = ("aws:s3/bucket:Bucket", {"bucket": "lost-and-found"})
    with pytest.raises(RefusedError, match="connection was lost") as caught:
        cloud.create(*bucket)
    assert not caught.value.details
    with pytest.raises(RefusedError, match="BucketAlreadyOwnedByYou"):
        cloud.create(*bucket)


def test_updates_deletions_reads_and_functions_can_fail_too(world: World, cloud: Client) -> None:
    made = cloud.create(VPC, BLOCK)
    for operation in ("update", "delete", "read", "invoke"):
        arm(world, {"on": operation, "effect": "fail", "times": 1})
        tries = {
            "update": lambda: cloud.update(made, {**BLOCK, "tags": {"a": "b"}}),
            "read": lambda: cloud.read(VPC, made.id),
            "invoke": lambda: cloud.invoke("aws:index/getRegion:getRegion"),
            "delete": lambda: cloud.delete(made),
        }
        with pytest.raises(RefusedError, match="InternalError"):
            tries[operation]()
        if operation != "delete":
            tries[operation]()
    assert world.cloud.store.get((VPC, made.id))


def test_taking_the_file_away_ends_all_faults(world: World, cloud: Client) -> None:
    arm(world, {"effect": "fail"})
    assert outcomes(cloud, 1) == [False]
    (world.state / "faults.yaml").unlink()
    assert outcomes(cloud, 1) == [True]


@pytest.mark.parametrize("text", ["rules: [{effect: explode}]", "rules: [{efect: fail}]", "rules: {", "- 1"])
def test_a_file_that_is_not_valid_is_logged_and_strikes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(text)
    assert Faults(path).strike("create", VPC, "v", "s") is None
    assert "not valid and are ignored" in caplog.text
