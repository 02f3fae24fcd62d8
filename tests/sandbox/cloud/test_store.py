"""Looking and then creating is one step, whoever else is at it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.cloud import store
from sandbox.cloud.graves import buried, has_passed
from tests.sandbox.cloud.client import Client, RefusedError, World

BUCKET = "aws:s3/bucket:Bucket"
SECRET = "aws:secretsmanager/secret:Secret"


def test_of_many_stacks_that_want_one_name_at_once_exactly_one_gets_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = world.cloud.store.claimed

    def look_and_dawdle(claim: tuple[str, ...]) -> store.Record | None:
        found = look(claim)
        time.sleep(0.02)  # long enough for everybody else to look, were it not one step
        return found

    monkeypatch.setattr(world.cloud.store, "claimed", look_and_dawdle)

    def wants(client: Client) -> bool:
        try:
            client.create(BUCKET, {"bucket": "contended"})
        except RefusedError:
            return False
        return True

    clients = [world.client(f"stack{index}") for index in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(wants, clients)) == 1
    assert len(world.cloud.store.of_type(BUCKET)) == 1


def test_many_stacks_at_once_lose_nothing(world: World) -> None:
    def makes(index: int) -> None:
        client = world.client(f"stack{index}")
        for number in range(25):
            client.create(BUCKET, {"bucket": f"bucket-{index}-{number}"}, f"b{number}")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(makes, range(6)))
    assert len(list(store.rows(world.state))) == 150


def test_the_key_of_the_store_is_its_owners_only(world: World, cloud: Client) -> None:
    cloud.create(BUCKET, {"bucket": "some-bucket"})
    assert (world.state / "cloud.key").stat().st_mode & 0o777 == 0o600


def test_a_name_is_free_again_after_deletion(cloud: Client) -> None:
    cloud.delete(cloud.create(BUCKET, {"bucket": "again-and-again"}))
    cloud.create(BUCKET, {"bucket": "again-and-again"})


def test_a_deleted_secret_holds_its_name_until_its_recovery_time_has_passed(world: World, cloud: Client) -> None:
    cloud.delete(cloud.create(SECRET, {"name": "short", "recoveryWindowInDays": 0}))
    cloud.create(SECRET, {"name": "short", "recoveryWindowInDays": 0}, "next")
    held = cloud.create(SECRET, {"name": "long"}, "long")
    record = world.cloud.store.get((SECRET, held.id))
    cloud.delete(held)
    with pytest.raises(RefusedError, match="name is held until its recovery time"):
        cloud.create(SECRET, {"name": "long"}, "long")
    assert record is not None
    grave = buried(record, days=-1)
    assert has_passed(grave)
    world.cloud.store.put(grave)
    cloud.create(SECRET, {"name": "long"}, "long")


def test_a_change_from_outside_is_seen_by_the_next_look(world: World, cloud: Client, tmp_path: Path) -> None:
    made = cloud.create(BUCKET, {"bucket": "taken-away"})
    assert store.delete_row(world.state, (BUCKET, made.id))
    assert not store.delete_row(world.state, (BUCKET, made.id))
    cloud.create(BUCKET, {"bucket": "taken-away"}, "again")
